//! keyctl(2): a session keyring of the container's own, so that it cannot read the caller's keys.

use crate::{Result, Strace};
use nix::errno::Errno;
use nix::libc;
use std::ffi::CStr;

/// Joins the session keyring of this name that the caller may search, or a new and empty one if there is none
/// (keyctl_join_session_keyring(3)). So the name must be the container's own.
///
/// Errors: ENOSYS where the kernel has no keyrings, EDQUOT when the user's quota of keys is used up.
pub fn join_session_keyring(name: &CStr) -> Result<()> {
    let operation = libc::KEYCTL_JOIN_SESSION_KEYRING;
    // SAFETY: the name is a valid string of C for the time of the call; the kernel copies it.
    let result = unsafe { libc::syscall(libc::SYS_keyctl, operation, name.as_ptr()) };
    Errno::result(result).map(drop).strace(|| format!("keyctl(KEYCTL_JOIN_SESSION_KEYRING, {name:?})"))
}
