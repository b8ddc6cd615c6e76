//! Makes a group: a folder in every hierarchy, and in its files the limits.

use crate::plan::{Otherwise, Write};
use crate::{Cgroup, Error, Layout, Limits, Op, Result, attached, delegation, files, more, plan, v1_groups};
use nix::errno::Errno;
use std::path::{Path, PathBuf};

impl Cgroup {
    /// Makes the group at this path below each hierarchy's mount point, and limits it. On failure nothing is left of it.
    ///
    /// An ordinary user without a delegated cgroup gets a group without folders, which does nothing.
    ///
    /// Errors: `NotSupported` for a limit that this machine, or this user, cannot set, by its name; `PermissionDenied` for a
    /// hierarchy that cannot be written, with what can be done; `Invalid` for a value that the kernel refuses.
    pub fn create(layout: &Layout, path: &str, limits: &Limits) -> Result<Cgroup> {
        if !kernel::is_root() && delegation::gives_nothing(layout) {
            return delegation::without_group(layout, limits);
        }
        let steps = plan(layout, limits).map_err(Error::not_supported)?;
        if layout.unified.is_none() && layout.v1.is_empty() {
            return Err(Error::not_supported(NOTHING_MOUNTED));
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

const NOTHING_MOUNTED: &str = "no cgroup hierarchy is mounted; as root: mount -t cgroup2 none /sys/fs/cgroup";

fn make_folders(layout: &Layout, path: &str, limits: &Limits, made: &mut Vec<PathBuf>) -> Result<()> {
    if !layout.v1.is_empty() {
        v1_groups::make(layout, path, made)?;
    }
    // Where v1 has the controllers, an ordinary user may have v2 without having been given anything of it.
    let is_ours = layout.delegated.is_some() || kernel::is_root();
    let Some(mount) = layout.unified.as_ref().filter(|_| is_ours) else {
        return Ok(());
    };
    let folder = files::below(mount, path);
    let above = folder.parent().unwrap_or(mount);
    files::make(mount, above, made)?;
    pass_on(layout, mount, above, limits)?;
    files::make(mount, &folder, made).map(drop)
}

/// On v2 a controller reaches a group only if every group above it passes it on: from the topmost that is ours downwards.
fn pass_on(layout: &Layout, mount: &Path, above: &Path, limits: &Limits) -> Result<()> {
    let wanted: Vec<&String> =
        layout.unified_controllers.iter().filter(|name| is_wanted(name, limits)).collect();
    let top = files::below(mount, layout.delegated.as_deref().unwrap_or_default());
    let mut groups: Vec<&Path> = above.ancestors().take_while(|group| group.starts_with(&top)).collect();
    while let Some(group) = groups.pop() {
        let missing = missing(group, &wanted);
        if !missing.is_empty() {
            pass_on_from(group, &missing)?;
        }
    }
    Ok(())
}

/// A group that passes controllers on may have no process itself (admin-guide/cgroup-v2.rst, "No Internal Process Constraint").
fn pass_on_from(group: &Path, controllers: &str) -> Result<()> {
    let file = group.join("cgroup.subtree_control");
    match files::try_write(&file, controllers) {
        Err(Errno::EBUSY) => {
            delegation::step_aside(group)?;
            files::write(&file, controllers)
        }
        written => files::written(written, &file, controllers),
    }
}

fn is_wanted(controller: &str, limits: &Limits) -> bool {
    match controller {
        "cpuset" | "cpu" | "io" | "memory" | "pids" => true,
        rare => limits.has_more() && more::wants(rare, limits),
    }
}

fn missing(group: &Path, wanted: &[&String]) -> String {
    let passed = std::fs::read_to_string(group.join("cgroup.subtree_control")).unwrap_or_default();
    let is_missing = |name: &&&String| !passed.split_whitespace().any(|own| own == name.as_str());
    let missing: Vec<String> = wanted.iter().filter(is_missing).map(|name| format!("+{name}")).collect();
    missing.join(" ")
}

/// One step, in a group that is there.
pub fn carry_out(cgroup: &Cgroup, step: &Op) -> Result<()> {
    match step {
        Op::Write(write) => carry_out_write(cgroup, write),
        Op::Devices(rules) => attached::attach(cgroup, rules),
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
            let (file, value) = (file.clone(), value.clone());
            carry_out_write(cgroup, &Write { file, value, otherwise: Otherwise::Refuse, ..write.clone() })
        }
        (Err(Errno::ENOENT), Otherwise::Refuse) => {
            let file = &write.file;
            Err(Error::not_supported(format_args!("this kernel has no {file}: it cannot be limited")))
        }
        (written, _) => files::written(written, &path, &write.value),
    }
}
