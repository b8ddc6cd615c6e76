//! mount_setattr(2) (Linux 5.12): attributes of a whole tree of mounts in one call.

use crate::{Result, Strace};
use nix::errno::Errno;
use nix::libc;
use std::ffi::CStr;
use std::os::fd::{AsFd, AsRawFd};

/// The attributes to set and to clear, `MOUNT_ATTR_*`, and the propagation to change to (`MS_PRIVATE`…), or 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MountAttributes {
    /// Attributes to set.
    pub set: u64,
    /// Attributes to clear.
    pub clear: u64,
    /// A propagation type, or 0 to leave it as it is.
    pub propagation: u64,
}

impl std::fmt::Display for MountAttributes {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let MountAttributes { set, clear, propagation } = self;
        write!(formatter, "{{attr_set={set:#x}, attr_clr={clear:#x}, propagation={propagation:#x}}}")
    }
}

/// Changes attributes of the mount at `path` below `directory`; an empty path means the descriptor itself.
///
/// `recursive` includes every mount below. Errors: EINVAL where `path` is no mount point, EPERM where a locked flag of
/// a mount from another user namespace would be cleared.
pub fn mount_setattr(
    directory: impl AsFd,
    path: &CStr,
    recursive: bool,
    attributes: MountAttributes,
) -> Result<()> {
    let fd = directory.as_fd().as_raw_fd();
    let flags = libc::AT_EMPTY_PATH | if recursive { libc::AT_RECURSIVE } else { 0 };
    let MountAttributes { set, clear, propagation } = attributes;
    let raw = libc::mount_attr { attr_set: set, attr_clr: clear, propagation, userns_fd: 0 };
    let call = || format!("mount_setattr({fd}, {path:?}, {flags:#x}, {attributes})");
    // SAFETY: path and struct outlive the call, which only reads them, and the size is the struct's own.
    let result = unsafe {
        libc::syscall(libc::SYS_mount_setattr, fd, path.as_ptr(), flags, &raw const raw, size_of_val(&raw))
    };
    Errno::result(result).map(drop).strace(call)
}
