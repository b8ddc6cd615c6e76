//! Files and folders of a hierarchy: made, written, and taken away again.

use crate::{Error, Result};
use kernel::Strace;
use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long a group whose last process has just ended may stay busy.
const PATIENCE: Duration = Duration::from_secs(5);

/// A group's folder in the hierarchy that is mounted here.
pub fn below(mount: &Path, group: &str) -> PathBuf {
    mount.join(group.trim_start_matches('/'))
}

/// Writes a value; the kernel takes it or refuses it in this one call.
pub fn write(path: &Path, value: &str) -> Result<()> {
    written(try_write(path, value), path, value)
}

/// The same, for those who act on the errno.
pub fn try_write(path: &Path, value: &str) -> nix::Result<()> {
    // Without O_CREAT: a file that the kernel has not made is one that it does not have.
    let file = open(path, OFlag::O_WRONLY | OFlag::O_CLOEXEC, Mode::empty())?;
    nix::unistd::write(file, value.as_bytes()).map(drop)
}

/// What became of a [`try_write`].
pub fn written(result: nix::Result<()>, path: &Path, value: &str) -> Result<()> {
    result.strace(|| format!("write({path:?}, {value:?})")).map_err(|error| Error::call("cgroup", error))
}

/// The text of a file.
pub fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path)
        .strace(|| format!("read({path:?})"))
        .map_err(|error| Error::call("cgroup", error))
}

/// Makes a group, and those above it up to the mount point; whether it is new. What it made is added to `made`.
pub fn make(mount: &Path, folder: &Path, made: &mut Vec<PathBuf>) -> Result<bool> {
    loop {
        match nix::unistd::mkdir(folder, Mode::from_bits_truncate(0o755)) {
            Ok(()) => {
                made.push(folder.to_path_buf());
                return Ok(true);
            }
            Err(Errno::EEXIST) => return Ok(false),
            // Again, since somebody may be removing the one above while it is empty.
            Err(Errno::ENOENT) if folder != mount => {
                make(mount, folder.parent().unwrap_or(mount), made).map(drop)?
            }
            Err(errno) => {
                let failed = Err(errno).strace(|| format!("mkdir({folder:?}, 0755)"));
                return failed.map_err(|error| Error::call("unable to apply cgroup configuration", error));
            }
        }
    }
}

/// Removes a group that nobody is in; one that somebody is in stays.
pub fn remove_if_empty(folder: &Path) -> Result<()> {
    match fs::remove_dir(folder).map_err(|error| error.raw_os_error().map(Errno::from_raw)) {
        Err(Some(Errno::EBUSY)) => Ok(()),
        removed => is_removed(removed, folder),
    }
}

fn is_removed(removed: std::result::Result<(), Option<Errno>>, folder: &Path) -> Result<()> {
    match removed {
        Ok(()) | Err(Some(Errno::ENOENT)) => Ok(()),
        Err(errno) => Err(errno.unwrap_or(Errno::EIO))
            .strace(|| format!("rmdir({folder:?})"))
            .map_err(|error| Error::call("cgroup", error)),
    }
}

/// Removes a group and those that its processes made below it.
pub fn remove(folder: &Path) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match fs::remove_dir(folder).map_err(|error| error.raw_os_error().map(Errno::from_raw)) {
            Err(Some(Errno::EBUSY)) if Instant::now() < deadline => {
                for below in fs::read_dir(folder).into_iter().flatten().flatten() {
                    if below.file_type().is_ok_and(|kind| kind.is_dir()) {
                        remove(&below.path())?;
                    }
                }
                // The kernel lets go of a process that has ended in its own time; only v2 tells when.
                std::thread::sleep(Duration::from_micros(500));
            }
            removed => return is_removed(removed, folder),
        }
    }
}

/// The number behind a key of a flat-keyed file, `oom_kill 3`.
pub fn keyed(path: &Path, key: &str) -> Option<u64> {
    number_of(&fs::read_to_string(path).ok()?, key)
}

/// The same, of a text that was read.
pub fn number_of(text: &str, key: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' ')?.parse().ok())
}
