//! Values that the specification forbids, or that no kernel takes, refused by their JSON path before anything is made.

use super::word;
use crate::{Error, Result};
use oci_spec::runtime::{Linux, Process, Spec};
use std::collections::BTreeSet;
use std::path::Path;

/// The kernel's longest name of a host or a domain (sethostname(2)).
const NAME_MAX: usize = 64;

/// The first value that is wrong.
pub fn check(spec: &Spec) -> Result<()> {
    check_version(spec.version())?;
    if let Some(process) = spec.process() {
        check_process(process)?;
    }
    check_names(spec)?;
    for (index, mount) in spec.mounts().iter().flatten().enumerate() {
        if mount.destination().as_os_str().is_empty() {
            return wrong(&format!("mounts[{index}].destination"), "", "must be a path inside the container");
        }
    }
    spec.linux().as_ref().map_or(Ok(()), check_linux)
}

fn check_names(spec: &Spec) -> Result<()> {
    if spec.annotations().iter().flatten().any(|(key, _)| key.is_empty()) {
        return Err(Error::invalid("annotations: must not have an empty key"));
    }
    for (name, value) in [("hostname", spec.hostname()), ("domainname", spec.domainname())] {
        if let Some(value) = value.as_ref().filter(|value| value.len() > NAME_MAX) {
            return wrong(name, value, "must have at most 64 bytes");
        }
    }
    Ok(())
}

fn wrong<T>(path: &str, value: impl std::fmt::Debug, remedy: &str) -> Result<T> {
    Err(Error::invalid(format!("{path} {value:?}: {remedy}")))
}

/// Semantic versions (config.md, "Specification version"): what a newer minor version adds is refused by its own name.
fn check_version(version: &str) -> Result<()> {
    let mut numbers = version.split(['-', '+']).next().unwrap_or_default().split('.');
    let is_version =
        numbers.clone().count() == 3 && numbers.clone().all(|number| number.parse::<u32>().is_ok());
    if is_version && numbers.next() == Some("1") {
        return Ok(());
    }
    wrong("ociVersion", version, "must be a version of the specification from 1.0.0 on and below 2.0.0")
}

/// The same for a process that is added to a container.
pub fn check_process(process: &Process) -> Result<()> {
    if process.args().as_ref().is_none_or(|arguments| arguments.is_empty()) {
        return Err(Error::invalid("process.args: must name a command"));
    }
    absolute("process.cwd", process.cwd())?;
    without_zeros("args", process.args())?;
    without_zeros("env", process.env())?;
    if let Some(score) = process.oom_score_adj().filter(|score| !(-1000..=1000).contains(score)) {
        return wrong("process.oomScoreAdj", score, "must be from -1000 to 1000");
    }
    if let Some(umask) = process.user().umask().filter(|umask| *umask > 0o777) {
        return wrong("process.user.umask", umask, "must be at most 511, which is octal 777");
    }
    check_ids(process)?;
    check_console(process)?;
    check_rlimits(process)
}

/// A zero byte is where a word ends for execve(2).
fn without_zeros(name: &str, words: &Option<Vec<String>>) -> Result<()> {
    let mut words = words.iter().flatten().enumerate();
    let Some((index, word)) = words.find(|(_, word)| word.contains('\0')) else { return Ok(()) };
    wrong(&format!("process.{name}[{index}]"), word, "must not hold a zero byte")
}

/// The largest number is -1 to the kernel, which is nobody: "leave this id as it is".
fn check_ids(process: &Process) -> Result<()> {
    let user = process.user();
    let further = user.additional_gids().iter().flatten().map(|gid| ("additionalGids", *gid));
    let mut ids = [("uid", user.uid()), ("gid", user.gid())].into_iter().chain(further);
    match ids.find(|(_, id)| *id == u32::MAX) {
        Some((name, id)) => wrong(&format!("process.user.{name}"), id, "must be below 4294967295"),
        None => Ok(()),
    }
}

/// Without a terminal its size says nothing.
fn check_console(process: &Process) -> Result<()> {
    let size = process.console_size().filter(|_| process.terminal() == Some(true));
    for (name, size) in size.iter().flat_map(|size| [("height", size.height()), ("width", size.width())]) {
        if size > u16::MAX.into() {
            return wrong(&format!("process.consoleSize.{name}"), size, "must be at most 65535");
        }
    }
    Ok(())
}

fn check_rlimits(process: &Process) -> Result<()> {
    let mut seen = BTreeSet::new();
    for (index, limit) in process.rlimits().iter().flatten().enumerate() {
        let place = format!("process.rlimits[{index}]");
        if !seen.insert(word(&limit.typ())) {
            return wrong(&format!("{place}.type"), word(&limit.typ()), "must not be there twice");
        }
        if limit.soft() > limit.hard() {
            return wrong(&format!("{place}.soft"), limit.soft(), "must not be above hard");
        }
    }
    Ok(())
}

fn check_linux(linux: &Linux) -> Result<()> {
    for (index, namespace) in linux.namespaces().iter().flatten().enumerate() {
        if let Some(path) = namespace.path().as_ref().filter(|path| !path.as_os_str().is_empty()) {
            absolute(&format!("linux.namespaces[{index}].path"), path)?;
        }
    }
    for (index, device) in linux.devices().iter().flatten().enumerate() {
        absolute(&format!("linux.devices[{index}].path"), device.path())?;
    }
    let lists = [("maskedPaths", linux.masked_paths()), ("readonlyPaths", linux.readonly_paths())];
    for (name, paths) in lists {
        for (index, path) in paths.iter().flatten().enumerate() {
            absolute(&format!("linux.{name}[{index}]"), Path::new(path))?;
        }
    }
    check_maps_and_clocks(linux)
}

fn check_maps_and_clocks(linux: &Linux) -> Result<()> {
    for (name, maps) in [("uidMappings", linux.uid_mappings()), ("gidMappings", linux.gid_mappings())] {
        if let Some(index) = maps.iter().flatten().position(|map| map.size() == 0) {
            return wrong(&format!("linux.{name}[{index}].size"), 0, "must be at least 1");
        }
    }
    for clock in linux.time_offsets().iter().flat_map(|offsets| offsets.keys()) {
        if !["monotonic", "boottime"].contains(&clock.as_str()) {
            return wrong("linux.timeOffsets", clock, "must be monotonic or boottime");
        }
    }
    Ok(())
}

fn absolute(place: &str, path: &Path) -> Result<()> {
    if path.is_absolute() { Ok(()) } else { wrong(place, path, "must be an absolute path") }
}
