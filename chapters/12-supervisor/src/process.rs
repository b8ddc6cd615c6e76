//! The first process of what is supervised, whoever has made it: chapter 05, or another runtime.

use crate::Failure;
use crate::other_runtime::Made;
use runtime::{Created, Identity};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// A process that exists, and waits for [`Process::start`].
pub enum Process {
    /// Made by chapter 05.
    Own(Created),
    /// Made by another runtime.
    Other(Made),
}

impl Process {
    /// Which process.
    pub fn identity(&self) -> Identity {
        match self {
            Process::Own(created) => created.identity,
            Process::Other(made) => made.identity,
        }
    }

    /// The master of its terminal, if it has one.
    pub fn terminal(&self) -> Option<&OwnedFd> {
        match self {
            Process::Own(created) => created.terminal.as_ref(),
            Process::Other(made) => made.terminal.as_ref(),
        }
    }

    /// Whether it runs already: of a process that is added to a container another runtime knows no such wait.
    pub fn runs_already(&self) -> bool {
        matches!(self, Process::Other(made) if made.runs_already())
    }

    /// Lets it execute its command.
    pub fn start(&self) -> Result<(), Failure> {
        match self {
            Process::Own(created) => Ok(created.start()?),
            Process::Other(made) => made.start(),
        }
    }

    /// One that has ended is no error.
    pub fn signal(&self, number: i32) {
        match self {
            Process::Own(created) => drop(kernel::pidfd_send_signal(&created.pidfd, number)),
            Process::Other(made) => made.signal(number),
        }
    }

    /// Ends every process of it and removes its cgroup. True: the kernel had killed something in it for want of memory.
    pub fn destroy(&mut self) -> bool {
        match self {
            Process::Own(created) => created.destroy(),
            Process::Other(made) => made.destroy(),
        }
    }
}

/// What stands for it.
impl AsFd for Process {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Process::Own(created) => created.pidfd.as_fd(),
            Process::Other(made) => made.pidfd.as_fd(),
        }
    }
}
