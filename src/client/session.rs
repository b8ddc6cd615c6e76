//! An attached session: the user's standard streams and a container's, over a connection taken from HTTP.
//!
//! One loop polls the input, the connection and the signals. The connection never blocks on writing: a container that does
//! not read its input must not keep us from reading its output.

use super::daemon_calls::{Daemon, encode};
use super::failure::{Error, ErrorKind, Result};
use super::frames::{Frames, STDERR, STDOUT, SYSTEM_ERROR};
use super::http::Upgraded;
use super::signals::Signals;
use super::terminal::{DetachKeys, Raw, size};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;
use std::io::{Read, Write, stderr, stdin, stdout};
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

/// What of the session is the container's doing, and what is the user's.
pub struct Options<'a> {
    /// The daemon, for signals and sizes.
    pub daemon: &'a Daemon,
    /// What is resized and signalled.
    pub target: Target,
    /// The container has a terminal: output is raw, and so is ours.
    pub tty: bool,
    /// Our standard input is passed on.
    pub stdin: bool,
    /// Its output is passed on, of either kind.
    pub output: bool,
    /// Signals are passed on, instead of ending the session.
    pub proxy: bool,
    /// The keys that end a session with a terminal.
    pub detach_keys: DetachKeys,
}

/// Whom a session talks to.
pub enum Target {
    /// A container's main process.
    Container(String),
    /// A further process in a container.
    Exec(String),
}

/// Why a session ended.
#[derive(Debug, PartialEq)]
pub enum Ended {
    /// The container closed its streams.
    Closed,
    /// The user typed the detach keys.
    Detached,
}

/// A running session.
pub struct Session<'a> {
    options: Options<'a>,
    signals: Signals,
    connection: UnixStream,
    already_read: Vec<u8>,
    raw: Option<Raw>,
    frames: Frames,
    /// Input that the connection has not taken yet.
    pending: Vec<u8>,
    input: Input,
}

/// How far our standard input is.
#[derive(PartialEq)]
enum Input {
    /// More may come.
    Open,
    /// It has ended; what is pending is still to be sent.
    Ending,
    /// The connection's sending half is shut.
    Shut,
}

impl<'a> Session<'a> {
    /// Takes over an upgraded connection. The terminal becomes raw now.
    pub fn begin(options: Options<'a>, signals: Signals, upgraded: Upgraded) -> Result<Session<'a>> {
        let raw = if options.tty && options.stdin { Raw::enter()? } else { None };
        upgraded.stream.set_nonblocking(true)?;
        let input = if options.stdin { Input::Open } else { Input::Ending };
        Ok(Session {
            options,
            signals,
            connection: upgraded.stream,
            already_read: upgraded.already_read,
            raw,
            frames: Frames::default(),
            pending: Vec::new(),
            input,
        })
    }

    /// Gives the target's terminal the size of ours.
    pub fn resize(&self) {
        if let Some((rows, columns)) = size().filter(|_| self.options.tty) {
            self.resize_to(rows, columns);
        }
    }

    /// Sets another size first: a program draws its screen again only when the size changes, which it does not when one
    /// attaches again from the same terminal.
    pub fn redraw(&self) {
        if let Some((rows, columns)) = size().filter(|_| self.options.tty) {
            self.resize_to(rows.saturating_add(1), columns.saturating_add(1));
            self.resize_to(rows, columns);
        }
    }

    fn resize_to(&self, rows: u16, columns: u16) {
        let path = match &self.options.target {
            Target::Container(id) => format!("/containers/{}/resize", encode(id)),
            Target::Exec(id) => format!("/exec/{id}/resize"),
        };
        // A target that has just ended has no size; its end is seen by other means.
        let _ = self.options.daemon.post(&path, &[("h", &rows.to_string()), ("w", &columns.to_string())]);
    }

    /// Passes everything on until the session ends.
    pub fn run(mut self) -> Result<Ended> {
        let early = std::mem::take(&mut self.already_read);
        self.output(&early)?;
        loop {
            self.shut_when_sent()?;
            if !self.options.output && self.input == Input::Shut {
                return Ok(Ended::Closed);
            }
            let [input, readable, writable, signalled] = self.wait()?;
            if signalled {
                self.signals()?;
            }
            if writable {
                self.send()?;
            }
            if readable && !self.receive()? {
                return Ok(Ended::Closed);
            }
            if input && self.read_input()? {
                return Ok(Ended::Detached);
            }
        }
    }

    /// Whether there is input, output, room for input, a signal.
    fn wait(&self) -> Result<[bool; 4]> {
        let standard_input = stdin();
        let wants_input = self.input == Input::Open && self.pending.len() < 64 * 1024;
        let sends = if self.pending.is_empty() { PollFlags::empty() } else { PollFlags::POLLOUT };
        let mut set = vec![
            PollFd::new(self.connection.as_fd(), PollFlags::POLLIN | sends),
            PollFd::new(self.signals.as_fd(), PollFlags::POLLIN),
        ];
        if wants_input {
            set.push(PollFd::new(standard_input.as_fd(), PollFlags::POLLIN));
        }
        match poll(&mut set, PollTimeout::NONE) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(std::io::Error::from(errno).into()),
        }
        let has = |at: usize, flags| {
            set.get(at).and_then(PollFd::revents).is_some_and(|found| found.intersects(flags))
        };
        let ended = PollFlags::POLLHUP | PollFlags::POLLERR;
        Ok([
            has(2, PollFlags::POLLIN | ended | PollFlags::POLLNVAL),
            has(0, PollFlags::POLLIN | ended),
            has(0, PollFlags::POLLOUT),
            has(1, PollFlags::POLLIN),
        ])
    }

