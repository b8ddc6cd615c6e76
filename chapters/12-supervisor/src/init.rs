//! A container's first process that is not the command itself (`--init`): it starts the command, hands on signals, and reaps orphans.
//!
//! The first process of a PID namespace gets every process in it that loses its parent, and only those signals that it handles
//! (pid_namespaces(7)). A command that was not written for it leaves zombies behind, and does not end by SIGTERM.

use kernel::{AsErrno, Strace, SysError};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use rustix::process::{Pid, PidfdFlags, WaitOptions, getpgrp, pidfd_open, wait};
use rustix::termios::tcsetpgrp;
use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

/// What the path of the executable is in a container that has it as its first process; Docker's is there as well.
pub const INIT_PATH: &str = "/sbin/docker-init";

/// The word with which it calls itself for the command's side.
const BECOME: &str = "--become";

/// Its first word says what follows: after `--` a command to be run to its end. The exit code is the command's, as a shell says it.
pub fn init(words: &[OsString]) -> ExitCode {
    let done = match words {
        [mark, command @ ..] if mark == "--" && !command.is_empty() => run(command),
        [mark, program, arguments @ ..] if mark == BECOME => become_command(program, arguments),
        _ => {
            eprintln!("init: {INIT_PATH} -- COMMAND [ARGUMENT...]");
            return ExitCode::FAILURE;
        }
    };
    done.unwrap_or_else(|error| {
        eprintln!("init: {error}");
        ExitCode::FAILURE
    })
}

fn run(command: &[OsString]) -> Result<ExitCode, SysError> {
    let all = SigSet::all();
    // Before the command exists, so that no signal falls between.
    all.thread_block().strace(|| "rt_sigprocmask(SIG_BLOCK, ~[])".into())?;
    let signals = SignalFd::with_flags(&all, SfdFlags::SFD_CLOEXEC).strace(|| "signalfd(~[])".into())?;
    // In a group of its own, or a terminal's ^C would reach it twice: from the terminal, and from us. It has the mask from us, which
    // nothing takes back between fork and exec; so the child is first this executable once more. (clone3 could run code of ours in
    // the child, but a container's filter refuses it.)
    let child = Command::new(INIT_PATH).arg(BECOME).args(command).process_group(0).spawn();
    let pid = Pid::from_child(&child.strace(|| format!("execve({INIT_PATH:?})"))?);
    let pidfd = pidfd_open(pid, PidfdFlags::empty()).strace(|| format!("pidfd_open({pid})"))?;
    serve(pid, &pidfd, &signals)
}

/// In the child: its group may read the terminal, signals do what they do by default, and it becomes the command.
fn become_command(program: &OsString, arguments: &[OsString]) -> Result<ExitCode, SysError> {
    // Fails where standard input is no terminal. SIGTTOU, for a group that may not yet write to it, is still blocked.
    let _ = tcsetpgrp(io::stdin(), getpgrp());
    kernel::default_signals()?;
    let error = Command::new(program).args(arguments).exec();
    eprintln!("init: {}: {}", program.display(), error.as_errno().desc());
    Ok(ExitCode::from(if error.kind() == io::ErrorKind::NotFound { 127 } else { 126 }))
}

/// Until the command ends: what ends is reaped, and every other signal is the command's.
fn serve(pid: Pid, pidfd: &OwnedFd, signals: &SignalFd) -> Result<ExitCode, SysError> {
    loop {
        let Some(signal) = signals.read_signal().strace(|| "read(signalfd)".into())? else {
            continue;
        };
        match signal.ssi_signo.cast_signed() {
            number if number == Signal::SIGCHLD as i32 => {
                if let Some(code) = reap(pid)? {
                    return Ok(code);
                }
            }
            // One that runs as somebody else now (sudo) cannot be sent one, and our own end is still to be waited for.
            number => drop(kernel::pidfd_send_signal(pidfd, number)),
        }
    }
}

/// Takes note of every process that has ended; the code of the command when it is among them.
fn reap(command: Pid) -> Result<Option<ExitCode>, SysError> {
    while let Some((pid, status)) = wait(WaitOptions::NOHANG).strace(|| "wait4(-1, WNOHANG)".into())? {
        if pid == command {
            return Ok(Some(match (status.exit_status(), status.terminating_signal()) {
                (Some(code), _) => ExitCode::from(code as u8),
                (None, signal) => ExitCode::from(128 + signal.unwrap_or_default() as u8),
            }));
        }
    }
    Ok(None)
}
