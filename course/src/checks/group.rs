//! A cgroup of v2 that is made for a check, and removed after it.

use super::Stage;
use super::process::Process;
use nix::unistd::{AccessFlags, access};
use std::path::{Path, PathBuf};

/// A group below our own. Its processes must have ended when it is dropped.
pub struct Group(PathBuf);

impl Group {
    /// Makes it, of a name that is not there yet and ends with this word.
    pub fn make(word: &str) -> std::io::Result<Group> {
        let above = ours().ok_or_else(|| std::io::Error::other("there is no cgroup of v2"))?;
        let folder = above.join(name(word));
        std::fs::create_dir(&folder)?;
        Ok(Group(folder))
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.0
    }

    /// Its name; it also ends the path by which the kernel calls it.
    pub fn name(&self) -> String {
        self.0.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Moves a process into it.
    pub fn add(&self, process: Process) -> std::io::Result<()> {
        std::fs::write(self.0.join("cgroup.procs"), process.0.to_string())
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir(&self.0);
    }
}

/// A name that ends with this word, and that no other run has.
pub fn name(word: &str) -> String {
    format!("coracle-course-{}-{word}", std::process::id())
}

/// Why no group can be made here, if so.
pub fn no_group(_: &Stage) -> Option<String> {
    let Some(folder) = ours() else {
        return Some("no hierarchy of cgroup v2 is mounted that shows your own group".into());
    };
    let may = |path: &Path| access(path, AccessFlags::W_OK).is_ok();
    let why = || format!("{} is not yours to make a group in; check as root, too", folder.display());
    (!(may(&folder) && may(&folder.join("cgroup.procs")))).then(why)
}

/// Our own group's folder: what is after `0::` in /proc/self/cgroup, below where the hierarchy is mounted.
pub fn ours() -> Option<PathBuf> {
    let groups = Process::this().read("cgroup").ok()?;
    let own = groups.lines().find_map(|line| line.strip_prefix("0::/"))?.to_string();
    let folder = mounted()?.join(own);
    folder.is_dir().then_some(folder)
}

/// Where the hierarchy is mounted, as a whole.
pub fn mounted() -> Option<PathBuf> {
    let mounts = Process::this().read("mountinfo").ok()?;
    mounts.lines().find_map(|line| {
        let (mount, filesystem) = line.split_once(" - ")?;
        let mut fields = mount.split(' ').skip(3);
        let (root, point) = (fields.next()?, fields.next()?);
        (filesystem.starts_with("cgroup2 ") && root == "/").then(|| PathBuf::from(point))
    })
}
