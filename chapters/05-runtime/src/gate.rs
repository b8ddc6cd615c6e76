//! Where the child waits, everything prepared, until it is told to execute the command.
//!
//! Two pipes, so that the child needs nothing but read and write once its seccomp filter is in place:
//!
//! ```text
//!   report   child ──▶ runtime    a byte: ready and waiting · end of file: it has called execve, or ended
//!   start    child ◀── runtime    a byte: go · end of file: whoever should have started it is gone
//! ```
//!
//! In the supervisor the same process creates and starts, and the pipes have no names. With `coracle-oci create` and
//! `coracle-oci start` they are two, and the pipes are FIFOs in the container's state folder. The child holds them open
//! for reading and writing both, so it neither waits in open(2) nor sees an end of file between the two commands; since it
//! alone does, the close-on-exec of its end still tells the starter that execve has happened.

use crate::{Error, Result};
use kernel::Strace;
use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::stat::Mode;
use nix::unistd::{mkfifo, pipe2, read, write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
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

/// The only thing that is ever said.
const BYTE: u8 = b'.';

/// Both ends, for one process that creates and starts.
pub fn unnamed() -> Result<(Gate, Keeper)> {
    let (report, child_report) = pipe2(OFlag::O_CLOEXEC).strace(|| "pipe2(O_CLOEXEC)".into())?;
    let (child_start, start) = pipe2(OFlag::O_CLOEXEC).strace(|| "pipe2(O_CLOEXEC)".into())?;
    Ok((Gate { report: child_report, start: child_start }, Keeper { report, start: Some(start) }))
}

/// Both ends, as FIFOs in `folder` for a later [`open_named`]. They are opened before the child exists, since its user may
/// have no rights to the folder.
pub fn named(folder: &Path) -> Result<(Gate, Keeper)> {
    let make = |name: &str| {
        let path = folder.join(name);
        mkfifo(&path, Mode::S_IRUSR | Mode::S_IWUSR).strace(|| format!("mkfifo({path:?})"))?;
        fifo(&path, OFlag::O_RDWR)
    };
    let gate = Gate { report: make("report")?, start: make("start")? };
    let report = fifo(&folder.join("report"), OFlag::O_RDONLY)?;
    Ok((gate, Keeper { report, start: None }))
}

/// The runtime's end of a child that another process created with [`named`]; None when it waits no longer.
pub fn open_named(folder: &Path) -> Result<Option<Keeper>> {
    let report = fifo(&folder.join("report"), OFlag::O_RDONLY | OFlag::O_NONBLOCK)?;
    // ENXIO: nobody reads, so the child has executed its command or is gone.
    match open(&folder.join("start"), OFlag::O_WRONLY | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC, Mode::empty()) {
        Ok(start) => Ok(Some(Keeper { report, start: Some(start) })),
        Err(Errno::ENXIO) => Ok(None),
        Err(errno) => Err(kernel::SysError::new("open(start, O_WRONLY|O_NONBLOCK)", errno).into()),
    }
}

fn fifo(path: &Path, flags: OFlag) -> Result<OwnedFd> {
    Ok(open(path, flags | OFlag::O_CLOEXEC, Mode::empty()).strace(|| format!("open({path:?}, {flags:?})"))?)
}

impl Gate {
    /// What the child must keep open until it executes.
    pub fn descriptors(&self) -> [BorrowedFd<'_>; 2] {
        [self.report.as_fd(), self.start.as_fd()]
    }

    /// The child is ready: says so, and waits. False: nobody is left who could start it.
    pub fn wait(&self) -> bool {
        let mut byte = [BYTE];
        let said = retried(|| write(&self.report, &byte)).is_ok();
        said && retried(|| read(&self.start, &mut byte)) == Ok(1)
    }
}

impl Keeper {
    /// Waits until the child is ready. False: it has ended without being so.
    pub fn ready(&self) -> Result<bool> {
        self.read()
    }

    /// Lets the child go, and waits until it has called execve.
    pub fn start(&self) -> Result<()> {
        let start =
            self.start.as_ref().ok_or_else(|| Error::system("the gate is opened by its name only"))?;
        retried(|| write(start, &[BYTE])).strace(|| "write(start, 1)".into())?;
        while self.read()? {}
        Ok(())
    }

    /// What the child says next: a byte, or nothing at the end of file.
    fn read(&self) -> Result<bool> {
        let mut ready = [PollFd::new(self.report.as_fd(), PollFlags::POLLIN)];
        retried(|| poll(&mut ready, PollTimeout::NONE)).strace(|| "poll(report)".into())?;
        let mut byte = [0];
        Ok(retried(|| read(&self.report, &mut byte)).strace(|| "read(report)".into())? == 1)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_says_that_it_is_ready_and_waits_for_its_byte() {
        let (gate, keeper) = unnamed().unwrap();
        let child = std::thread::spawn(move || gate.wait());
        assert!(keeper.ready().unwrap());
        keeper.start().unwrap();
        assert!(child.join().unwrap());
    }

    #[test]
    fn a_child_whose_starter_is_gone_does_not_wait() {
        let (gate, keeper) = unnamed().unwrap();
        let child = std::thread::spawn(move || gate.wait());
        assert!(keeper.ready().unwrap());
        drop(keeper);
        assert!(!child.join().unwrap());
    }

    #[test]
    fn a_gate_with_a_name_is_opened_by_another_process() {
        let folder = std::env::temp_dir().join(format!("gate-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let (gate, keeper) = named(&folder).unwrap();
        let child = std::thread::spawn(move || gate.wait());
        assert!(keeper.ready().unwrap());
        drop(keeper);
        open_named(&folder).unwrap().unwrap().start().unwrap();
        assert!(child.join().unwrap());
        assert!(open_named(&folder).unwrap().is_none(), "a second start finds nobody waiting");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
