//! Signals as a fresh process has them: what was ignored or blocked stays so across execve(2), so it must be undone before.

use crate::{Result, Strace};
use nix::errno::Errno;
use nix::libc;

/// Lets every signal do what signal(7) says it does by default, and blocks none.
pub fn default_signals() -> Result<()> {
    // SAFETY: sigset_t and sigaction are structs of integers and a handler, for which all zeroes is a value: the empty set,
    // and SIG_DFL without flags.
    let (none, default): (libc::sigset_t, libc::sigaction) = unsafe { std::mem::zeroed() };
    for number in 1..=libc::SIGRTMAX() {
        // SAFETY: the default disposition runs no code of ours; the old one is not asked for. Numbers that cannot be
        // changed (KILL, STOP, and those that the C library keeps for itself) fail with EINVAL and are as they must be.
        unsafe { libc::sigaction(number, &raw const default, std::ptr::null_mut()) };
    }
    // SAFETY: reads one set of signals that lives on our stack.
    let result = unsafe { libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut()) };
    Errno::result(result).map(drop).strace(|| "sigprocmask(SIG_SETMASK, [])".into())
}
