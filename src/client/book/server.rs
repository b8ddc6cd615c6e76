//! HTTP/1.1 for one reader: a request a connection, and one thread. A browser opens connections before it needs them, so all
//! that wait are polled, and none keeps another from its answer.

use super::super::failure::{Error, ErrorKind, Result};
use super::super::signals::Signals;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::io::{ErrorKind as Io, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

/// The longest request, bytes.
const LONGEST: usize = 16 * 1024;
/// How long a connection may say nothing, or not read its answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Connections that wait at one time; a browser has six.
const MANY: usize = 64;

/// A connection whose request is not whole yet.
struct Waiting {
    stream: TcpStream,
    read: Vec<u8>,
    since: Instant,
}

/// Serves until a signal ends it; `answer` makes of a request's head all the bytes of its answer.
pub fn serve(listener: TcpListener, answer: impl Fn(&[u8]) -> Vec<u8>) -> Result<()> {
    let signals = Signals::end()?;
    listener.set_nonblocking(true)?;
    let mut waiting: Vec<Waiting> = Vec::new();
    loop {
        wait(&listener, &signals, &waiting)?;
        if let Some(signal) = signals.pending_end() {
            return Err(Error::new(ErrorKind::Interrupted(signal), ""));
        }
        while let Ok((stream, _)) = listener.accept() {
            if waiting.len() < MANY && stream.set_nonblocking(true).is_ok() {
                waiting.push(Waiting { stream, read: Vec::new(), since: Instant::now() });
            }
        }
        waiting = waiting.into_iter().filter_map(|one| one.go_on(&answer)).collect();
    }
}

/// Until something can be read, or a connection may have waited too long.
fn wait(listener: &TcpListener, signals: &Signals, waiting: &[Waiting]) -> Result<()> {
    let readable = |descriptor| PollFd::new(descriptor, PollFlags::POLLIN);
    let mut set = vec![readable(listener.as_fd()), readable(signals.as_fd())];
    set.extend(waiting.iter().map(|one| readable(one.stream.as_fd())));
    let longest = if waiting.is_empty() { PollTimeout::NONE } else { PollTimeout::from(1000u16) };
    match poll(&mut set, longest) {
        Ok(_) | Err(Errno::EINTR) => Ok(()),
        Err(errno) => Err(std::io::Error::from(errno).into()),
    }
}

impl Waiting {
    /// Reads what is there, and answers a request that is whole; `None` when there is nothing more to wait for.
    fn go_on(mut self, answer: impl Fn(&[u8]) -> Vec<u8>) -> Option<Waiting> {
        let mut piece = [0; 4096];
        loop {
            match self.stream.read(&mut piece) {
                Ok(0) => return None,
                Ok(count) => self.read.extend_from_slice(&piece[..count]),
                Err(error) if error.kind() == Io::WouldBlock => break,
                Err(error) if error.kind() == Io::Interrupted => {}
                Err(_) => return None,
            }
            if self.read.len() > LONGEST {
                return None;
            }
        }
        if self.read.windows(4).any(|end| end == b"\r\n\r\n") {
            // A reader who went away needs no answer.
            let _ = self.send(&answer(&self.read));
            return None;
        }
        (self.since.elapsed() < PATIENCE).then_some(self)
    }

    fn send(&mut self, answer: &[u8]) -> std::io::Result<()> {
        self.stream.set_nonblocking(false)?;
        self.stream.set_write_timeout(Some(PATIENCE))?;
        self.stream.write_all(answer)
    }
}
