//! Long tail: another's program, executed as a fresh process: std leaves signals that we block as they are with us.

use crate::{Result, Strace, default_signals};
use rustix::process::{Signal, set_parent_process_death_signal};
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// What the command executes begins with no signal blocked, and every one doing what signal(7) says it does by default. Should
/// we be killed before it has ended, so is it (PR_SET_PDEATHSIG): what it has started is not.
///
/// For processes with one thread: it is done between fork(2) and execve(2).
pub fn begin_afresh(command: &mut Command) -> &mut Command {
    let begin = || afresh().map_err(|error| io::Error::from_raw_os_error(error.errno() as i32));
    // SAFETY: the closure runs in the child before execve(2). It owns nothing and takes no lock; sigaction(2), sigprocmask(2) and
    // prctl(2) are system calls and no more. Memory would only be taken to say that one of them failed, which none does with
    // these arguments; and of a process with one thread nobody else can have held the heap's lock when it was copied.
    unsafe { command.pre_exec(begin) }
}

fn afresh() -> Result<()> {
    default_signals()?;
    set_parent_process_death_signal(Some(Signal::KILL)).strace(|| "prctl(PR_SET_PDEATHSIG, SIGKILL)".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::signal::{SigSet, Signal};

    #[test]
    fn what_we_block_is_not_blocked_for_others() {
        let mut blocked = SigSet::empty();
        blocked.add(Signal::SIGTERM);
        let said = |begin: fn(&mut Command) -> &mut Command| {
            let output = begin(Command::new("grep").args(["SigBlk", "/proc/self/status"])).output();
            String::from_utf8(output.expect("grep").stdout).expect("text")
        };
        blocked.thread_block().expect("blocked");
        let (with, without) = (said(begin_afresh), said(|command| command));
        blocked.thread_unblock().expect("unblocked");
        assert_eq!(with.trim_end(), "SigBlk:\t0000000000000000");
        assert_ne!(with, without);
    }
}
