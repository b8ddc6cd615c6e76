//! Long tail: `pause` and `resume`.

use super::store::{Entry, Status, Store};
use crate::{Error, ErrorKind, Result};
use cgroups::Cgroup;

/// Stops every process of a container where it is.
pub fn pause(store: &Store, id: &str) -> Result<u8> {
    let entry = store.open(id)?;
    match entry.status() {
        Status::Running | Status::Created => cgroup(&entry, "pause")?.freeze()?,
        _ => return Err(Error::new(ErrorKind::Conflict, "container not running")),
    }
    Ok(0)
}

/// Lets them go on.
pub fn resume(store: &Store, id: &str) -> Result<u8> {
    let entry = store.open(id)?;
    match entry.status() {
        Status::Paused => cgroup(&entry, "resume")?.thaw()?,
        _ => return Err(Error::new(ErrorKind::Conflict, "container not paused")),
    }
    Ok(0)
}

/// The container's group, for a command that can do nothing without one.
pub fn cgroup(entry: &Entry, verb: &str) -> Result<Cgroup> {
    entry.cgroup()?.ok_or_else(|| {
        let why = format!(
            "{verb} needs a cgroup, which container {} has not: give its config.json a linux.cgroupsPath that this user may use",
            entry.record.id
        );
        Error::new(ErrorKind::NotSupported, why)
    })
}
