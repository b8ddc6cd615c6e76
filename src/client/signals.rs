//! Signals as things to read: blocked once, then polled beside the socket, so that an interrupted command can clean up.

use super::failure::{Error, ErrorKind, Result};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use std::os::fd::{AsFd, BorrowedFd};
use std::rc::Rc;

/// The signals that this process takes by reading them. Clones read from the same descriptor.
#[derive(Clone)]
pub struct Signals {
    descriptor: Rc<SignalFd>,
}

impl Signals {
    /// Blocks the signals that end a command, and opens a descriptor to read them from.
    pub fn end() -> Result<Signals> {
        Signals::of([Signal::SIGINT, Signal::SIGTERM])
    }

    /// Blocks everything that may be passed on to a container, and the terminal's resize notice. Left out: what cannot be
    /// caught, what our own faults raise, and what concerns our own pipes and children.
    pub fn all() -> Result<Signals> {
        let ours = [
            Signal::SIGKILL,
            Signal::SIGSTOP,
            Signal::SIGSEGV,
            Signal::SIGBUS,
            Signal::SIGFPE,
            Signal::SIGILL,
            Signal::SIGPIPE,
            Signal::SIGCHLD,
            Signal::SIGURG,
        ];
        Signals::of(Signal::iterator().filter(|signal| !ours.contains(signal)))
    }

    fn of(signals: impl IntoIterator<Item = Signal>) -> Result<Signals> {
        let mask: SigSet = signals.into_iter().collect();
        let open = || {
            mask.thread_block()?;
            SignalFd::with_flags(&mask, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)
        };
        let descriptor = open().map_err(std::io::Error::from)?;
        Ok(Signals { descriptor: Rc::new(descriptor) })
    }

    /// The next signal, if one is pending.
    pub fn next(&self) -> Option<Signal> {
        let info = self.descriptor.read_signal().ok().flatten()?;
        Signal::try_from(info.ssi_signo as i32).ok()
    }

    /// The number of a pending signal that ends a command.
    pub fn pending_end(&self) -> Option<i32> {
        std::iter::from_fn(|| self.next()).find(|signal| ends(*signal)).map(|signal| signal as i32)
    }

    /// Waits until `descriptor` can be read. A signal that ends a command comes back as an error.
    pub fn wait_readable(&self, descriptor: BorrowedFd<'_>) -> Result<()> {
        loop {
            let mut set =
                [PollFd::new(descriptor, PollFlags::POLLIN), PollFd::new(self.as_fd(), PollFlags::POLLIN)];
            match poll(&mut set, PollTimeout::NONE) {
                Err(Errno::EINTR) => continue,
                result => result.map_err(std::io::Error::from)?,
            };
            if let Some(signal) = self.pending_end() {
                return Err(Error::new(ErrorKind::Interrupted(signal), ""));
            }
            if set[0].any() == Some(true) {
                return Ok(());
            }
        }
    }
}

fn ends(signal: Signal) -> bool {
    matches!(signal, Signal::SIGINT | Signal::SIGTERM)
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}
