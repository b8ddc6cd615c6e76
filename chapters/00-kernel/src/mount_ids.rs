//! Long tail: mount_setattr(2) with MOUNT_ATTR_IDMAP (Linux 5.12): files are seen as somebody else's.

use crate::{Result, Strace};
use nix::errno::Errno;
use nix::libc;
use std::os::fd::{AsFd, AsRawFd};

/// Lets a tree of mounts that is attached nowhere show the owners of its files by the maps of a user namespace: what is inside
/// there is the file system's id, what is outside the one that is seen.
///
/// Errors: EINVAL where the file system cannot do it, or has such maps already; EPERM where the mount is attached, or its file
/// system is not the caller's to administer.
pub fn map_mount_ids(tree: impl AsFd, recursive: bool, user_namespace: impl AsFd) -> Result<()> {
    let (fd, owner) = (tree.as_fd().as_raw_fd(), user_namespace.as_fd().as_raw_fd());
    let flags = libc::AT_EMPTY_PATH | if recursive { libc::AT_RECURSIVE } else { 0 };
    let attributes = libc::MOUNT_ATTR_IDMAP;
    let raw = libc::mount_attr { attr_set: attributes, attr_clr: 0, propagation: 0, userns_fd: owner as u64 };
    let call =
        || format!("mount_setattr({fd}, \"\", {flags:#x}, {{attr_set=MOUNT_ATTR_IDMAP, userns_fd={owner}}})");
    // SAFETY: the empty path and the struct outlive the call, which only reads them, and the size is the struct's own.
    let result = unsafe {
        libc::syscall(libc::SYS_mount_setattr, fd, c"".as_ptr(), flags, &raw const raw, size_of_val(&raw))
    };
    Errno::result(result).map(drop).strace(call)
}
