//! Long tail: a container's folders in the hierarchies of cgroup v1.

use crate::{Cgroup, Error, Layout, Result, files};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long processes may go on to make others while they are killed one by one.
const PATIENCE: Duration = Duration::from_secs(10);

/// Whether memory and swap can be limited together.
pub fn accounts_swap(layout: &Layout) -> bool {
    match layout.hierarchy("memory") {
        Some(memory) => memory.mount.join("memory.memsw.limit_in_bytes").exists(),
        None => Path::new("/proc/swaps").exists(),
    }
}

/// Makes the group in each hierarchy.
pub fn make(layout: &Layout, path: &str, made: &mut Vec<PathBuf>) -> Result<()> {
    for hierarchy in &layout.v1 {
        let folder = files::below(&hierarchy.mount, path);
        let is_new = files::make(&hierarchy.mount, &folder, made)?;
        if is_new && hierarchy.has("cpuset") {
            inherit_cpuset(&hierarchy.mount, &folder)?;
        }
    }
    Ok(())
}

/// A new group of the cpuset controller has no processors, and no process can be in it: it begins with what is above it has.
fn inherit_cpuset(mount: &Path, folder: &Path) -> Result<()> {
    for file in ["cpuset.cpus", "cpuset.mems"] {
        let above = folder.parent().unwrap_or(mount);
        let mut value = files::read(&above.join(file))?;
        if value.trim().is_empty() && above != mount {
            inherit_cpuset(mount, above)?;
            value = files::read(&above.join(file))?;
        }
        files::write(&folder.join(file), value.trim())?;
    }
    Ok(())
}

/// Kills one process after the other; those that were made meanwhile are found in the next round.
pub fn kill_each(cgroup: &Cgroup) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let pids = cgroup.pids().unwrap_or_default();
        if pids.is_empty() || Instant::now() > deadline {
            return Ok(());
        }
        for pid in pids {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// How many processes were killed because memory ran out.
pub fn oom_kills(cgroup: &Cgroup) -> u64 {
    let file = cgroup.v1_folder("memory").map(|folder| folder.join("memory.oom_control"));
    file.and_then(|file| files::keyed(&file, "oom_kill")).unwrap_or(0)
}

impl Cgroup {
    /// The same group, but in the hierarchy that a controller is bound to one below it.
    ///
    /// Errors: `NotSupported` where the controller is bound to none.
    pub fn with_group_below(mut self, controller: &str, below: &str) -> Result<Cgroup> {
        let has = |name: &str| name.split(',').any(|own| own == controller);
        match self.v1.iter_mut().find(|(name, _)| has(name)) {
            Some((_, folder)) => *folder = files::below(folder, below),
            None => {
                let why = format_args!("the controller {controller} has no hierarchy of cgroup v1 here");
                return Err(Error::not_supported(why));
            }
        }
        Ok(self)
    }

    /// The first hierarchy in which the group is not there, if it must be in all that the machine has.
    pub fn missing_in(&self, layout: &Layout) -> Option<PathBuf> {
        let missing = self.v1.iter().map(|(_, folder)| folder).find(|folder| !folder.exists());
        let unified = layout.unified.as_ref().filter(|_| self.unified_fd().is_none());
        missing.or(unified).cloned()
    }

    /// The folder in the hierarchy that a controller is bound to.
    pub(crate) fn v1_folder(&self, controller: &str) -> Option<&Path> {
        let has = |name: &str| name.split(',').any(|own| own == controller);
        self.v1.iter().find(|(name, _)| has(name)).map(|(_, folder)| folder.as_path())
    }
}
