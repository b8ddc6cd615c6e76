//! Long tail: binds whose later mounts the host shall see (`docker run -v …:rshared`).

use crate::{MountOp, Result, What, trees};
use rustix::fs::CWD;
use std::os::fd::OwnedFd;

/// Copies of what shall stay shared with the host, in the order of the plan: once cut off, there is nothing to share.
pub fn sources(steps: &[MountOp]) -> Result<Vec<OwnedFd>> {
    let source = |step: &MountOp| match step {
        MountOp::Mount(mount) if mount.is_shared() => match &mount.what {
            What::Bind { source, recursive } => Some(trees::copy(CWD, source, *recursive)),
            _ => None,
        },
        _ => None,
    };
    steps.iter().filter_map(source).collect()
}
