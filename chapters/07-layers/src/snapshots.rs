//! Unpacked layers, one folder each, by chain id: what overlayfs stacks.
//!
//! ```text
//! <chain id hex>/diff          the layer's files, whiteouts as overlayfs wants them
//! <chain id hex>/layer.json    {"diff_id":"sha256:…","size":203423744}
//! new-<pid>-<n>/               a layer in the making, locked by its maker
//! old-<pid>-<n>/               one on its way out
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use images::Digest;
use serde::{Deserialize, Serialize};

use crate::attributes::Ownership;
use crate::remove::remove_tree;
use crate::{Error, ErrorKind, Result, chain_ids};

/// The snapshots of one data root. One process uses them at a time; within it, threads share one.
#[derive(Debug)]
pub struct Snapshots {
    dir: PathBuf,
    pub(crate) ownership: Ownership,
    /// How many holds each chain has. Removal happens under this lock, so that a hold and a removal never cross.
    holds: Mutex<BTreeMap<Digest, usize>>,
}

/// What is known of an unpacked layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LayerRecord {
    /// The digest of its plain tar.
    pub diff_id: Digest,
    /// Bytes of its files, as Docker counts an image's size.
    pub size: u64,
}

/// As long as it lives, the layers it names are not removed.
#[derive(Debug)]
pub struct Hold<'a> {
    snapshots: &'a Snapshots,
    chain_ids: Vec<Digest>,
}

/// See [`Snapshots::write_early`].
#[derive(Debug)]
pub struct WriteEarly {
    _stop: Sender<()>,
}

/// A layer in the making. Dropped unpublished, it leaves nothing.
#[derive(Debug)]
pub(crate) struct Staged<'a> {
    snapshots: &'a Snapshots,
    dir: PathBuf,
    /// Locked (flock): only the folders of dead makers are cleared away.
    lock: File,
}

impl Snapshots {
    /// Opens or makes the folder, and removes what killed unpackers left. `ownership`: whose the files will be.
    pub fn open(dir: impl Into<PathBuf>, ownership: Ownership) -> Result<Snapshots> {
        let snapshots = Snapshots { dir: dir.into(), ownership, holds: Mutex::default() };
        let dir = &snapshots.dir;
        fs::create_dir_all(dir).map_err(|e| Error::system(format!("mkdir({dir:?})"), e))?;
        for name in snapshots.names()? {
            let stale = name.starts_with("new-") || name.starts_with("old-");
            // A living maker has it locked.
            if stale && File::open(dir.join(&name)).is_ok_and(|folder| folder.try_lock().is_ok()) {
                snapshots.remove_folder(&name)?;
            }
        }
        Ok(snapshots)
    }

    /// overlayfs' lower folders of an image with these diff ids, top first. NotFound if one is not unpacked.
    pub fn lower_dirs(&self, diff_ids: &[Digest]) -> Result<Vec<PathBuf>> {
        let folders = chain_ids(diff_ids).into_iter().rev().map(|chain_id| {
            let folder = self.folder(&chain_id).join("diff");
            match folder.is_dir() {
                true => Ok(folder),
                false => Err(Error::new(ErrorKind::NotFound, format!("layer {chain_id} is not unpacked"))),
            }
        });
        folders.collect()
    }

    /// Whether a layer is there.
    pub fn has(&self, chain_id: &Digest) -> bool {
        self.folder(chain_id).is_dir()
    }

    /// Bytes of the files of one layer, as Docker counts an image's size.
    pub fn size(&self, chain_id: &Digest) -> Result<u64> {
        let path = self.folder(chain_id).join("layer.json");
        let text = fs::read(&path).map_err(|e| Error::system(format!("open({path:?})"), e))?;
        let record: LayerRecord = serde_json::from_slice(&text)
            .map_err(|e| Error::new(ErrorKind::System, format!("{path:?}: {e}")))?;
        Ok(record.size)
    }

