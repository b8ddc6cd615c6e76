//! Long tail: binds whose later mounts the host shall see (`docker run -v …:rshared`).

use crate::{Mount, MountOp, Propagation, Result, What, trees};
use rustix::fs::CWD;
use std::os::fd::OwnedFd;

/// Whether mounts that the container makes there shall appear on the host.
pub fn is_shared(mount: &Mount) -> bool {
    matches!(mount.what, What::Bind { .. })
        && mount.options.propagation.is_some_and(|propagation| propagation.flag == Propagation::SHARED)
}

/// Copies of what shall stay shared with the host, in the order of the plan: once cut off, there is nothing to share.
pub fn sources_to_share(steps: &[MountOp]) -> Result<Vec<OwnedFd>> {
    let source = |step: &MountOp| match step {
        MountOp::Mount(mount) if is_shared(mount) => match &mount.what {
            What::Bind { source, recursive } => Some(trees::copy(CWD, source, *recursive)),
            _ => None,
        },
        _ => None,
    };
    steps.iter().filter_map(source).collect()
}
