//! Long tail: files of the kernel's /proc that are written for a container, before its root is entered.

use crate::procfs::{is_procfs, is_root};
use crate::{Error, Result};
use kernel::Strace;
use rustix::fs::{Mode, OFlags, ResolveFlags};
use std::os::fd::OwnedFd;
use std::path::Path;

/// Writes to a file below /proc, which must be the kernel's own: where something else is mounted there, or a link leads away,
/// nothing is written (CVE-2025-52881).
///
/// To be called before a container's root is entered: what is /proc there is for the container to say.
pub fn write_proc(path: impl AsRef<Path>, text: &str) -> Result<()> {
    let path = path.as_ref();
    let purpose = |error| Error::call(format_args!("/proc/{}", path.display()), error);
    let flags = OFlags::WRONLY | OFlags::CLOEXEC;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_XDEV | ResolveFlags::NO_MAGICLINKS;
    let file = rustix::fs::openat2(proc()?, path, flags, Mode::empty(), resolve)
        .strace(|| format!("openat2(/proc, {path:?}, O_WRONLY, RESOLVE_BENEATH|RESOLVE_NO_XDEV)"));
    let written = rustix::io::write(file.map_err(purpose)?, text.as_bytes());
    written.map(drop).strace(|| format!("write({path:?}, {text:?})")).map_err(purpose)
}

/// The root of the kernel's procfs.
fn proc() -> Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let proc = rustix::fs::open("/proc", flags, Mode::empty()).strace(|| "open(\"/proc\", O_PATH)".into());
    let proc = proc.map_err(|error| Error::call("/proc", error))?;
    if is_procfs(&proc)? && is_root(&proc)? {
        Ok(proc)
    } else {
        Err(Error::not_safe("/proc", "this is not the kernel's procfs, and nothing is written there"))
    }
}
