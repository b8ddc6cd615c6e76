//! Waiting for a container as if it were our own program: its terminal is ours, and signals to us are for it.

use crate::{Created, Result, Stdio, set_terminal_size};
use kernel::Strace;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use rustix::event::{PollFd, PollFlags};
use rustix::process::{WaitId, WaitIdOptions};
use rustix::termios::{OptionalActions, Termios, isatty, tcgetattr, tcgetwinsize, tcsetattr};
use std::io::{Read, Write, stdin, stdout};
use std::os::fd::{AsFd, OwnedFd};

/// We, while the container runs.
pub struct Foreground {
    signals: SignalFd,
    size: Option<(u16, u16)>,
}

impl Foreground {
    /// From now on signals are read, not delivered.
    pub fn begin() -> Result<Foreground> {
        let mut all = SigSet::all();
        // Those that say that the program itself is broken are its own.
        for own in [Signal::SIGSEGV, Signal::SIGBUS, Signal::SIGFPE, Signal::SIGILL, Signal::SIGABRT] {
            all.remove(own);
        }
        all.thread_block().strace(|| "sigprocmask(SIG_BLOCK, ~[])".into())?;
        let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
        Ok(Foreground {
            signals: SignalFd::with_flags(&all, flags).strace(|| "signalfd(~[])".into())?,
            size: own_size(),
        })
    }

    /// A terminal as large as ours.
    pub fn terminal(&self) -> Stdio {
        Stdio::Terminal { size: self.size, console_socket: None }
    }

    /// Passes input, output, sizes and signals on until the first process has ended; returns its exit code.
    pub fn wait(&self, created: &Created) -> Result<u8> {
        let raw = created.terminal.as_ref().and_then(|_| RawTerminal::begin());
        let mut input_open = true;
        let code = loop {
            if let Some(code) = exit_code(created)? {
                break code;
            }
            let news = self.wait_for_news(created, input_open);
            input_open &= self.pass(created, news);
        };
        if let Some(master) = &created.terminal {
            while pass_output(master) {}
        }
        drop(raw);
        Ok(code)
    }

    /// Until the process has ended, or something else has come: signals, output, input.
    fn wait_for_news(&self, created: &Created, input_open: bool) -> [bool; 3] {
        let own_input = stdin();
        let mut polled = vec![
            PollFd::new(&created.pidfd, PollFlags::IN),
            PollFd::from_borrowed_fd(self.signals.as_fd(), PollFlags::IN),
        ];
        if let Some(master) = &created.terminal {
            polled.push(PollFd::new(master, PollFlags::IN));
            let wanted = if input_open { PollFlags::IN } else { PollFlags::empty() };
            polled.push(PollFd::new(&own_input, wanted));
        }
        let _ = rustix::event::poll(&mut polled, None);
        let is_ready = |at: usize| polled.get(at).is_some_and(|one| !one.revents().is_empty());
        [is_ready(1), is_ready(2), input_open && is_ready(3)]
    }

    /// False: there is no more input.
    fn pass(&self, created: &Created, [signals, output, input]: [bool; 3]) -> bool {
        if signals {
            self.pass_signals(created);
        }
        let Some(master) = &created.terminal else { return true };
        if output {
            pass_output(master);
        }
        !input || pass_input(master)
    }

    fn pass_signals(&self, created: &Created) {
        while let Ok(Some(signal)) = self.signals.read_signal() {
            match signal.ssi_signo as i32 {
                nix::libc::SIGCHLD => {}
                nix::libc::SIGWINCH => {
                    if let (Some(master), Some(size)) = (&created.terminal, own_size()) {
                        let _ = set_terminal_size(master, size);
                    }
                }
                number => drop(kernel::pidfd_send_signal(&created.pidfd, number)),
            }
        }
    }
}

fn exit_code(created: &Created) -> Result<Option<u8>> {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
    let status = rustix::process::waitid(WaitId::PidFd(created.pidfd.as_fd()), options);
    let status = status.strace(|| "waitid(P_PIDFD, WEXITED|WNOHANG)".into())?;
    Ok(status.map(|status| match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => code as u8,
        (None, signal) => 128 + signal.unwrap_or_default() as u8,
    }))
}

/// What the container writes, a piece at a time. False: there is no more.
fn pass_output(master: &OwnedFd) -> bool {
    use rustix::event::Timespec;
    let mut polled = [PollFd::new(master, PollFlags::IN)];
    if rustix::event::poll(&mut polled, Some(&Timespec::default())) != Ok(1) {
        return false;
    }
    let mut buffer = [0; 4096];
    match rustix::io::read(master, &mut buffer) {
        Ok(0) | Err(_) => false,
        Ok(length) => {
            let mut out = stdout();
            out.write_all(&buffer[..length]).and_then(|()| out.flush()).is_ok()
        }
    }
}

/// What our user types, a piece at a time. False: there is no more.
fn pass_input(master: &OwnedFd) -> bool {
    let mut buffer = [0; 4096];
    match stdin().read(&mut buffer) {
        Ok(0) | Err(_) => false,
        Ok(length) => rustix::io::write(master, &buffer[..length]).is_ok(),
    }
}

fn own_size() -> Option<(u16, u16)> {
    let size = tcgetwinsize(stdout()).ok()?;
    Some((size.ws_col, size.ws_row))
}

/// Our terminal passes every key on, until this is dropped.
struct RawTerminal(Termios);

impl RawTerminal {
    fn begin() -> Option<RawTerminal> {
        let before = isatty(stdin()).then(|| tcgetattr(stdin()).ok()).flatten()?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(stdin(), OptionalActions::Now, &raw).ok()?;
        Some(RawTerminal(before))
    }
}

impl Drop for RawTerminal {
    fn drop(&mut self) {
        let _ = tcsetattr(stdin(), OptionalActions::Now, &self.0);
    }
}
