//! Long tail: `--systemd-cgroup`: the container's group is a scope of systemd's, made when there is a process to put into it.

use super::store::{Entry, Rootless};
use crate::plan::{Bundle, limits};
use crate::{Error, ErrorKind, Result};
use cgroups::Cgroup;
use cgroups::systemd::{self, Unit};
use kernel::Strace;
use oci_spec::runtime::{Linux, Spec};

/// Refuses where systemd cannot be asked.
pub fn check() -> Result<()> {
    let remedy = "or leave it out, and give linux.cgroupsPath as a path";
    let refused = |why| {
        Error::new(ErrorKind::NotSupported, format!("--systemd-cgroup is not supported: {why}, {remedy}"))
    };
    systemd::available().map_err(refused)
}

/// The unit of a new container: its config.json's, or one of our own, unless it is to go without.
pub fn unit_of(spec: &Spec, id: &str, rootless: Rootless) -> Result<Option<Unit>> {
    let of_user = systemd::is_a_users()?;
    let path = spec.linux().as_ref().and_then(|linux| linux.cgroups_path().as_ref());
    let unit = match path.filter(|path| !path.as_os_str().is_empty()) {
        Some(path) => Unit::named(&path.to_string_lossy(), of_user),
        None if rootless == Rootless::True => return Ok(None),
        None => Unit::usual(id, of_user),
    };
    unit.map(Some).map_err(|why| Error::invalid(format!("linux.cgroupsPath with --systemd-cgroup: {why}")))
}

/// Puts the container's first process, which waits, into its unit, and records where that is.
pub fn enter(entry: &mut Entry, bundle: &Bundle, unit: &Unit) -> Result<()> {
    let no_linux = Linux::default();
    let limits = limits(bundle.spec.linux().as_ref().unwrap_or(&no_linux))?;
    let description = format!("Container {}", bundle.id);
    entry.record.cgroup = Some(systemd::start(unit, entry.process()?.pid, &description, &limits)?);
    entry.record.unit_inode = entry.cgroup()?.as_ref().map(inode).transpose()?.flatten();
    entry.write()
}

/// None: the group is gone.
fn inode(cgroup: &Cgroup) -> Result<Option<u64>> {
    let status = cgroup.unified_fd().map(rustix::fs::fstat).transpose();
    Ok(status.strace(|| "fstat(a cgroup)".into())?.map(|status| status.st_ino))
}

/// Ends what is left of the container: its processes by us, since systemd would be patient with them, and the unit by systemd.
pub fn end(entry: &Entry, unit: &Unit) -> Result<()> {
    entry.record.process.map_or(Ok(()), |process| crate::destroy(process, None))?;
    // Without a record of its group the unit was not made by us; or whoever made it was killed, and it went with the process.
    let Some(cgroup) = entry.cgroup()? else { return Ok(()) };
    // The unit has ended by itself, and another container's took its name.
    if let (Some(own), Some(now)) = (entry.record.unit_inode, inode(&cgroup)?)
        && own != now
    {
        return Ok(());
    }
    // The group may go with its last process at any moment; whoever is left is stopped with the unit.
    let _ = cgroup.kill();
    Ok(systemd::stop(unit)?)
}
