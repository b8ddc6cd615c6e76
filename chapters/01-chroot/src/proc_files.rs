//! Long tail: files of the kernel's /proc that are read and written for a container, opened before its root is entered.

use crate::procfs::{is_procfs, is_root};
use crate::{Error, Result};
use kernel::Strace;
use rustix::fs::{Mode, OFlags, ResolveFlags};
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

/// Writes to a file below /proc, as [`ProcFile`] does.
pub fn write_proc(path: impl AsRef<Path>, text: &str) -> Result<()> {
    ProcFile::open(path)?.write(text)
}

/// The text of a file below /proc, which must be the kernel's own as well: what is decided by it may be worth a forgery.
pub fn read_proc(path: impl AsRef<Path>) -> Result<String> {
    let path = path.as_ref();
    let mut file = File::from(open(path, OFlags::RDONLY, "O_RDONLY")?);
    let mut text = String::new();
    let read = file.read_to_string(&mut text).strace(|| "read(fd)".into());
    read.map(|_| text).map_err(|error| Error::call(format_args!("/proc/{}", path.display()), error))
}

/// The file at this path below the kernel's /proc, and nothing that lies over it.
fn open(path: &Path, access: OFlags, name: &str) -> Result<OwnedFd> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_XDEV | ResolveFlags::NO_MAGICLINKS;
    rustix::fs::openat2(proc()?, path, access | OFlags::CLOEXEC, Mode::empty(), resolve)
        .strace(|| format!("openat2(/proc, {path:?}, {name}, RESOLVE_BENEATH|RESOLVE_NO_XDEV)"))
        .map_err(|error| Error::call(format_args!("/proc/{}", path.display()), error))
}

/// A file below /proc that can be written, which must be the kernel's own: where something else is mounted there, or a link leads
/// away, it is not opened (CVE-2025-52881).
///
/// To be opened before a container's root is entered: what is /proc there is for the container to say. Written it may be later.
#[derive(Debug)]
pub struct ProcFile {
    path: PathBuf,
    file: OwnedFd,
}

impl ProcFile {
    /// Opens the file at this path below /proc.
    pub fn open(path: impl AsRef<Path>) -> Result<ProcFile> {
        let path = path.as_ref().to_path_buf();
        Ok(ProcFile { file: open(&path, OFlags::WRONLY, "O_WRONLY")?, path })
    }

    /// Writes to it, in one call, as the kernel's files want it.
    pub fn write(&self, text: &str) -> Result<()> {
        let path = &self.path;
        let written = rustix::io::write(&self.file, text.as_bytes());
        written
            .map(drop)
            .strace(|| format!("write({path:?}, {text:?})"))
            .map_err(|error| Error::call(format_args!("/proc/{}", path.display()), error))
    }
}

impl AsFd for ProcFile {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// The root of the kernel's procfs.
fn proc() -> Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let proc = rustix::fs::open("/proc", flags, Mode::empty()).strace(|| "open(\"/proc\", O_PATH)".into());
    let proc = proc.map_err(|error| Error::call("/proc", error))?;
    if is_procfs(&proc)? && is_root(&proc)? {
        Ok(proc)
    } else {
        Err(Error::not_safe("/proc", "this is not the kernel's procfs, and nothing is read or written there"))
    }
}
