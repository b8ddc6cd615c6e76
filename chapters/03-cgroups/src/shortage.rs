//! Long tail: to be told when a group's memory runs out and the kernel kills something in it.

use crate::{Cgroup, Error, Result, files};
use kernel::Strace;
use nix::poll::PollFlags;
use nix::sys::eventfd::{EfdFlags, EventFd};
use std::fs::File;
use std::io::{Read, Seek};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::path::Path;

/// Tells when memory has run out.
#[derive(Debug)]
pub struct OomWatch {
    /// v1's: the kernel counts it up.
    notices: Option<EventFd>,
    /// The file that changes; v2 says so itself.
    file: File,
    seen: u64,
}

impl Cgroup {
    /// Begins to watch.
    pub fn watch_oom(&self) -> Result<OomWatch> {
        let v1 = self.v1_folder("memory").map(|folder| folder.join("memory.oom_control"));
        let is_v1 = v1.is_some();
        let path = v1.or_else(|| self.unified_folder().map(|folder| folder.join("memory.events")));
        let path =
            path.ok_or_else(|| Error::not_supported("no memory controller: nothing tells of its end"))?;
        let file = File::open(&path)
            .strace(|| format!("open({path:?})"))
            .map_err(|error| Error::call("a watch for the end of memory", error))?;
        let notices = is_v1.then(|| register(&file, &path)).transpose()?;
        let seen = files::keyed(&path, "oom_kill").unwrap_or_default();
        Ok(OomWatch { notices, file, seen })
    }
}

/// `cgroup.event_control` takes the descriptor to count up and the file that is meant (admin-guide/cgroup-v1/memory.rst, 9).
fn register(file: &File, path: &Path) -> Result<EventFd> {
    let notices = EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)
        .strace(|| "eventfd2(0, EFD_CLOEXEC|EFD_NONBLOCK)".into())
        .map_err(|error| Error::call("a watch for the end of memory", error))?;
    let line = format!("{} {}", notices.as_raw_fd(), file.as_raw_fd());
    files::write(&path.with_file_name("cgroup.event_control"), &line)?;
    Ok(notices)
}

impl OomWatch {
    /// What to poll for, and for what.
    pub fn poll_for(&self) -> (BorrowedFd<'_>, PollFlags) {
        match &self.notices {
            Some(notices) => (notices.as_fd(), PollFlags::POLLIN),
            None => (self.file.as_fd(), PollFlags::POLLPRI),
        }
    }

    /// How often memory ran out since it was asked last. (v1 tells before it kills, so that its count would come too late.)
    pub fn shortages(&mut self) -> u64 {
        if let Some(notices) = &self.notices {
            return notices.read().unwrap_or_default();
        }
        // Read through the descriptor that is polled, which takes the news away.
        let mut text = String::new();
        let _ = self.file.rewind().and_then(|()| self.file.read_to_string(&mut text));
        let count = files::number_of(&text, "oom_kill").unwrap_or(self.seen);
        let new = count.saturating_sub(self.seen);
        self.seen = count;
        new
    }
}
