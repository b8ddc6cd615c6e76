//! /proc must be the kernel's, and stay so: the security of much that follows hangs on writes to its files
//! (CVE-2019-16884, CVE-2019-19921, CVE-2023-27561).

use crate::inside::normal;
use crate::{Error, Result};
use kernel::Strace;
use std::os::fd::AsFd;
use std::path::Path;

/// `PROC_SUPER_MAGIC` (statfs(2)).
const PROC: i64 = 0x9fa0;

/// The inode of the root of every procfs.
const PROC_ROOT: u64 = 1;

/// What lxcfs and its like may replace: files that inform, and ns_last_pid, which runc allows.
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

pub(crate) fn is_procfs(descriptor: impl AsFd) -> Result<bool> {
    let status = rustix::fs::fstatfs(&descriptor).strace(|| "fstatfs(file)".into());
    Ok(status.map_err(|error| Error::call("a file", error))?.f_type as i64 == PROC)
}

pub(crate) fn is_root(descriptor: impl AsFd) -> Result<bool> {
    let status = rustix::fs::fstat(&descriptor).strace(|| "fstat(file)".into());
    Ok(status.map_err(|error| Error::call("a file", error))?.st_ino == PROC_ROOT)
}
