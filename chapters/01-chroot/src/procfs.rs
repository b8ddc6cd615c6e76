//! Long tail: /proc must be the kernel's, and stay so: the security of much that follows hangs on writes to its files
//! (CVE-2019-16884, CVE-2019-19921, CVE-2023-27561).

use crate::inside::normal;
use crate::{Error, Result};
use kernel::Strace;
use rustix::fs::{Mode, OFlags, ResolveFlags};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

/// `PROC_SUPER_MAGIC` (statfs(2)).
const PROC: i64 = 0x9fa0;

/// The inode of the root of every procfs.
const PROC_ROOT: u64 = 1;

/// What lxcfs and its like may replace: files that only inform.
const INFORMATION: &[&str] = &[
    "/proc/cpuinfo",
    "/proc/diskstats",
    "/proc/loadavg",
    "/proc/meminfo",
    "/proc/net/dev",
    "/proc/slabinfo",
    "/proc/stat",
    "/proc/swaps",
    "/proc/sys/crypto/fips_enabled",
    "/proc/sys/kernel/ns_last_pid",
    "/proc/uptime",
];

/// Refuses a mount on /proc that is not a whole procfs, and one inside of it, whatever links led there.
pub fn check(tree: impl AsFd, place: impl AsFd, destination: &Path) -> Result<()> {
    let destination = normal(destination);
    let is_on_proc = destination == Path::new("/proc");
    if !is_on_proc && !is_procfs(&place)? {
        return Ok(());
    }
    if is_on_proc && is_procfs(&tree)? && is_root(&tree)? {
        return Ok(());
    }
    if INFORMATION.iter().any(|path| Path::new(path) == destination) {
        return Ok(());
    }
    let why = if is_on_proc { "because it is not of type proc" } else { "because it is inside /proc" };
    Err(Error::not_safe(destination, format_args!("cannot be mounted {why}")))
}

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

fn is_procfs(descriptor: impl AsFd) -> Result<bool> {
    let status = rustix::fs::fstatfs(&descriptor).strace(|| "fstatfs(file)".into());
    Ok(status.map_err(|error| Error::call("a file", error))?.f_type as i64 == PROC)
}

fn is_root(descriptor: impl AsFd) -> Result<bool> {
    let status = rustix::fs::fstat(&descriptor).strace(|| "fstat(file)".into());
    Ok(status.map_err(|error| Error::call("a file", error))?.st_ino == PROC_ROOT)
}
