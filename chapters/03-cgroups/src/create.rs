//! Makes a group: a folder in every hierarchy, and in its files the limits.

use crate::layout::CALLERS;
use crate::plan::{Otherwise, Write};
use crate::{Cgroup, Error, Layout, Limits, Op, Result, device_program, files, plan};
use nix::errno::Errno;
use std::path::{Path, PathBuf};

/// What an ordinary user does who was given no cgroup.
const HOW_TO_DELEGATE: &str = "A cgroup of v2 can be delegated to this user. With systemd, for one command: systemd-run --user \
    --scope -p Delegate=yes COMMAND; for every login: Delegate=cpu cpuset io memory pids, below [Service] in \
    /etc/systemd/system/user@.service.d/delegate.conf. Without systemd, as root, for the shell with number PID: \
    cd /sys/fs/cgroup; echo +cpu +cpuset +io +memory +pids > cgroup.subtree_control; mkdir mine; \
    chown USER mine mine/cgroup.procs mine/cgroup.subtree_control mine/cgroup.threads; echo PID > mine/cgroup.procs";

impl Cgroup {
    /// Makes the group at this path below each hierarchy's mount point, and limits it. On failure nothing is left of it.
    ///
    /// An ordinary user without a delegated cgroup gets a group without folders, which does nothing.
    ///
    /// Errors: `NotSupported` for a limit that this machine, or this user, cannot set, by its name; `PermissionDenied` for a
    /// hierarchy that cannot be written, with what can be done; `Invalid` for a value that the kernel refuses.
    pub fn create(layout: &Layout, path: &str, limits: &Limits) -> Result<Cgroup> {
        let is_given_nothing =
            !nix::unistd::geteuid().is_root() && layout.delegated.is_none() && layout.v1.is_empty();
        let steps = plan(layout, limits).map_err(|refusal| match is_given_nothing {
            true => Error::not_supported(format_args!("{refusal}. {HOW_TO_DELEGATE}")),
            false => Error::not_supported(refusal),
        })?;
        if is_given_nothing {
            // The plan has refused whatever would need a group.
            return Ok(Cgroup::without_folders());
        }
        if layout.unified.is_none() && layout.v1.is_empty() {
            let message = "no cgroup hierarchy is mounted; as root: mount -t cgroup2 none /sys/fs/cgroup";
            return Err(Error::not_supported(message));
        }
        let mut made = Vec::new();
        let limited = make_folders(layout, path, limits, &mut made)
            .and_then(|()| Cgroup::open(layout, path))
            .and_then(|cgroup| steps.iter().try_for_each(|step| carry_out(&cgroup, step)).map(|()| cgroup));
        if limited.is_err() {
            // The error that is returned says more than one of removing what was half made. What was there before stays.
            made.iter().rev().for_each(|folder| drop(files::remove_if_empty(folder)));
        }
        limited
    }
}

fn make_folders(layout: &Layout, path: &str, limits: &Limits, made: &mut Vec<PathBuf>) -> Result<()> {
    for hierarchy in &layout.v1 {
        let folder = files::below(&hierarchy.mount, path);
        let is_new = files::make(&hierarchy.mount, &folder, made)?;
        if is_new && hierarchy.has("cpuset") {
            inherit_cpuset(&hierarchy.mount, &folder)?;
        }
    }
    // Where v1 has the controllers, an ordinary user may have v2 without having been given anything of it.
    let is_ours = layout.delegated.is_some() || nix::unistd::geteuid().is_root();
    let Some(mount) = layout.unified.as_ref().filter(|_| is_ours) else {
        return Ok(());
    };
    let folder = files::below(mount, path);
    let above = folder.parent().unwrap_or(mount);
    files::make(mount, above, made)?;
    pass_on(layout, mount, above, limits)?;
    files::make(mount, &folder, made).map(drop)
}

/// A new group of the cpuset controller has no processors, and no process can be in it: it begins with what is above it has.
fn inherit_cpuset(mount: &Path, folder: &Path) -> Result<()> {
    for file in ["cpuset.cpus", "cpuset.mems"] {
        let above = folder.parent().unwrap_or(mount);
        let mut value = files::read(&above.join(file))?;
        if value.trim().is_empty() && above != mount {
            inherit_cpuset(mount, above)?;
            value = files::read(&above.join(file))?;
        }
        files::write(&folder.join(file), value.trim())?;
    }
    Ok(())
}

