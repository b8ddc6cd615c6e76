//! close_range(2): no descriptor is inherited by accident (CVE-2016-9962, CVE-2024-21626).

use crate::{Result, Strace};
use nix::errno::Errno;
use nix::libc;

/// Marks every descriptor from `first` on close-on-exec (Linux 5.11): they stay usable until execve(2).
pub fn close_on_exec_from(first: u32) -> Result<()> {
    let flags = libc::CLOSE_RANGE_CLOEXEC;
    // SAFETY: with this flag the call closes nothing and touches no memory; descriptors stay valid for their owners.
    let result = unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, flags) };
    Errno::result(result).map(drop).strace(|| format!("close_range({first}, ~0U, CLOSE_RANGE_CLOEXEC)"))
}
