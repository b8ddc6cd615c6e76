//! Long tail: which processes are in a group, and in those that they have made below it.

use crate::{Cgroup, Result, files};
use std::path::Path;

impl Cgroup {
    /// The numbers of the processes inside, as the caller sees them.
    pub fn pids(&self) -> Result<Vec<i32>> {
        let Some(folder) = self.any_folder() else {
            return Ok(Vec::new());
        };
        let text = files::read(&folder.join("cgroup.procs"))?;
        Ok(text.lines().filter_map(|line| line.parse().ok()).collect())
    }

    fn any_folder(&self) -> Option<&Path> {
        let v1 = || self.v1_folder("pids").or_else(|| self.v1.first().map(|(_, folder)| folder.as_path()));
        self.unified_folder().or_else(v1)
    }

    /// The numbers of all processes inside, those in groups below included, as the caller sees them; sorted.
    pub fn all_pids(&self) -> Result<Vec<i32>> {
        let mut pids = self.pids()?;
        if let Some(folder) = self.any_folder() {
            add_below(folder, &mut pids);
        }
        pids.sort_unstable();
        Ok(pids)
    }
}

/// Groups come and go meanwhile: one that has gone has no processes.
fn add_below(folder: &Path, pids: &mut Vec<i32>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            let text = files::read(&entry.path().join("cgroup.procs")).unwrap_or_default();
            pids.extend(text.lines().filter_map(|line| line.parse::<i32>().ok()));
            add_below(&entry.path(), pids);
        }
    }
}
