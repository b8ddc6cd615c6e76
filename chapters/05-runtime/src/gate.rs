//! Where the child waits, everything prepared, until it is told to execute the command: two pipes, in which [`Said`] is said.
//!
//! In the supervisor the same process creates and starts, and the pipes have no names. With `coracle-oci create` and
//! `coracle-oci start` they are two, and the pipes are FIFOs in the container's state folder. The child holds them open
//! for reading and writing both, so it neither waits in open(2) nor sees an end of file between the two commands; since it
//! alone does, the close-on-exec of its end still tells the starter that execve has happened.

use crate::{Error, Result};
use kernel::Strace;
use namespaces::Failure;
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
    start: OwnedFd,
}

/// What a child may say. Two pipes, so that it needs only read and write once its seccomp filter is in place:
///
/// ```text
///   report   child ──▶ runtime    `h`: mounted, hooks may run · `.`: ready and waiting
///                                 JSON: a hook keeps it from its command
///                                 end of file: its command runs, or it has ended
///   start    child ◀── runtime    a byte: go on
///                                 end of file: whoever should have said so is gone
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// It is where hooks run, and waits for them.
    AtHooks,
    /// It is ready, and waits to be started.
    Ready,
    /// Nothing more: it has ended. Why, it says through the pipe of `namespaces::spawn`.
    Nothing,
}

const AT_HOOKS: u8 = b'h';
const READY: u8 = b'.';
const GO_ON: u8 = b'.';

/// What the FIFO `start` is called until the child is ready.
pub const UNFINISHED: &str = "start.new";

/// Both ends, for one process that creates and starts.
pub fn unnamed() -> Result<(Gate, Keeper)> {
    let (report, child_report) = pipe2(OFlag::O_CLOEXEC).strace(|| "pipe2(O_CLOEXEC)".into())?;
    let (child_start, start) = pipe2(OFlag::O_CLOEXEC).strace(|| "pipe2(O_CLOEXEC)".into())?;
    Ok((Gate { report: child_report, start: child_start }, Keeper { report, start }))
}

/// Both ends, as FIFOs in `folder` for a later [`open_named`], once [`finish_named`] has said that the child is ready. They are
/// opened before the child exists, since its user may have no rights to the folder.
pub fn named(folder: &Path) -> Result<(Gate, Keeper)> {
    let make = |name: &str| {
        let path = folder.join(name);
        mkfifo(&path, Mode::S_IRUSR | Mode::S_IWUSR).strace(|| format!("mkfifo({path:?})"))?;
        fifo(&path, OFlag::O_RDWR)
    };
    let gate = Gate { report: make("report")?, start: make(UNFINISHED)? };
    let report = fifo(&folder.join("report"), OFlag::O_RDONLY)?;
    let start = fifo(&folder.join(UNFINISHED), OFlag::O_WRONLY)?;
    Ok((gate, Keeper { report, start }))
}

/// The child is ready: others may start it.
pub fn finish_named(folder: &Path) -> Result<()> {
    let (from, to) = (folder.join(UNFINISHED), folder.join("start"));
    Ok(std::fs::rename(&from, &to).strace(|| format!("rename({from:?}, {to:?})"))?)
}

/// The runtime's end of a child that another process created with [`named`]; None when it waits no longer.
pub fn open_named(folder: &Path) -> Result<Option<Keeper>> {
    let report = fifo(&folder.join("report"), OFlag::O_RDONLY | OFlag::O_NONBLOCK)?;
    // ENXIO: nobody reads, so the child has executed its command or is gone.
    match open(&folder.join("start"), OFlag::O_WRONLY | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC, Mode::empty()) {
        Ok(start) => Ok(Some(Keeper { report, start })),
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
        self.say_and_wait(READY)
    }

    /// The child is where hooks run: says so, and waits for them.
    pub fn wait_for_hooks(&self) -> bool {
        self.say_and_wait(AT_HOOKS)
    }

    fn say_and_wait(&self, what: u8) -> bool {
        let mut answer = [0];
        let said = retried(|| write(&self.report, &[what])).is_ok();
        said && retried(|| read(&self.start, &mut answer)) == Ok(1)
    }

    /// The hook that keeps the child from its command, now that it was told to execute it.
    pub fn fail(&self, failure: &Failure) {
        let words = serde_json::to_vec(failure).unwrap_or_default();
        let _ = retried(|| write(&self.report, &words));
    }
}

