//! The daemon's end: launch a supervisor, connect to one that runs, ask it for things, hear from it.

use crate::{AttachOptions, Event, Exit, Failure, Launch};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

/// Why a supervisor cannot be reached.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Error(String);

/// A connection to one supervisor. Requests may be sent from any thread; events are for one reader.
#[derive(Debug)]
pub struct Connection {
    socket: OwnedFd,
}

/// Writes launch.json into `run_dir` (which has config.json already), starts a supervisor and waits until it has created the container.
pub fn launch(_run_dir: &Path, _launch: &Launch) -> Result<(Connection, crate::Target), LaunchError> {
    todo!()
}

/// What [`launch`] and [`Connection::start`] report.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// The container cannot be made, in runc's words.
    #[error("{}", .0.message)]
    Failed(Failure),
    /// The supervisor itself could not be started, or vanished.
    #[error("{0}")]
    Supervisor(#[from] Error),
}

/// Connects to the supervisor of `run_dir`; None when none is there. Its first events are `Created` and `Started`.
pub fn connect(_run_dir: &Path) -> Result<Option<Connection>, Error> {
    todo!()
}

/// How the process of `run_dir` ended, if it has.
pub fn read_exit(_run_dir: &Path) -> Result<Option<Exit>, Error> {
    todo!()
}

/// Ends what is left of a container whose supervisor was killed: its processes and its cgroup.
pub fn destroy(_run_dir: &Path) -> Result<(), Error> {
    todo!()
}

impl Connection {
    /// Executes the command, and waits until it does or fails. Returns the time, RFC 3339 with nanoseconds.
    pub fn start(&self) -> Result<String, LaunchError> {
        todo!()
    }

    /// Hands over a client's socket. It is served until the process ends or the client goes; nothing of it is left with the caller.
    pub fn attach(&self, _client: OwnedFd, _options: &AttachOptions) -> Result<(), Error> {
        todo!()
    }

    /// Changes the terminal's size.
    pub fn resize(&self, _width: u16, _height: u16) -> Result<(), Error> {
        todo!()
    }

    /// Sends a signal to the first process.
    pub fn signal(&self, _number: i32) -> Result<(), Error> {
        todo!()
    }

    /// The next event, waiting for it; None when the supervisor has ended.
    pub fn next_event(&self) -> Result<Option<Event>, Error> {
        todo!()
    }
}

/// Readable when [`Connection::next_event`] would not wait.
impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
