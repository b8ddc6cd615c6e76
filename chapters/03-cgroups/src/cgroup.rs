//! A container's group of processes, in every hierarchy.

use crate::{Error, Hierarchy, Layout, Result, files, v1_groups};
use kernel::Strace;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

/// A group: one folder in v2, and one in each hierarchy of v1.
#[derive(Debug)]
pub struct Cgroup {
    unified: Option<(PathBuf, OwnedFd)>,
    /// By hierarchy's name.
    pub(crate) v1: Vec<(String, PathBuf)>,
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

    /// Kills every process inside.
    pub fn kill(&self) -> Result<()> {
        match self.unified_folder() {
            Some(folder) => files::write(&folder.join("cgroup.kill"), "1"),
            None => v1_groups::kill_each(self),
        }
    }

    /// How many processes were killed because memory ran out.
    pub fn oom_kills(&self) -> u64 {
        let events = self.unified_folder().map(|folder| folder.join("memory.events"));
        let count = events.and_then(|events| files::keyed(&events, "oom_kill"));
        count.unwrap_or_else(|| if self.v1.is_empty() { 0 } else { v1_groups::oom_kills(self) })
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