/// On v2 a controller reaches a group only if every group above it passes it on.
fn pass_on(layout: &Layout, mount: &Path, above: &Path, limits: &Limits) -> Result<()> {
    let is_wanted = |name: &&String| match name.as_str() {
        "cpuset" | "cpu" | "io" | "memory" | "pids" => true,
        "hugetlb" => !limits.hugetlb.is_empty(),
        _ => false,
    };
    let wanted: Vec<&String> = layout.unified_controllers.iter().filter(is_wanted).collect();
    let top = files::below(mount, layout.delegated.as_deref().unwrap_or_default());
    let mut groups: Vec<&Path> = above.ancestors().take_while(|group| group.starts_with(&top)).collect();
    groups.reverse();
    if !groups.is_empty() && missing(above, &wanted).is_empty() {
        return Ok(());
    }
    for group in groups {
        let missing = missing(group, &wanted);
        if missing.is_empty() {
            continue;
        }
        let file = group.join("cgroup.subtree_control");
        match files::try_write(&file, &missing) {
            Err(Errno::EBUSY) => {
                step_aside(group)?;
                files::write(&file, &missing)?;
            }
            written => files::written(written, &file, &missing)?,
        }
    }
    Ok(())
}

fn missing(group: &Path, wanted: &[&String]) -> String {
    let passed = std::fs::read_to_string(group.join("cgroup.subtree_control")).unwrap_or_default();
    let is_missing = |name: &&&String| !passed.split_whitespace().any(|own| own == name.as_str());
    let missing: Vec<String> = wanted.iter().filter(is_missing).map(|name| format!("+{name}")).collect();
    missing.join(" ")
}

/// A group with processes of its own cannot pass controllers on. When we are one of them, all of them move one group down.
fn step_aside(group: &Path) -> Result<()> {
    let own = std::process::id().to_string();
    let processes = files::read(&group.join("cgroup.procs"))?;
    if !processes.lines().any(|pid| pid == own) {
        let group = group.display();
        return Err(Error::not_supported(format_args!(
            "{group} has processes of its own, so that nothing below it can be limited (cgroups(7), \"no internal processes\")"
        )));
    }
    let callers = group.join(CALLERS);
    files::make(group, &callers, &mut Vec::new())?;
    for pid in processes.lines() {
        match files::try_write(&callers.join("cgroup.procs"), pid) {
            // It has ended meanwhile.
            Err(Errno::ESRCH) => {}
            moved => files::written(moved, &callers.join("cgroup.procs"), pid)?,
        }
    }
    Ok(())
}

/// One step, in a group that is there.
pub fn carry_out(cgroup: &Cgroup, step: &Op) -> Result<()> {
    match step {
        Op::Write(write) => carry_out_write(cgroup, write),
        Op::Devices(rules) => {
            let Some(group) = cgroup.unified_fd() else {
                return Ok(());
            };
            match kernel::attach_device_program(group, &device_program(rules)) {
                // An ordinary user may load no program, and makes no device and opens none that is not theirs anyway.
                Err(error) if error.errno() == Errno::EPERM && !nix::unistd::geteuid().is_root() => Ok(()),
                attached => attached.map_err(|error| Error::call("device rules", error)),
            }
        }
    }
}

fn carry_out_write(cgroup: &Cgroup, write: &Write) -> Result<()> {
    let folder = match &write.controller {
        Some(controller) => cgroup.v1_folder(controller),
        None => cgroup.unified_folder(),
    };
    let Some(folder) = folder else { return Ok(()) };
    let path = folder.join(&write.file);
    match (files::try_write(&path, &write.value), &write.otherwise) {
        (Err(Errno::ENOENT), Otherwise::PassOver) => Ok(()),
        (Err(Errno::ENOENT), Otherwise::Use(file, value)) => {
            let path = folder.join(file);
            limit_exists(files::try_write(&path, value), file)
                .and_then(|done| files::written(done, &path, value))
        }
        (done, _) => {
            limit_exists(done, &write.file).and_then(|done| files::written(done, &path, &write.value))
        }
    }
}

fn limit_exists(written: nix::Result<()>, file: &str) -> Result<nix::Result<()>> {
    match written {
        Err(Errno::ENOENT) => {
            Err(Error::not_supported(format_args!("this kernel has no {file}: it cannot be limited")))
        }
        other => Ok(other),
    }
}
