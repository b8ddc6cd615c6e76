//! The daemon's end: launch a supervisor, connect to one that runs, ask it for things, hear from it.

use crate::packets::{self, Received};
use crate::{AttachOptions, Event, Exit, Failure, Launch, Request, files, other_runtime};
use kernel::Strace;
use nix::errno::Errno;
use runtime::Identity;
use rustix::fs::{MemfdFlags, SeekFrom};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

/// Why a supervisor cannot be reached.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Error(String);

impl From<kernel::SysError> for Error {
    fn from(error: kernel::SysError) -> Error {
        Error(error.to_string())
    }
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

/// A connection to one supervisor. Requests may be sent from any thread; events are for one reader.
#[derive(Debug)]
pub struct Connection {
    socket: OwnedFd,
    /// The supervisor, where it is a child of this process.
    child: Option<Child>,
    /// Its end of the socket is closed, the last thing but one that it does.
    ended: AtomicBool,
}

/// Supervisors whose connection was dropped before they had ended.
static ENDING: Mutex<Vec<Child>> = Mutex::new(Vec::new());

/// Writes launch.json into `run_dir` (which has config.json already), starts a supervisor and waits until it has created
/// the container, or the process. The supervisor is this very executable, called as `supervise RUN_DIR`: its `main` must
/// hand that to [`crate::supervise()`].
pub fn launch(run_dir: &Path, launch: &Launch) -> Result<(Connection, Identity), LaunchError> {
    files::write_launch(run_dir, launch).map_err(|error| Error(format!("{}: {error}", run_dir.display())))?;
    let (socket, theirs) = packets::pair().map_err(Error::from)?;
    let child = Command::new(runtime::own_executable().map_err(|error| Error(error.to_string()))?)
        .arg0("supervise")
        .arg("supervise")
        .arg(run_dir)
        .stdin(theirs)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .strace(|| "posix_spawn(\"supervise\")".into())
        .map_err(Error::from)?;
    reap_ended();
    let connection = Connection { socket, child: Some(child), ended: AtomicBool::new(false) };
    match connection.next_event()? {
        Some(Event::Created(identity)) => Ok((connection, identity)),
        event => Err(connection.unexpected(event)),
    }
}

/// Connects to the supervisor of `run_dir`; None when none is there. Its first events are `Created` and `Started`.
pub fn connect(run_dir: &Path) -> Result<Option<Connection>, Error> {
    match packets::connect(run_dir) {
        Ok(socket) => Ok(Some(Connection { socket, child: None, ended: AtomicBool::new(false) })),
        Err(error) if matches!(error.errno(), Errno::ENOENT | Errno::ECONNREFUSED) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// How the process of `run_dir` ended, if it has.
pub fn read_exit(run_dir: &Path) -> Result<Option<Exit>, Error> {
    files::read_exit(run_dir).map_err(|error| Error(format!("{}/exit.json: {error}", run_dir.display())))
}

/// Ends what is left of a container whose supervisor was killed: its processes and its cgroup.
pub fn destroy(run_dir: &Path) -> Result<(), Error> {
    let deleted = match files::read_launch(run_dir) {
        Ok(launch) if launch.runtime.is_some() => other_runtime::delete_left(run_dir, &launch),
        _ => Ok(()),
    };
    let made = files::read_made(run_dir)
        .map_err(|error| Error(format!("{}/state.json: {error}", run_dir.display())))?;
    if let Some(made) = made {
        runtime::destroy(made.process, made.cgroup.as_deref()).map_err(|error| Error(error.to_string()))?;
    }
    deleted.map_err(|failure| Error(failure.message))
}

impl Connection {
    /// Executes the command, and waits until it does or fails. Returns the time, RFC 3339 with nanoseconds.
    pub fn start(&self) -> Result<String, LaunchError> {
        self.ask(&Request::Start, &[])?;
        match self.next_event()? {
            Some(Event::Started { at }) => Ok(at),
            event => Err(self.unexpected(event)),
        }
    }

    /// Hands over a client's socket, and what it had sent already. It is served until the process ends or the client goes;
    /// nothing of it is left with the caller.
    pub fn attach(&self, client: OwnedFd, options: &AttachOptions, already_read: &[u8]) -> Result<(), Error> {
        let request = Request::Attach(options.clone());
        if already_read.is_empty() {
            return self.ask(&request, &[client.as_fd()]);
        }
        let earlier = in_memory(already_read)?;
        self.ask(&request, &[client.as_fd(), earlier.as_fd()])
    }

    /// Whether a supervisor that this process has launched is on its way out, though it may not have hung up yet. One that is killed
    /// closes its files in an order of the kernel's, a client's socket perhaps first; its memory it has given up before all of
    /// them, and with it its command line (proc_pid_cmdline(5)).
    pub fn is_ending(&self) -> bool {
        let Some(child) = &self.child else { return false };
        // Its number is its own until it is waited for, which only the end of this connection does.
        std::fs::read(format!("/proc/{}/cmdline", child.id())).is_ok_and(|command| command.is_empty())
    }

    /// Changes the terminal's size: columns and rows.
    pub fn resize(&self, width: u16, height: u16) -> Result<(), Error> {
        self.ask(&Request::Resize { width, height }, &[])
    }

    /// Sends a signal to the first process.
    pub fn signal(&self, number: i32) -> Result<(), Error> {
        self.ask(&Request::Signal(number), &[])
    }

    /// The next event, waiting for it; None when the supervisor has ended. Once it has, drop the connection, and it is reaped.
    pub fn next_event(&self) -> Result<Option<Event>, Error> {
        loop {
            match packets::receive(&self.socket)? {
                Received::Message(event, _) => return Ok(Some(event)),
                Received::Unknown => {}
                Received::Closed => {
                    self.ended.store(true, Ordering::Relaxed);
                    return Ok(None);
                }
            }
        }
    }

    fn ask(&self, request: &Request, descriptors: &[BorrowedFd<'_>]) -> Result<(), Error> {
        Ok(packets::send(&self.socket, request, descriptors)?)
    }

    fn unexpected(&self, event: Option<Event>) -> LaunchError {
        match event {
            Some(Event::Failed(failure)) => LaunchError::Failed(failure),
            Some(event) => Error(format!("the supervisor says {event:?} instead of an answer")).into(),
            None => Error("the supervisor ended without an answer".into()).into(),
        }
    }
}

/// Readable when [`Connection::next_event`] would not wait.
impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let Some(mut child) = self.child.take() else {
            return;
        };
        if self.ended.load(Ordering::Relaxed) {
            let _ = child.wait();
        } else if let Ok(mut ending) = ENDING.lock() {
            ending.push(child);
        }
        reap_ended();
    }
}

/// Waits for those that have ended, so that no zombie stays longer than until the next launch.
fn reap_ended() {
    if let Ok(mut ending) = ENDING.lock() {
        ending.retain_mut(|child| matches!(child.try_wait(), Ok(None)));
    }
}

/// A file in memory with these bytes, to be read from its beginning.
fn in_memory(bytes: &[u8]) -> Result<OwnedFd, Error> {
    let file =
        rustix::fs::memfd_create("already read", MemfdFlags::CLOEXEC).strace(|| "memfd_create".into())?;
    let mut rest = bytes;
    while !rest.is_empty() {
        let written = packets::retried(|| rustix::io::write(&file, rest)).strace(|| "write(memfd)".into())?;
        rest = &rest[written..];
    }
    rustix::fs::seek(&file, SeekFrom::Start(0)).strace(|| "lseek(memfd)".into())?;
    Ok(file)
}
