//! Files and folders of a hierarchy: made, written, and taken away again.

use crate::{Error, Result};
use kernel::Strace;
use nix::errno::Errno;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long a group whose last process has just ended may stay busy.
const PATIENCE: Duration = Duration::from_secs(5);

/// Writes a value; the kernel takes it or refuses it in this one call.
pub fn write(path: &Path, value: &str) -> Result<()> {
    // Without O_CREAT: a file that the kernel has not made is one that it does not have.
    let written = fs::OpenOptions::new()
        .write(true)
        .open(path)
        .and_then(|mut file| std::io::Write::write_all(&mut file, value.as_bytes()));
    written
        .strace(|| format!("write({path:?}, {value:?})"))
        .map_err(|error| Error::call("cgroup", error))
}

/// Makes a group and those above it; `each` is told of each that is new.
pub fn make(mount: &Path, group: &str, mut each: impl FnMut(&Path) -> Result<()>) -> Result<()> {
    let mut folder = mount.to_path_buf();
    for name in group.split('/').filter(|name| !name.is_empty()) {
        folder.push(name);
        match fs::create_dir(&folder) {
            Ok(()) => each(&folder)?,
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            failed => failed
                .strace(|| format!("mkdir({folder:?})"))
                .map_err(|error| Error::call("cgroup", error))?,
        }
    }
    Ok(())
}

/// Removes a group and those that its processes made below it.
pub fn remove(folder: &Path) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match fs::remove_dir(folder).map_err(|error| error.raw_os_error().map(Errno::from_raw)) {
            Ok(()) | Err(Some(Errno::ENOENT)) => return Ok(()),
            Err(Some(Errno::EBUSY)) if Instant::now() < deadline => {
                for below in fs::read_dir(folder).into_iter().flatten().flatten() {
                    if below.file_type().is_ok_and(|kind| kind.is_dir()) {
                        remove(&below.path())?;
                    }
                }
                // The kernel lets go of a process that has ended in its own time, and tells nobody when.
                std::thread::sleep(Duration::from_micros(500));
            }
            Err(errno) => {
                let errno = errno.unwrap_or(Errno::EIO);
                return Err(errno)
                    .strace(|| format!("rmdir({folder:?})"))
                    .map_err(|error| Error::call("cgroup", error));
            }
        }
    }
}

/// The number behind a key of a flat-keyed file, `oom_kill 3`.
pub fn keyed(path: &Path, key: &str) -> Option<u64> {
    let text = fs::read_to_string(path).ok()?;
    text.lines()
        .find_map(|line| line.strip_prefix(key)?.strip_prefix(' ')?.parse().ok())
}
