//! Counts what an engine left behind: mounts, links, rules, cgroups, processes and files.

use super::Namespace;
use std::path::{Path, PathBuf};

/// Everything that is still there and should not be; a line each.
pub fn of(token: &str, folder: &Path, namespace: Option<&Namespace>) -> Vec<String> {
    let mut found = Vec::new();
    found.extend(mounts(token).into_iter().map(|mount| format!("mount: {mount}")));
    found.extend(cgroups(token).into_iter().map(|path| format!("cgroup: {}", path.display())));
    found.extend(processes(token, namespace).into_iter().map(|process| format!("process: {process}")));
    found.extend(files(folder).into_iter().map(|path| format!("file: {}", path.display())));
    if let Some(namespace) = namespace {
        found.extend(namespace.links().into_iter().map(|link| format!("link: {link}")));
        found.extend(namespace.rules().lines().map(|rule| format!("rule: {rule}")));
    }
    found
}

fn mounts(token: &str) -> Vec<String> {
    let mountinfo = std::fs::read_to_string("/proc/self/mountinfo").expect("mountinfo");
    mountinfo.lines().filter(|line| line.contains(token)).map(String::from).collect()
}

/// The cgroups, in every hierarchy, whose path has the token that the engine was told as its parent's name.
pub fn cgroups(token: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from("/sys/fs/cgroup")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                continue;
            }
            if entry.file_name().to_string_lossy().contains(token) {
                found.push(entry.path());
            }
            folders.push(entry.path());
        }
    }
    found
}

/// The processes that name the engine's folder, live in its network namespace, or have a root that the engine made.
pub fn processes(token: &str, namespace: Option<&Namespace>) -> Vec<String> {
    let inside = namespace.and_then(|namespace| std::fs::read_link(namespace.path()).ok());
    // A mount that leaked to the host would be seen by every process there is.
    let tells = mounts(token).is_empty();
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").expect("/proc").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Ok(pid) = name.parse::<u32>() else { continue };
        if pid == std::process::id() || namespace.is_some_and(|namespace| namespace.holder() == pid) {
            continue;
        }
        let command = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let command = String::from_utf8_lossy(&command).replace('\0', " ");
        let is_inside = inside.is_some() && std::fs::read_link(entry.path().join("ns/net")).ok() == inside;
        // A zombie has no command line; it is its parent's to reap, and counted as well.
        let is_contained = || {
            tells
                && std::fs::read_to_string(entry.path().join("mountinfo"))
                    .is_ok_and(|mounts| mounts.lines().any(|line| is_root_of(line, token)))
        };
        if command.contains(token) || is_inside || is_contained() {
            found.push(format!("{pid} {command}"));
        }
    }
    found
}

/// Whether a line of mountinfo (proc_pid_mountinfo(5)) is a container's root whose layers lie in the engine's folder.
fn is_root_of(line: &str, token: &str) -> bool {
    line.split(' ').nth(4) == Some("/") && line.contains(token)
}

/// What must be gone when every container is removed and the daemon has stopped.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = children(&folder.join("exec"));
    for emptied in ["data/containers", "data/images/ingest", "data/volumes"] {
        found.extend(children(&folder.join(emptied)));
    }
    let is_new =
        |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("new"));
    found.extend(children(&folder.join("data/snapshots")).into_iter().filter(is_new));
    found
}

fn children(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}
