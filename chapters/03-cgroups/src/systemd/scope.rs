//! Long tail: a scope made, limited anew, and stopped.

#[cfg(feature = "systemd")]
use super::bus::Manager;
#[cfg(not(feature = "systemd"))]
use super::no_bus::Manager;
use super::{IS_BUILT_IN, Unit, properties};
use crate::{Cgroup, Error, Layout, Limits, Op, Result, create, files, plan};
use nix::unistd::geteuid;
use std::path::Path;

/// Whether systemd can be asked here, before anything is made.
///
/// Errors: `NotSupported` for a build without the cargo feature `systemd`, for a machine whose process 1 is another one, and for
/// one whose controllers are bound to cgroup v1.
pub fn available() -> Result<()> {
    let why = if !IS_BUILT_IN {
        "this build cannot ask systemd: build with --features systemd"
    } else if !Path::new("/run/systemd/system").is_dir() {
        // The test of sd_booted(3).
        "systemd is not this machine's first process"
    } else if !Layout::detect()?.is_unified() {
        "this machine's controllers are bound to cgroup v1: boot with systemd.unified_cgroup_hierarchy=1"
    } else {
        return Ok(());
    };
    Err(Error::not_supported(why))
}

/// Whether the caller is served by a systemd of their own: an ordinary user, and root of a user namespace, who is one outside.
pub fn is_a_users() -> Result<bool> {
    let map = files::read("/proc/self/uid_map".as_ref())?;
    Ok(!geteuid().is_root() || map.split_whitespace().ne(["0", "0", "4294967295"]))
}

/// Makes the unit with this process in it, which waits meanwhile, and limits it; returns its group's path below the mount point. On
/// failure nothing is left of it; the process then ends.
///
/// Afterwards the calling process has threads: the bus's.
///
/// Errors: as for [`Cgroup::create`], and `System` when systemd refuses, in its own words.
pub fn start(unit: &Unit, pid: i32, description: &str, limits: &Limits) -> Result<String> {
    let known = properties::limits(limits, unit.of_user).map_err(Error::not_supported)?;
    let manager = Manager::connect(unit.of_user)?;
    manager.start(&unit.name, &properties::scope(unit, pid.unsigned_abs(), description))?;
    let limited = group_of(unit, pid).and_then(|path| {
        let (cgroup, steps) = planned(&path, limits)?;
        manager.set(&unit.name, &known)?;
        write_all(&cgroup, &steps).map(|()| path)
    });
    if limited.is_err() {
        // The error that is returned says more than one of removing what was half made.
        let _ = manager.stop(&unit.name);
    }
    limited
}

/// Where the process is now, by the kernel's own word: where a user's systemd has its tree need not be known.
fn group_of(unit: &Unit, pid: i32) -> Result<String> {
    let text = files::read(format!("/proc/{pid}/cgroup").as_ref())?;
    let path = text.lines().find_map(|line| line.strip_prefix("0::"));
    let path = path.filter(|path| path.ends_with(&format!("/{}", unit.name)));
    path.map(String::from).ok_or_else(|| {
        Error::system(format_args!(
            "systemd has made {}, but process {pid} is in {:?}",
            unit.name,
            text.trim()
        ))
    })
}

/// The plan for a group that is there, which has the controllers that systemd gives it.
fn planned(path: &str, limits: &Limits) -> Result<(Cgroup, Vec<Op>)> {
    let mut layout = Layout::detect()?;
    let mount = layout.unified.clone().unwrap_or_default();
    let controllers = files::read(&files::below(&mount, path).join("cgroup.controllers"))?;
    layout.unified_controllers = controllers.split_whitespace().map(String::from).collect();
    let steps = plan(&layout, limits).map_err(Error::not_supported)?;
    Ok((Cgroup::open(&layout, path)?, steps))
}

fn write_all(cgroup: &Cgroup, steps: &[Op]) -> Result<()> {
    steps.iter().try_for_each(|step| create::carry_out(cgroup, step))
}

/// Other limits for the unit, whose group is at this path; what is absent stays, and so do rules for devices.
///
/// Errors: as for [`Cgroup::update`].
pub fn update(unit: &Unit, path: &str, limits: &Limits) -> Result<()> {
    let limits = Limits { devices: Vec::new(), ..limits.clone() };
    let known = properties::limits(&limits, unit.of_user).map_err(Error::not_supported)?;
    let (cgroup, steps) = planned(path, &limits)?;
    if !known.is_empty() {
        Manager::connect(unit.of_user)?.set(&unit.name, &known)?;
    }
    write_all(&cgroup, &steps)
}

/// Stops the unit, in which nothing runs any more, and lets systemd forget it. One that is not there has been forgotten.
pub fn stop(unit: &Unit) -> Result<()> {
    Manager::connect(unit.of_user)?.stop(&unit.name)
}
