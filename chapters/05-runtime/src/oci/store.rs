//! What is known of containers between two commands: a folder each, below the root.
//!
//! ```text
//! ROOT/ID/state.json        the record, written beside and renamed; first of all, so that a kill -9 leaves nothing unknown
//! ROOT/ID/config.json       a copy of the bundle's, since that may change; `update` writes new limits into it
//! ROOT/ID/report, start     the gate (see `gate`), while the container waits to be started
//! ```
//!
//! The folder lies on a tmpfs and is not synced: after a reboot there are no containers.

use crate::plan::State;
use crate::{Error, ErrorKind, Identity, Result, created, gate, spec_from_json, spec_to_json};
use cgroups::Cgroup;
use kernel::Strace;
use nix::fcntl::{Flock, FlockArg};
use oci_spec::runtime::Spec;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{DirBuilder, File};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

/// All containers of one root.
pub struct Store {
    /// Where the folders are.
    pub root: PathBuf,
    /// Whether containers go without a cgroup where their config.json names none.
    pub rootless: Rootless,
    /// systemd makes the cgroups of new ones.
    pub asks_systemd: bool,
}

/// Whether a container goes without a cgroup of its own where its config.json names none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Rootless {
    /// It does.
    True,
    /// It does not.
    False,
    /// An ordinary user's does.
    Auto,
}

/// One container. Opened for changes it is locked: no other command changes it meanwhile.
pub struct Entry {
    /// Its folder.
    pub folder: PathBuf,
    /// What is known of it.
    pub record: Record,
    _lock: Option<Flock<File>>,
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
    /// The unit of systemd that its cgroup is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<cgroups::systemd::Unit>,
    /// The inode of its group: it goes with the last process, and a unit of the same name has another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_inode: Option<u64>,
    /// Its config.json has hooks that run after its start, or after its end.
    #[serde(default)]
    pub has_later_hooks: bool,
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
    pub fn new(root: Option<PathBuf>, rootless: Rootless) -> Store {
        let of_user = || {
            let runtime = std::env::var_os("XDG_RUNTIME_DIR").filter(|_| !kernel::is_root());
            PathBuf::from(runtime.unwrap_or_else(|| "/run".into())).join("coracle-oci")
        };
        Store { root: root.unwrap_or_else(of_user), rootless, asks_systemd: false }
    }

    /// The cgroup of a new container: its config.json's, or one of our own; none yet where systemd makes it.
    pub fn cgroup_path(&self, spec: &Spec, id: &str) -> Option<String> {
        if self.asks_systemd {
            return None;
        }
        let path = spec.linux().as_ref().and_then(|linux| linux.cgroups_path().clone());
        let has_own = match self.rootless {
            Rootless::True => false,
            Rootless::False => true,
            Rootless::Auto => kernel::is_root(),
        };
        match path.filter(|path| !path.as_os_str().is_empty()) {
            Some(path) => Some(Path::new("/").join(path).display().to_string()),
            // Not below a group for all of them, which would stay when the last one has gone.
            None => has_own.then(|| format!("/coracle-oci-{id}")),
        }
    }

    /// Makes a folder for a new container and writes its record, and beside it its config.json.
    pub fn add(&self, record: Record, config: &[u8]) -> Result<Entry> {
        check_id(&record.id)?;
        let folder = self.make_folder(&record.id)?;
        let lock = lock(&folder)?;
        if folder.join("state.json").exists() {
            return Err(exists());
        }
        let entry = Entry { folder, record, _lock: Some(lock) };
        match entry.write_beside("config.json", config).and_then(|()| entry.write()) {
            Ok(()) => Ok(entry),
            Err(error) => {
                let _ = entry.remove();
                Err(error)
            }
        }
    }

    /// Removes what is left of a command that failed or was killed when there was no record yet, or none any more.
    pub fn forget(&self, id: &str) -> Result<()> {
        let Ok(folder) = self.folder_of(id) else { return Ok(()) };
        let _lock = lock(&folder)?;
        if folder.join("state.json").exists() { Ok(()) } else { remove_folder(&folder) }
    }

    fn make_folder(&self, id: &str) -> Result<PathBuf> {
        let folder = self.root.join(id);
        let private = |recursive| {
            let mut builder = DirBuilder::new();
            builder.mode(0o700).recursive(recursive);
            builder
        };
        private(true).create(&self.root).strace(|| format!("mkdir({:?})", self.root))?;
        match private(false).create(&folder) {
            // A folder without a record is of a command that was killed before it had done anything.
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                if folder.join("state.json").exists() { Err(exists()) } else { Ok(folder) }
            }
            result => {
                result.strace(|| format!("mkdir({folder:?})"))?;
                Ok(folder)
            }
        }
    }

    /// An existing container, to change it.
    pub fn open(&self, id: &str) -> Result<Entry> {
        let folder = self.folder_of(id)?;
        let lock = lock(&folder)?;
        Ok(Entry { _lock: Some(lock), ..read(folder)? })
    }

    /// An existing container, to look at it: also while a command is at work on it, which may be the one that runs us as a hook.
    pub fn look(&self, id: &str) -> Result<Entry> {
        read(self.folder_of(id)?)
    }

    fn folder_of(&self, id: &str) -> Result<PathBuf> {
        check_id(id)?;
        let folder = self.root.join(id);
        if folder.is_dir() { Ok(folder) } else { Err(missing()) }
    }
}

