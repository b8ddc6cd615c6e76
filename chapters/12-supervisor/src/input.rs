//! What the process reads: bytes of attached clients on their way into its pipe or its terminal.

use rustix::io::Errno;
use std::os::fd::OwnedFd;

/// The writing end, and what it had no room for.
#[derive(Default)]
pub struct Input {
    /// Our end of the pipe, or the terminal's master; None: nobody reads, and input is thrown away.
    pub sink: Option<OwnedFd>,
    /// What comes next. Clients are not read while there is something.
    pub backlog: Vec<u8>,
    /// Close the pipe when the backlog is written.
    closing: bool,
}

impl Input {
    /// Into a pipe or terminal that does not block.
    pub fn new(sink: Option<OwnedFd>) -> Input {
        Input { sink, ..Input::default() }
    }

    /// Whether something waits for room.
    pub fn is_behind(&self) -> bool {
        self.sink.is_some() && !self.backlog.is_empty()
    }

    /// Writes what there is, as far as there is room.
    pub fn flush(&mut self) {
        while let Some(sink) = self.sink.as_ref().filter(|_| !self.backlog.is_empty()) {
            match rustix::io::write(sink, &self.backlog) {
                Ok(written) => drop(self.backlog.drain(..written)),
                Err(Errno::AGAIN) => return,
                Err(Errno::INTR) => {}
                // The process has closed its end.
                Err(_) => self.sink = None,
            }
        }
        if self.sink.is_none() || self.closing {
            *self = Input::default();
        }
    }

    /// The process shall see an end of file after what it has not read yet.
    pub fn close(&mut self) {
        self.closing = true;
        self.flush();
    }
}
