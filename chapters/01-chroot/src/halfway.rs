//! Long tail: a plan that is carried out in two halves, with something to be done between them; and what is done afterwards.

use crate::apply::carry_out;
use crate::{Error, MountOp, Propagation, Result, trees};
use kernel::Strace;
use nix::mount::MsFlags;
use rustix::fs::{CWD, Mode, OFlags};
use std::os::fd::OwnedFd;
use std::path::Path;

/// As [`apply`](crate::apply()), with something to be done while everything is mounted and the host's root still there: chapter
/// 05 runs others' programs then.
pub fn apply_with<E: From<Error>>(
    steps: &[MountOp],
    before_pivot: impl FnOnce() -> std::result::Result<(), E>,
) -> std::result::Result<(), E> {
    let pivot = steps.iter().position(|step| *step == MountOp::PivotRoot).unwrap_or(steps.len());
    let mut root = None;
    carry_out(&steps[..pivot], &mut root)?;
    before_pivot()?;
    Ok(carry_out(&steps[pivot..], &mut root)?)
}

/// Afterwards, in the new root: whether mounts that are made in it later travel to copies of it. Before, pivot_root(2) would
/// refuse a root that is shared.
pub fn set_root_propagation(propagation: Propagation) -> Result<()> {
    let recursive = if propagation.recursive { MsFlags::MS_REC } else { MsFlags::empty() };
    let flags = MsFlags::from_bits_retain(propagation.flag) | recursive;
    let none = None::<&str>;
    nix::mount::mount(none, "/", none, flags, none)
        .strace(|| format!("mount(NULL, \"/\", NULL, {flags:?}, NULL)"))
        .map_err(|error| Error::call("the propagation of the root", error))
}

/// A copy of what the host has at a path, attached nowhere: for those who change it before it becomes [`What::Detached`](crate::What).
pub fn detached_copy(path: &Path, recursive: bool) -> Result<OwnedFd> {
    trees::copy(CWD, path, recursive)
}

/// A copy that was made before, by the path of its descriptor.
pub fn detached(path: &Path) -> Result<OwnedFd> {
    rustix::fs::open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())
        .strace(|| format!("open({path:?}, O_PATH)"))
        .map_err(|error| Error::call("mounts that were copied before", error))
}
