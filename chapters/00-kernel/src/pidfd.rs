//! Long tail: signals through a pidfd, any number: nix and rustix know only the named ones, and `SIGRTMIN+3` stops a systemd.

use nix::errno::Errno;
use nix::libc;
use std::os::fd::{AsFd, AsRawFd};

/// pidfd_send_signal(2): to exactly the process that the descriptor stands for, or ESRCH, never to a later one with its number.
pub fn pidfd_send_signal(pidfd: impl AsFd, number: i32) -> Result<(), Errno> {
    let fd = pidfd.as_fd().as_raw_fd();
    let no_info = std::ptr::null::<libc::siginfo_t>();
    // SAFETY: the call reads memory only through its third argument, and null says that there is none to read.
    let result = unsafe { libc::syscall(libc::SYS_pidfd_send_signal, fd, number, no_info, 0) };
    Errno::result(result).map(drop)
}