    /// Keeps these chains from being removed while an image or a container that needs them is being made.
    pub fn hold(&self, chain_ids: &[Digest]) -> Hold<'_> {
        let mut holds = self.lock_holds();
        for chain_id in chain_ids {
            *holds.entry(*chain_id).or_default() += 1;
        }
        Hold { snapshots: self, chain_ids: chain_ids.to_vec() }
    }

    /// Removes layers that are neither in `keep()` (called under the lock that holds are taken under) nor held; returns them.
    pub fn remove_unused(&self, keep: impl FnOnce() -> Result<Vec<Digest>>) -> Result<Vec<Digest>> {
        let holds = self.lock_holds();
        let mut used: BTreeSet<Digest> = keep()?.into_iter().collect();
        used.extend(holds.keys());
        let mut removed = Vec::new();
        for name in self.names()? {
            let unused = Digest::from_hex(&name).filter(|chain_id| !used.contains(chain_id));
            if let Some(chain_id) = unused {
                // Away under its name at once; whatever a kill leaves of it is cleared by the next open.
                let away = self.unique("old");
                fs::rename(self.dir.join(&name), self.dir.join(&away))
                    .map_err(|e| Error::system(format!("rename({name:?}, {away:?})"), e))?;
                self.remove_folder(&away)?;
                removed.push(chain_id);
            }
        }
        Ok(removed)
    }

    /// As long as it lives, what is written goes to the disk at once: the disk works while the processor unpacks, and the sync at a
    /// layer's end has little left to wait for.
    pub fn write_early(&self) -> WriteEarly {
        let dir = self.dir.clone();
        let (stop, wait) = channel::<()>();
        let write = move || {
            let Ok(dir) = File::open(dir) else { return };
            while wait.recv_timeout(Duration::from_millis(100)) == Err(RecvTimeoutError::Timeout) {
                // An error shows in the sync that counts.
                let _ = rustix::fs::syncfs(&dir);
            }
        };
        std::thread::spawn(write);
        WriteEarly { _stop: stop }
    }

    /// Everything written so far survives a loss of power.
    pub(crate) fn sync(&self) -> Result<()> {
        let dir = File::open(&self.dir).map_err(|e| Error::system(format!("open({:?})", self.dir), e))?;
        rustix::fs::syncfs(&dir).map_err(|e| Error::system("syncfs()", e))
    }

    /// A folder to unpack into.
    pub(crate) fn stage(&self) -> Result<Staged<'_>> {
        let dir = self.dir.join(self.unique("new"));
        fs::create_dir_all(dir.join("diff")).map_err(|e| Error::system(format!("mkdir({dir:?})"), e))?;
        let lock = File::open(&dir).map_err(|e| Error::system(format!("open({dir:?})"), e))?;
        lock.lock().map_err(|e| Error::system(format!("flock({dir:?}, LOCK_EX)"), e))?;
        Ok(Staged { snapshots: self, dir, lock })
    }

    fn folder(&self, chain_id: &Digest) -> PathBuf {
        self.dir.join(chain_id.hex())
    }

    fn unique(&self, prefix: &str) -> String {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        format!("{prefix}-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
    }

    fn names(&self) -> Result<Vec<String>> {
        let entries =
            fs::read_dir(&self.dir).map_err(|e| Error::system(format!("open({:?})", self.dir), e))?;
        Ok(entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect())
    }

    fn remove_folder(&self, name: &str) -> Result<()> {
        let parent = File::open(&self.dir).map_err(|e| Error::system(format!("open({:?})", self.dir), e))?;
        remove_tree(parent.as_fd(), name.as_bytes())
            .map_err(|e| Error::system(format!("unlinkat({name:?})"), e))
    }

    fn lock_holds(&self) -> MutexGuard<'_, BTreeMap<Digest, usize>> {
        self.holds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        let mut holds = self.snapshots.lock_holds();
        for chain_id in &self.chain_ids {
            match holds.get_mut(chain_id) {
                Some(count) if *count > 1 => *count -= 1,
                _ => drop(holds.remove(chain_id)),
            }
        }
    }
}

impl Staged<'_> {
    /// Where the layer's files go.
    pub(crate) fn diff(&self) -> PathBuf {
        self.dir.join("diff")
    }

    /// Syncs the layer (and the blob it came from, on the same file system) once, and gives it its name.
    pub(crate) fn publish(self, chain_id: &Digest, record: &LayerRecord) -> Result<()> {
        let json = serde_json::to_vec(record).map_err(|e| Error::new(ErrorKind::System, e.to_string()))?;
        let path = self.dir.join("layer.json");
        fs::write(&path, json).map_err(|e| Error::system(format!("write({path:?})"), e))?;
        rustix::fs::syncfs(&self.lock).map_err(|e| Error::system("syncfs()", e))?;
        match fs::rename(&self.dir, self.snapshots.folder(chain_id)) {
            Ok(()) => Ok(()),
            // Somebody else unpacked the same layer meanwhile; ours is dropped.
            Err(e) if e.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(()),
            Err(e) => Err(Error::system(format!("rename({:?})", self.dir), e)),
        }
    }
}

impl Drop for Staged<'_> {
    fn drop(&mut self) {
        if let Some(name) = self.dir.file_name().and_then(|name| name.to_str())
            && Path::exists(&self.dir)
        {
            // Nobody to tell; what stays is cleared by the next open.
            let _ = self.snapshots.remove_folder(name);
        }
    }
}
