//! A process that is made and waits; and the end of all that was made.

use crate::gate::Keeper;
use crate::{Error, Identity, Result};
use cgroups::{Cgroup, Layout};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::os::fd::{AsFd, OwnedFd};

/// A first process with all its namespaces, limits and privileges, which waits to execute its command.
#[derive(Debug)]
pub struct Created {
    /// Which process.
    pub identity: Identity,
    /// What stands for it.
    pub pidfd: OwnedFd,
    /// The master of its terminal, if it has one and no console socket was given.
    pub terminal: Option<OwnedFd>,
    /// The container's cgroup; of a process that was added to a container, none of its own.
    pub cgroup: Option<Cgroup>,
    pub(crate) keeper: Keeper,
}

impl Created {
    /// Lets it execute its command; returns when it has called execve. Should the kernel refuse that, the process says
    /// so on its standard error and ends with code 1, as under runc.
    pub fn start(&self) -> Result<()> {
        self.keeper.start()
    }

    /// Ends every process of it and removes its cgroup. True: the kernel had killed something in it for want of memory.
    pub fn destroy(&mut self) -> bool {
        end_first(&self.pidfd);
        let Some(cgroup) = self.cgroup.take() else {
            return false;
        };
        let oom_killed = cgroup.oom_kills() > 0;
        let _ = let_end(&cgroup);
        let _ = end_cgroup(&cgroup);
        oom_killed
    }
}

/// The hierarchies, for a container with this cgroup. Root needs at least one: without it the
/// container's processes would have no limits. (An ordinary user may have none to use.)
pub fn hierarchies(cgroup: &str) -> Result<Layout> {
    let layout = Layout::detect()?;
    if kernel::is_root() && layout.v1.is_empty() && layout.unified.is_none() {
        let why = "no cgroup hierarchy is mounted; as root: mount -t cgroup2 none /sys/fs/cgroup";
        return Err(Error::system(format!("the cgroup {cgroup}: {why}")));
    }
    Ok(layout)
}

/// The cgroup of a container that has one, by its path below the hierarchies' mount points.
pub fn open_cgroup(path: &str) -> Result<Cgroup> {
    Ok(Cgroup::open(&hierarchies(path)?, path)?)
}

/// Ends what is left of a container that another process has made: its processes, and its cgroup.
pub fn destroy(process: Identity, cgroup: Option<&str>) -> Result<()> {
    let cgroup = cgroup.map(open_cgroup).transpose()?;
    if let Some(pidfd) = process.open()? {
        end_first(&pidfd);
        cgroup.as_ref().map(let_end).transpose()?;
        wait(&pidfd);
    }
    cgroup.as_ref().map_or(Ok(()), end_cgroup)
}

/// In a frozen group of v1 a process that was killed ends when it is thawed.
pub fn let_end(cgroup: &Cgroup) -> Result<()> {
    if cgroup.is_frozen() { Ok(cgroup.thaw()?) } else { Ok(()) }
}

/// With a PID namespace of its own, everything in it ends with it.
fn end_first(pidfd: &OwnedFd) {
    let _ = kernel::pidfd_send_signal(pidfd, nix::libc::SIGKILL);
}

/// Until the process has ended, whosever child it is.
pub fn wait(pidfd: impl AsFd) {
    wait_for(pidfd, None);
}

/// The same, but at most this long.
pub fn wait_for(pidfd: impl AsFd, limit: Option<&Timespec>) {
    let mut ended = [PollFd::new(&pidfd, PollFlags::IN)];
    while let Err(rustix::io::Errno::INTR) = poll(&mut ended, limit) {}
}

/// Ends what is in a group, and the group.
pub fn end_cgroup(cgroup: &Cgroup) -> Result<()> {
    cgroup.kill()?;
    Ok(cgroup.remove()?)
}