impl Keeper {
    /// Waits for what the child says next.
    pub fn hear(&self) -> Result<Said> {
        let mut byte = [0];
        match (self.read(&mut byte)?, byte[0]) {
            (0, _) => Ok(Said::Nothing),
            (_, AT_HOOKS) => Ok(Said::AtHooks),
            (_, READY) => Ok(Said::Ready),
            (_, other) => Err(Error::system(format!("the child says {other:#x}"))),
        }
    }

    /// Lets the child go on.
    pub fn go_on(&self) -> Result<()> {
        retried(|| write(&self.start, &[GO_ON])).strace(|| "write(start, 1)".into())?;
        Ok(())
    }

    /// Lets the child go, and waits until its command runs or it has ended. An error is of a hook that failed. A child whose command
    /// the kernel refuses ends like one that was killed: both are no error here.
    pub fn start(&self) -> Result<()> {
        self.go_on()?;
        let (mut words, mut buffer) = (Vec::new(), [0; 1024]);
        loop {
            match self.read(&mut buffer)? {
                0 => break,
                length => words.extend_from_slice(&buffer[..length]),
            }
        }
        // A byte by which the child said that it is ready may still be there: whoever created it need not have read it.
        let words = words.strip_prefix(&[READY]).unwrap_or(&words);
        if words.is_empty() {
            return Ok(());
        }
        let failure = serde_json::from_slice::<Failure>(words);
        Err(failure.map_or_else(|_| Error::system(String::from_utf8_lossy(words)), Error::from))
    }

    /// How many bytes the child has said; none at the end of file.
    fn read(&self, buffer: &mut [u8]) -> Result<usize> {
        let mut ready = [PollFd::new(self.report.as_fd(), PollFlags::POLLIN)];
        retried(|| poll(&mut ready, PollTimeout::NONE)).strace(|| "poll(report)".into())?;
        Ok(retried(|| read(&self.report, buffer)).strace(|| "read(report)".into())?)
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
        assert_eq!(keeper.hear().unwrap(), Said::Ready);
        keeper.start().unwrap();
        assert!(child.join().unwrap());
    }

    #[test]
    fn a_child_waits_for_hooks_and_tells_what_keeps_it_from_its_command() {
        let (gate, keeper) = unnamed().unwrap();
        let child = std::thread::spawn(move || {
            let hooks_ran = gate.wait_for_hooks();
            gate.wait();
            gate.fail(&Failure::new(namespaces::FailureKind::System, "a hook failed"));
            hooks_ran
        });
        assert_eq!(keeper.hear().unwrap(), Said::AtHooks);
        keeper.go_on().unwrap();
        assert_eq!(keeper.hear().unwrap(), Said::Ready);
        assert_eq!(keeper.start().unwrap_err().to_string(), "a hook failed");
        assert!(child.join().unwrap());
    }

    #[test]
    fn a_child_whose_starter_is_gone_does_not_wait() {
        let (gate, keeper) = unnamed().unwrap();
        let child = std::thread::spawn(move || gate.wait());
        assert_eq!(keeper.hear().unwrap(), Said::Ready);
        drop(keeper);
        assert!(!child.join().unwrap());
    }

    #[test]
    fn a_gate_with_a_name_is_opened_by_another_process() {
        let folder = std::env::temp_dir().join(format!("gate-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let (gate, keeper) = named(&folder).unwrap();
        let child = std::thread::spawn(move || gate.wait());
        assert_eq!(keeper.hear().unwrap(), Said::Ready);
        drop(keeper);
        finish_named(&folder).unwrap();
        open_named(&folder).unwrap().unwrap().start().unwrap();
        assert!(child.join().unwrap());
        // A process that another test makes beside us has a copy of our end until it executes its program.
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
        while open_named(&folder).unwrap().is_some() {
            assert!(std::time::Instant::now() < deadline, "a second start finds somebody waiting");
            std::thread::yield_now();
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
