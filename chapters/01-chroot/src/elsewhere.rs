//! Long tail: a copy of what another process has mounted, in a mount namespace of its own: /dev/shm of a container that shares it.

use crate::inside::Inside;
use crate::{Error, Result, trees};
use kernel::Strace;
use nix::sched::{CloneFlags, setns};
use rustix::fs::{CWD, Mode, OFlags};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

/// A copy, attached nowhere, of what the process with this number sees at a path, with the mounts below it if `recursive`.
///
/// open_tree(2) copies only from the mount namespace that the caller is in (EINVAL), so this enters the other for a moment. The
/// calling process must have one thread: setns(2) gives no mount namespace to one that shares its root (EINVAL). It comes back
/// with the root and the working directory that it had. On failure it may be in either: it must end.
pub fn copy_seen_by(process: i32, path: &Path, recursive: bool) -> Result<OwnedFd> {
    // By one descriptor of its folder, so that both are the same process's, should the number be given to another meanwhile.
    let folder = open(CWD, &format!("/proc/{process}"))?;
    let root = open(&folder, "root")?;
    let namespace = open_namespace(&folder, "ns/mnt")?;
    let (own, own_root, own_folder) =
        (open_namespace(CWD, "/proc/self/ns/mnt")?, open(CWD, "/")?, open(CWD, ".")?);
    enter(&namespace)?;
    // Below the root that it has, whatever its links say; setns took us to that of its namespace.
    let found = Inside::new(root).find(path).map_err(|error| Error::call(path.display(), error));
    let copy = found.and_then(|place| trees::copy_of(place, path, recursive));
    enter(&own)?;
    go_back(&own_root, &own_folder)?;
    copy
}

fn open(directory: impl AsFd, path: &str) -> Result<OwnedFd> {
    rustix::fs::openat(directory, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())
        .strace(|| format!("openat(at, {path:?}, O_PATH)"))
        .map_err(|error| Error::call("what another process sees", error))
}

fn open_namespace(directory: impl AsFd, path: &str) -> Result<OwnedFd> {
    rustix::fs::openat(directory, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
        .strace(|| format!("openat(at, {path:?}, O_RDONLY)"))
        .map_err(|error| Error::call("another process's mount namespace", error))
}

fn enter(namespace: &OwnedFd) -> Result<()> {
    setns(namespace, CloneFlags::CLONE_NEWNS)
        .strace(|| "setns(mnt, CLONE_NEWNS)".into())
        .map_err(|error| Error::call("another process's mount namespace", error))
}

/// setns(2) makes the namespace's own root ours; we may have been in another.
fn go_back(root: &OwnedFd, folder: &OwnedFd) -> Result<()> {
    let purpose = |error| Error::call("the way back from another mount namespace", error);
    rustix::process::fchdir(root).strace(|| "fchdir(root)".into()).map_err(purpose)?;
    nix::unistd::chroot(".").strace(|| "chroot(\".\")".into()).map_err(purpose)?;
    rustix::process::fchdir(folder).strace(|| "fchdir(cwd)".into()).map_err(purpose)
}