    /// Reads our input; says whether the detach keys were typed.
    fn read_input(&mut self) -> Result<bool> {
        let mut buffer = [0; 16 * 1024];
        let count = match read_some(stdin().as_fd(), &mut buffer) {
            // A terminal in the background, or a closed descriptor, has nothing more to say.
            Err(Errno::EIO | Errno::EBADF) => 0,
            result => result.map_err(std::io::Error::from)?,
        };
        if count == 0 {
            self.input = Input::Ending;
        }
        let (passed, detached) = match self.options.tty {
            true => self.options.detach_keys.filter(&buffer[..count]),
            false => (buffer[..count].to_vec(), false),
        };
        self.pending.extend_from_slice(&passed);
        self.send()?;
        Ok(detached)
    }

    fn send(&mut self) -> Result<()> {
        while !self.pending.is_empty() {
            match self.connection.write(&self.pending) {
                Ok(count) => drop(self.pending.drain(..count)),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                // The other side reads no more; what it has written is still to be read.
                Err(_) => {
                    self.pending.clear();
                    self.input = Input::Shut;
                }
            }
        }
        Ok(())
    }

    /// Shuts our half once all input is sent, so that the container sees its input end.
    fn shut_when_sent(&mut self) -> Result<()> {
        if self.input == Input::Ending && self.pending.is_empty() {
            self.input = Input::Shut;
            // It may be closed on the other side already.
            let _ = self.connection.shutdown(Shutdown::Write);
        }
        Ok(())
    }

    /// Passes output on; false at its end.
    fn receive(&mut self) -> Result<bool> {
        let mut buffer = [0; 32 * 1024];
        match self.connection.read(&mut buffer) {
            Ok(0) => Ok(false),
            Ok(count) => self.output(&buffer[..count]).map(|()| true),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => Ok(true),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => Ok(true),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn output(&mut self, bytes: &[u8]) -> Result<()> {
        if !self.options.output {
            return Ok(());
        }
        if self.options.tty {
            return write_through(&mut stdout(), bytes);
        }
        self.frames.feed(bytes, write_stream)
    }

    /// Acts on every signal that is pending.
    fn signals(&mut self) -> Result<()> {
        while let Some(signal) = self.signals.next() {
            match (signal, &self.options.target) {
                (Signal::SIGWINCH, _) => self.resize(),
                (signal, Target::Container(id)) if self.options.proxy => {
                    let name = signal.as_str().trim_start_matches("SIG");
                    let path = format!("/containers/{}/kill", encode(id));
                    // Not running yet, or not any more: either way its end is what we wait for.
                    let _ = self.options.daemon.post(&path, &[("signal", name)]);
                }
                (Signal::SIGINT | Signal::SIGTERM | Signal::SIGHUP | Signal::SIGQUIT, _) => {
                    self.raw = None;
                    return Err(Error::new(ErrorKind::Interrupted(signal as i32), ""));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Writes a piece of one of a container's streams to ours.
pub fn write_stream(stream: u8, data: &[u8]) -> Result<()> {
    match stream {
        STDOUT | 0 => write_through(&mut stdout(), data),
        STDERR => write_through(&mut stderr(), data),
        SYSTEM_ERROR => {
            let text = String::from_utf8_lossy(data);
            Err(Error::new(ErrorKind::Daemon(500), format!("error from daemon in stream: {text}")))
        }
        other => Err(Error::new(ErrorKind::Connection, format!("Unrecognized input header: {other}"))),
    }
}

/// Past Rust's buffer of lines, at once.
fn write_through(output: &mut impl Write, bytes: &[u8]) -> Result<()> {
    output.write_all(bytes)?;
    output.flush()?;
    Ok(())
}

/// A read past Rust's own buffer of standard input, which poll knows nothing of.
fn read_some(descriptor: BorrowedFd<'_>, buffer: &mut [u8]) -> std::result::Result<usize, Errno> {
    loop {
        match nix::unistd::read(descriptor, buffer) {
            Err(Errno::EINTR) => continue,
            result => return result,
        }
    }
}
