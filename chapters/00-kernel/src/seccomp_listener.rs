//! Long tail: seccomp(2) with a filter that asks: whoever has its listener is told of calls, and answers (seccomp_unotify(2)).

use crate::{Instruction, Result, Strace};
use nix::errno::Errno;
use nix::libc;
use std::os::fd::{FromRawFd, OwnedFd};

/// Loads a filter for this thread as [`crate::load_seccomp_filter`] does, and returns its listener
/// (SECCOMP_FILTER_FLAG_NEW_LISTENER, Linux 5.0), close-on-exec.
///
/// Errors also: EBUSY where this thread has a filter with a listener already.
pub fn load_seccomp_filter_with_listener(program: &[Instruction], flags: u64) -> Result<OwnedFd> {
    let flags = flags | libc::SECCOMP_FILTER_FLAG_NEW_LISTENER;
    let call = || format!("seccomp(SECCOMP_SET_MODE_FILTER, {flags:#x}, {{len={}}})", program.len());
    let length = u16::try_from(program.len()).map_err(|_| Errno::EINVAL).strace(call)?;
    let raw = libc::sock_fprog { len: length, filter: program.as_ptr().cast_mut().cast() };
    // SAFETY: Instruction has the layout of sock_filter (repr(C), the same fields), the length is the slice's, and the
    // kernel copies the program before it returns.
    let result =
        unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, flags, &raw const raw) };
    let listener = Errno::result(result).strace(call)?;
    // SAFETY: with this flag the call returns a descriptor that the kernel has just opened for us; nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(listener as i32) })
}
