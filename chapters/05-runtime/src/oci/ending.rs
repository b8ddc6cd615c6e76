//! `kill` and `delete`.

use super::store::{Entry, Status, Store};
use crate::{Error, ErrorKind, Result, created, signals};
use clap::Args;
use kernel::Strace;
use rustix::event::Timespec;

#[derive(Args)]
pub struct Kill {
    /// The container
    id: String,
    /// A name or a number
    #[arg(default_value = "SIGTERM")]
    signal: String,
    /// To every process of it
    #[arg(short, long)]
    all: bool,
}

#[derive(Args)]
pub struct Delete {
    /// The container
    id: String,
    /// Also if it runs
    #[arg(short, long)]
    force: bool,
}

impl Kill {
    pub fn run(&self, store: &Store) -> Result<u8> {
        let number = signals::parse(&self.signal)
            .ok_or_else(|| Error::invalid(format!("unknown signal {:?}", self.signal)))?;
        let entry = store.open(&self.id)?;
        let not_running = || Error::new(ErrorKind::Conflict, "container not running");
        if self.all {
            return kill_all(&entry, number);
        }
        if matches!(entry.status(), Status::Stopped | Status::Creating) {
            return Err(not_running());
        }
        let pidfd = entry.process()?.open()?.ok_or_else(not_running)?;
        kernel::pidfd_send_signal(&pidfd, number).strace(|| format!("pidfd_send_signal({number})"))?;
        if number == nix::libc::SIGKILL {
            entry.cgroup()?.as_ref().map(created::let_end).transpose()?;
        }
        Ok(0)
    }
}

/// Also those that the first process has left behind, so it need not be there any more.
fn kill_all(entry: &Entry, number: i32) -> Result<u8> {
    let Some(cgroup) = entry.cgroup()? else {
        return Err(Error::not_supported("--all without a cgroup"));
    };
    if number == nix::libc::SIGKILL {
        created::let_end(&cgroup)?;
        cgroup.kill()?;
        return Ok(0);
    }
    // While they stand still none of them makes another that would be missed; where they cannot be stopped, some may be.
    let stands = cgroup.is_frozen();
    let _ = if stands { Ok(()) } else { cgroup.freeze() };
    for pid in cgroup.all_pids()? {
        if let Some(pidfd) = crate::Identity::of(pid).ok().and_then(|process| process.open().ok()).flatten() {
            let _ = kernel::pidfd_send_signal(&pidfd, number);
        }
    }
    let _ = if stands { Ok(()) } else { cgroup.thaw() };
    Ok(0)
}

/// How long a process may take to end that was killed a moment ago.
const MOMENT: Timespec = Timespec { tv_sec: 0, tv_nsec: 250_000_000 };

/// What it comes to: who deletes what they have killed may be here before the kernel has ended it.
fn settled_status(entry: &Entry) -> Status {
    let status = entry.status();
    let pidfd = (status == Status::Running).then(|| entry.process().and_then(|process| process.open()));
    let Some(Ok(Some(pidfd))) = pidfd else { return status };
    created::wait_for(pidfd, Some(&MOMENT));
    entry.status()
}

impl Delete {
    pub fn run(&self, store: &Store) -> Result<u8> {
        let entry = match store.open(&self.id) {
            Err(error) if error.kind() == ErrorKind::NoSuchContainer && self.force => {
                return store.forget(&self.id).map(|()| 0);
            }
            result => result?,
        };
        let status = if self.force { entry.status() } else { settled_status(&entry) };
        if matches!(status, Status::Running | Status::Paused) && !self.force {
            let message = format!("cannot delete container {} that is not stopped: {status}", self.id);
            return Err(Error::new(ErrorKind::Conflict, message));
        }
        super::starting::remove(entry)?;
        Ok(0)
    }
}