fn read(folder: PathBuf) -> Result<Entry> {
    let path = folder.join("state.json");
    let bytes = match std::fs::read(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(missing()),
        result => result.strace(|| format!("read({path:?})"))?,
    };
    Ok(Entry { record: serde_json::from_slice(&bytes).map_err(Error::system)?, folder, _lock: None })
}

fn missing() -> Error {
    Error::new(ErrorKind::NoSuchContainer, "container does not exist")
}

fn exists() -> Error {
    Error::new(ErrorKind::Conflict, "container with given ID already exists")
}

/// Waits for a command that is at work on the same container. When it has ended, the folder may be gone, and another of that name there.
fn lock(folder: &Path) -> Result<Flock<File>> {
    loop {
        let file = match File::open(folder) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(missing()),
            result => result.strace(|| format!("open({folder:?})"))?,
        };
        let lock = Flock::lock(file, FlockArg::LockExclusive).map_err(|(_, errno)| errno);
        let lock = lock.strace(|| format!("flock({folder:?}, LOCK_EX)"))?;
        let [ours, named] = [lock.metadata(), std::fs::metadata(folder)]
            .map(|file| file.ok().map(|file| (file.dev(), file.ino())));
        if ours == named {
            return Ok(lock);
        }
    }
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
    /// Other commands may come before this one ends.
    pub fn unlock(&mut self) {
        self._lock = None;
    }

    /// Writes the record.
    pub fn write(&self) -> Result<()> {
        self.write_beside("state.json", &serde_json::to_vec(&self.record).map_err(Error::system)?)
    }

    /// The container's config.json as it is in effect.
    pub fn spec(&self) -> Result<Spec> {
        let path = self.folder.join("config.json");
        let bytes = std::fs::read(&path).strace(|| format!("read({path:?})"))?;
        spec_from_json(&bytes).map_err(|error| Error::invalid(format!("{}: {error}", path.display())))
    }

    /// Another config.json is in effect.
    pub fn write_spec(&self, spec: &Spec) -> Result<()> {
        self.write_beside("config.json", &spec_to_json(spec)?)
    }

    fn write_beside(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let (path, beside) = (self.folder.join(name), self.folder.join(format!("{name}.new")));
        std::fs::write(&beside, bytes).strace(|| format!("write({beside:?})"))?;
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
        } else if self.folder.join(gate::UNFINISHED).exists() {
            Status::Creating
        } else if self.folder.join("start").exists() {
            Status::Created
        } else if self.cgroup().is_ok_and(|cgroup| cgroup.is_some_and(|cgroup| cgroup.is_frozen())) {
            Status::Paused
        } else {
            Status::Running
        }
    }

    /// What others are told of it.
    pub fn state(&self, status: &'static str) -> State {
        let has_process = status != "stopped";
        State {
            oci_version: self.record.oci_version.clone(),
            id: self.record.id.clone(),
            status,
            pid: self.record.process.filter(|_| has_process).map_or(0, |process| process.pid),
            bundle: self.record.bundle.clone(),
            annotations: self.record.annotations.clone(),
        }
    }

    /// Its cgroup, if it has one.
    pub fn cgroup(&self) -> Result<Option<Cgroup>> {
        self.record.cgroup.as_deref().map(created::open_cgroup).transpose()
    }

    /// Its first process, or the error that there is none.
    pub fn process(&self) -> Result<Identity> {
        self.record.process.ok_or_else(|| Error::new(ErrorKind::Conflict, "container not running"))
    }

    /// The gate is open: it waits no longer.
    pub fn forget_gate(&self) {
        for name in ["start", "report", gate::UNFINISHED] {
            let _ = std::fs::remove_file(self.folder.join(name));
        }
    }

    /// Forgets it.
    pub fn remove(self) -> Result<()> {
        remove_folder(&self.folder)
    }
}

fn remove_folder(folder: &Path) -> Result<()> {
    Ok(std::fs::remove_dir_all(folder).strace(|| format!("rmdir({folder:?})"))?)
}

/// A zombie has a pidfd, but one that is readable.
fn has_ended(pidfd: &std::os::fd::OwnedFd) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let mut polled = [PollFd::new(pidfd, PollFlags::IN)];
    poll(&mut polled, Some(&Timespec::default())) != Ok(0)
}
