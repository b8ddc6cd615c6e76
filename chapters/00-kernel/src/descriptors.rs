//! close_range(2): no descriptor is inherited by accident (CVE-2016-9962, CVE-2024-21626).

use crate::{Result, Strace};
use nix::errno::Errno;
use nix::libc;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Marks every descriptor from `first` on close-on-exec (Linux 5.11): they stay usable until execve(2).
pub fn close_on_exec_from(first: u32) -> Result<()> {
    let flags = libc::CLOSE_RANGE_CLOEXEC;
    // SAFETY: with this flag the call closes nothing and touches no memory; descriptors stay valid for their owners.
    let result = unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, flags) };
    Errno::result(result).map(drop).strace(|| format!("close_range({first}, ~0U, CLOSE_RANGE_CLOEXEC)"))
}

/// Closes every descriptor from `first` on but these (Linux 5.9), for a child of clone3, which got a copy of each: a lock or
/// the end of a pipe must not live on in it.
///
/// Whoever owns one of the closed descriptors in this process must never close or use it again.
pub fn close_from(first: u32, kept: &[BorrowedFd<'_>]) -> Result<()> {
    let mut kept: Vec<u32> = kept.iter().map(|fd| fd.as_raw_fd() as u32).filter(|fd| *fd >= first).collect();
    kept.sort_unstable();
    let mut next = first;
    for end in kept.into_iter().map(Some).chain([None]) {
        let last = end.map_or(Some(u32::MAX), |end| end.checked_sub(1)).filter(|last| *last >= next);
        if let Some(last) = last {
            // SAFETY: the call touches no memory. That owners lose their descriptors is what it is for, and what the
            // caller answers for; a child that leaves by execve or exit_now drops none of its parent's owners.
            let result = unsafe { libc::syscall(libc::SYS_close_range, next, last, 0) };
            Errno::result(result).strace(|| format!("close_range({next}, {last}, 0)"))?;
        }
        next = end.map_or(next, |end| end + 1);
    }
    Ok(())
}
