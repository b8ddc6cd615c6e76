//! What is known of containers between two commands: a folder each, below the root.
//!
//! ```text
//! ROOT/ID/state.json        the record, written beside and renamed; first of all, so that a kill -9 leaves nothing unknown
//! ROOT/ID/report, start     the gate (see `gate`), while the container waits to be started
//! ```
//!
//! The folder lies on a tmpfs and is not synced: after a reboot there are no containers.

use crate::{Error, ErrorKind, Identity, Result};
use cgroups::{Cgroup, Layout};
use kernel::Strace;
use nix::fcntl::{Flock, FlockArg};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{DirBuilder, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// All containers of one root.
pub struct Store {
    root: PathBuf,
}

/// One container, locked: no other command changes it meanwhile.
pub struct Entry {
    /// Its folder.
    pub folder: PathBuf,
    /// What is known of it.
    pub record: Record,
    _lock: Flock<File>,
}

/// `state.json`
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Record {
    /// Its id.
    pub id: String,
    /// The version of the specification that its config.json names.
    pub oci_version: String,
    /// Where its config.json lies.
    pub bundle: PathBuf,
    /// Its root.
    pub rootfs: PathBuf,
    /// When it was created, RFC 3339.
    pub created: String,
    /// Its config.json's annotations.
    pub annotations: BTreeMap<String, String>,
    /// Its cgroup below the cgroup mount points.
    pub cgroup: Option<String>,
    /// Its first process; absent while it is being made.
    pub process: Option<Identity>,
}

/// What the OCI specification calls its status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It is being made, or whoever made it was killed.
    Creating,
    /// It waits to be started.
    Created,
    /// Its command runs.
    Running,
    /// Its command was frozen.
    Paused,
    /// Its first process has ended.
    Stopped,
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Status::Creating => "creating",
            Status::Created => "created",
            Status::Running => "running",
            Status::Paused => "paused",
            Status::Stopped => "stopped",
        })
    }
}

impl Store {
    /// Below this folder, or the usual one of this user.
    pub fn new(root: Option<PathBuf>) -> Store {
        let of_user = || {
            let runtime = std::env::var_os("XDG_RUNTIME_DIR").filter(|_| !nix::unistd::geteuid().is_root());
            PathBuf::from(runtime.unwrap_or_else(|| "/run".into())).join("coracle-oci")
        };
        Store { root: root.unwrap_or_else(of_user) }
    }

    /// The ids of all containers.
    pub fn ids(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.root).into_iter().flatten().flatten();
        let mut ids: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        ids.sort();
        ids
    }

    /// Makes a folder for a new container and writes its record.
    pub fn add(&self, record: Record) -> Result<Entry> {
        check_id(&record.id)?;
        let folder = self.root.join(&record.id);
        let private = |recursive| {
            let mut builder = DirBuilder::new();
            builder.mode(0o700).recursive(recursive);
            builder
        };
        private(true).create(&self.root).strace(|| format!("mkdir({:?})", self.root))?;
        match private(false).create(&folder) {
            // A folder without a record is of a command that was killed before it had done anything.
            Err(error)
                if error.kind() == std::io::ErrorKind::AlreadyExists
                    && !folder.join("state.json").exists() => {}
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => return Err(exists()),
            result => result.strace(|| format!("mkdir({folder:?})"))?,
        }
        let lock = lock(&folder)?;
        if folder.join("state.json").exists() {
            return Err(exists());
        }
        let entry = Entry { folder, record, _lock: lock };
        entry.write()?;
        Ok(entry)
    }

    /// An existing container.
    pub fn open(&self, id: &str) -> Result<Entry> {
        check_id(id)?;
        let folder = self.root.join(id);
        let missing = || Error::new(ErrorKind::NoSuchContainer, "container does not exist");
        if !folder.is_dir() {
            return Err(missing());
        }
        let lock = lock(&folder)?;
        let bytes = std::fs::read(folder.join("state.json")).map_err(|_| missing())?;
        Ok(Entry { record: serde_json::from_slice(&bytes).map_err(Error::system)?, folder, _lock: lock })
    }
}

fn exists() -> Error {
    Error::new(ErrorKind::Conflict, "container with given ID already exists")
}

/// Waits for a command that is at work on the same container.
fn lock(folder: &Path) -> Result<Flock<File>> {
    let file = File::open(folder).strace(|| format!("open({folder:?})"))?;
    let lock = Flock::lock(file, FlockArg::LockExclusive).map_err(|(_, errno)| errno);
    Ok(lock.strace(|| format!("flock({folder:?}, LOCK_EX)"))?)
}

/// An id is the name of a folder, and of nothing above or below it.
fn check_id(id: &str) -> Result<()> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_+-.".contains(&byte);
    if id.is_empty() || id == "." || id == ".." || id.len() > 1024 || !id.bytes().all(fits) {
        return Err(Error::invalid("invalid container ID format"));
    }
    Ok(())
}

impl Entry {
    /// Writes the record.
    pub fn write(&self) -> Result<()> {
        let (path, beside) = (self.folder.join("state.json"), self.folder.join("state.json.new"));
        let json = serde_json::to_vec(&self.record).map_err(Error::system)?;
        std::fs::write(&beside, json).strace(|| format!("write({beside:?})"))?;
        Ok(std::fs::rename(&beside, &path).strace(|| format!("rename({beside:?}, {path:?})"))?)
    }

    /// What it is now.
    pub fn status(&self) -> Status {
        let Some(process) = self.record.process else {
            return Status::Creating;
        };
        let lives = process.open().is_ok_and(|pidfd| pidfd.is_some_and(|pidfd| !has_ended(&pidfd)));
        if !lives {
            Status::Stopped
        } else if self.folder.join("start").exists() {
            Status::Created
        } else if self.cgroup().is_ok_and(|cgroup| cgroup.is_some_and(|cgroup| cgroup.is_frozen())) {
            Status::Paused
        } else {
            Status::Running
        }
    }

    /// Its cgroup, if it has one.
    pub fn cgroup(&self) -> Result<Option<Cgroup>> {
        let open = |path: &String| Cgroup::open(&Layout::detect(), path);
        Ok(self.record.cgroup.as_ref().map(open).transpose()?)
    }

    /// Its first process, or the error that there is none.
    pub fn process(&self) -> Result<Identity> {
        self.record.process.ok_or_else(|| Error::new(ErrorKind::Conflict, "container not running"))
    }

    /// The gate is open: it waits no longer.
    pub fn forget_gate(&self) {
        for name in ["start", "report"] {
            let _ = std::fs::remove_file(self.folder.join(name));
        }
    }

    /// Forgets it.
    pub fn remove(self) -> Result<()> {
        Ok(std::fs::remove_dir_all(&self.folder).strace(|| format!("rmdir({:?})", self.folder))?)
    }
}

/// A zombie has a pidfd, but one that is readable.
fn has_ended(pidfd: &std::os::fd::OwnedFd) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let mut polled = [PollFd::new(pidfd, PollFlags::IN)];
    poll(&mut polled, Some(&Timespec::default())) != Ok(0)
}
