//! Where the child waits, everything prepared, until it is told to execute the command.
//!
//! Two pipes, so that the child needs nothing but read and write once its seccomp filter is in place:
//!
//! ```text
//!   report   child ──▶ runtime    'r': ready and waiting · JSON: the error that ended it · end of file: it has called execve
//!   start    child ◀── runtime    a byte: go · end of file: whoever should have started it is gone
//! ```
//!
//! In the supervisor the same process creates and starts, and the pipes have no names. With `coracle-oci create` and
//! `coracle-oci start` they are two, and the pipes are FIFOs in the container's state folder. The child holds them open
//! for reading and writing both, so it neither waits in open(2) nor sees an end of file between the two commands; since it
//! alone does, the close-on-exec of its end still tells the starter that execve has happened.

use crate::{Error, ErrorKind, Result};
use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::stat::Mode;
use nix::unistd::{mkfifo, pipe2, read, write};
use serde::{Deserialize, Serialize};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

/// The child's end.
#[derive(Debug)]
pub struct Gate {
    report: OwnedFd,
    start: OwnedFd,
}

/// The runtime's end.
#[derive(Debug)]
pub struct Keeper {
    report: OwnedFd,
    /// Absent when another process will start the child, through the FIFO.
    start: Option<OwnedFd>,
}

/// An error on its way through the pipe.
#[derive(Serialize, Deserialize)]
struct Report {
    kind: ErrorKind,
    message: String,
}

const READY: u8 = b'r';

/// Both ends, for one process that creates and starts.
pub fn unnamed() -> Result<(Gate, Keeper)> {
    let (report, child_report) = pipe2(OFlag::O_CLOEXEC).map_err(failed("pipe2"))?;
    let (child_start, start) = pipe2(OFlag::O_CLOEXEC).map_err(failed("pipe2"))?;
    Ok((
        Gate {
            report: child_report,
            start: child_start,
        },
        Keeper {
            report,
            start: Some(start),
        },
    ))
}

/// Both ends, as FIFOs in `folder` for a later [`open_named`]. They are opened before the child exists, since its user may
/// have no rights to the folder.
pub fn named(folder: &Path) -> Result<(Gate, Keeper)> {
    let make = |name: &str| {
        let path = folder.join(name);
        mkfifo(&path, Mode::S_IRUSR | Mode::S_IWUSR).map_err(failed("mkfifo"))?;
        fifo(&path, OFlag::O_RDWR)
    };
    let gate = Gate {
        report: make("report")?,
        start: make("start")?,
    };
    let report = fifo(&folder.join("report"), OFlag::O_RDONLY)?;
    Ok((gate, Keeper { report, start: None }))
}

/// The runtime's end of a child that another process created with [`named`]; None when it waits no longer.
pub fn open_named(folder: &Path) -> Result<Option<Keeper>> {
    let report = fifo(&folder.join("report"), OFlag::O_RDONLY | OFlag::O_NONBLOCK)?;
    // ENXIO: nobody reads, so the child has executed its command or is gone.
    match open(
        &folder.join("start"),
        OFlag::O_WRONLY | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC,
        Mode::empty(),
    ) {
        Ok(start) => Ok(Some(Keeper {
            report,
            start: Some(start),
        })),
        Err(Errno::ENXIO) => Ok(None),
        Err(errno) => Err(failed("open")(errno)),
    }
}

fn fifo(path: &Path, flags: OFlag) -> Result<OwnedFd> {
    open(path, flags | OFlag::O_CLOEXEC, Mode::empty()).map_err(failed("open"))
}

impl Gate {
    /// The child is ready: says so, and waits. False: nobody is left who could start it.
    pub fn wait(&self) -> bool {
        let mut byte = [READY];
        let said = retried(|| write(&self.report, &byte)).is_ok();
        said && retried(|| read(&self.start, &mut byte)) == Ok(1)
    }

    /// The child cannot go on.
    pub fn report(&self, error: &Error) {
        let report = Report {
            kind: error.kind(),
            message: error.to_string(),
        };
        let _ = serde_json::to_vec(&report).map(|json| write(&self.report, &json));
    }
}

impl Keeper {
    /// Waits until the child is ready. None: it ended without a word.
    pub fn ready(&self) -> Result<Option<()>> {
        match self.read()?.as_slice() {
            [READY] => Ok(Some(())),
            [] => Ok(None),
            json => Err(decode(json)),
        }
    }

    /// Lets the child go, and waits until it has called execve.
    pub fn start(&self) -> Result<()> {
        let start = self
            .start
            .as_ref()
            .ok_or_else(|| Error::system("the gate is opened by its name only"))?;
        retried(|| write(start, &[READY])).map_err(failed("write"))?;
        match self.read()?.as_slice() {
            [] => Ok(()),
            json => Err(decode(json)),
        }
    }

    /// What the child says next; nothing at end of file. One report is below PIPE_BUF, so it comes whole.
    fn read(&self) -> Result<Vec<u8>> {
        let mut buffer = vec![0; 4096];
        let mut ready = [PollFd::new(self.report.as_fd(), PollFlags::POLLIN)];
        retried(|| poll(&mut ready, PollTimeout::NONE)).map_err(failed("poll"))?;
        let length = retried(|| read(&self.report, &mut buffer)).map_err(failed("read"))?;
        buffer.truncate(length);
        Ok(buffer)
    }
}

fn decode(json: &[u8]) -> Error {
    match serde_json::from_slice::<Report>(json) {
        Ok(report) => Error::new(report.kind, report.message),
        Err(_) => Error::system("the container's first process ended in an unknown way"),
    }
}

fn retried<T>(mut call: impl FnMut() -> nix::Result<T>) -> nix::Result<T> {
    loop {
        match call() {
            Err(Errno::EINTR) => {}
            result => return result,
        }
    }
}

fn failed(call: &'static str) -> impl Fn(Errno) -> Error {
    move |errno| Error::system(format!("{call}: {}", errno.desc()))
}
