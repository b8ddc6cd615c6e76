//! A container's group of processes, in every hierarchy.

use crate::{Error, Hierarchy, Layout, Result, files};
use kernel::Strace;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long the kernel may take to freeze a group: a process in a system call is frozen when it returns.
const PATIENCE: Duration = Duration::from_secs(10);

/// A group: one folder in v2, and one in each hierarchy of v1.
#[derive(Debug)]
pub struct Cgroup {
    unified: Option<(PathBuf, OwnedFd)>,
    /// By hierarchy's name.
    v1: Vec<(String, PathBuf)>,
}

impl Cgroup {
    /// One that holds nothing and limits nothing.
    pub(crate) fn without_folders() -> Cgroup {
        Cgroup { unified: None, v1: Vec::new() }
    }

    /// The group at a path, which somebody made.
    pub fn open(layout: &Layout, path: &str) -> Result<Cgroup> {
        let unified = match &layout.unified {
            Some(mount) => open_folder(&files::below(mount, path))?,
            None => None,
        };
        let folder = |hierarchy: &Hierarchy| (hierarchy.name.clone(), files::below(&hierarchy.mount, path));
        let v1 = layout.v1.iter().map(folder).collect();
        Ok(Cgroup { unified, v1 })
    }

    /// The folder of v2, for a process that is born into it (clone3(2), CLONE_INTO_CGROUP).
    pub fn unified_fd(&self) -> Option<BorrowedFd<'_>> {
        self.unified.as_ref().map(|(_, descriptor)| descriptor.as_fd())
    }

    /// Moves a process into the groups of v1, which no process can be born into.
    pub fn add(&self, pid: i32) -> Result<()> {
        self.v1
            .iter()
            .try_for_each(|(_, folder)| files::write(&folder.join("cgroup.procs"), &pid.to_string()))
    }

    /// The numbers of the processes inside, as the caller sees them.
    pub fn pids(&self) -> Result<Vec<i32>> {
        let Some(folder) = self.any_folder() else {
            return Ok(Vec::new());
        };
        let text = files::read(&folder.join("cgroup.procs"))?;
        Ok(text.lines().filter_map(|line| line.parse().ok()).collect())
    }

    /// Kills every process inside.
    pub fn kill(&self) -> Result<()> {
        if let Some((folder, _)) = &self.unified {
            return files::write(&folder.join("cgroup.kill"), "1");
        }
        // Without v2, those that were made meanwhile are found in the next round.
        let deadline = Instant::now() + PATIENCE;
        loop {
            let pids = self.pids().unwrap_or_default();
            if pids.is_empty() || Instant::now() > deadline {
                return Ok(());
            }
            for pid in pids {
                let _ = nix::sys::signal::kill(
                    nix::unistd::Pid::from_raw(pid),
                    nix::sys::signal::Signal::SIGKILL,
                );
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Stops every process inside where it is, and returns when they have stopped.
    pub fn freeze(&self) -> Result<()> {
        self.set_frozen(true)
    }

    /// Lets them go on.
    pub fn thaw(&self) -> Result<()> {
        self.set_frozen(false)
    }

    /// Whether they are stopped.
    pub fn is_frozen(&self) -> bool {
        match (&self.unified, self.v1_folder("freezer")) {
            (Some((folder, _)), _) => files::keyed(&folder.join("cgroup.events"), "frozen") == Some(1),
            (None, Some(folder)) => std::fs::read_to_string(folder.join("freezer.state"))
                .is_ok_and(|state| state.trim() == "FROZEN"),
            (None, None) => false,
        }
    }

    fn set_frozen(&self, frozen: bool) -> Result<()> {
        let (file, value) = match (&self.unified, self.v1_folder("freezer")) {
            (Some((folder, _)), _) => (folder.join("cgroup.freeze"), if frozen { "1" } else { "0" }),
            (None, Some(folder)) => (folder.join("freezer.state"), if frozen { "FROZEN" } else { "THAWED" }),
            (None, None) => {
                return Err(Error::not_supported("no freezer is mounted: processes cannot be paused"));
            }
        };
        files::write(&file, value)?;
        let deadline = Instant::now() + PATIENCE;
        while self.is_frozen() != frozen {
            if Instant::now() > deadline {
                let _ = files::write(&file, if frozen { "0" } else { "1" });
                return Err(Error::not_supported(format_args!(
                    "{}: some process does not stop",
                    file.display()
                )));
            }
            std::thread::sleep(Duration::from_micros(500));
        }
        Ok(())
    }

    /// How many processes were killed because memory ran out.
    pub fn oom_kills(&self) -> u64 {
        let unified = self
            .unified
            .as_ref()
            .and_then(|(folder, _)| files::keyed(&folder.join("memory.events"), "oom_kill"));
        let v1 = || {
            self.v1_folder("memory")
                .and_then(|folder| files::keyed(&folder.join("memory.oom_control"), "oom_kill"))
        };
        unified.or_else(v1).unwrap_or(0)
    }

    /// Removes the group from every hierarchy; it must be empty, or about to be. What cannot be removed keeps nothing else.
    pub fn remove(&self) -> Result<()> {
        let removed = self.folders().map(files::remove);
        removed.fold(Ok(()), Result::and)
    }

    /// Removes a group that others may still be in, or may be making theirs in: then it stays.
    pub fn remove_if_empty(&self) -> Result<()> {
        let removed = self.folders().map(files::remove_if_empty);
        removed.fold(Ok(()), Result::and)
    }

    fn folders(&self) -> impl Iterator<Item = &Path> {
        let v1 = self.v1.iter().map(|(_, folder)| folder.as_path());
        v1.chain(self.unified_folder())
    }

    pub(crate) fn unified_folder(&self) -> Option<&Path> {
        self.unified.as_ref().map(|(folder, _)| folder.as_path())
    }

    pub(crate) fn any_folder(&self) -> Option<&Path> {
        let v1 = || self.v1_folder("pids").or_else(|| self.v1.first().map(|(_, folder)| folder.as_path()));
        self.unified_folder().or_else(v1)
    }

    pub(crate) fn v1_folder(&self, controller: &str) -> Option<&Path> {
        let has = |name: &str| name.split(',').any(|own| own == controller);
        self.v1.iter().find(|(name, _)| has(name)).map(|(_, folder)| folder.as_path())
    }
}

fn open_folder(folder: &Path) -> Result<Option<(PathBuf, OwnedFd)>> {
    match std::fs::File::open(folder) {
        Ok(file) => Ok(Some((folder.to_path_buf(), file.into()))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        failed => failed
            .strace(|| format!("open({folder:?}, O_RDONLY)"))
            .map(|_| None)
            .map_err(|error| Error::call("cgroup", error)),
    }
}
