//! What a case may leave behind: nothing.

use std::path::Path;

/// Other tests mount as well: from here on, only what this process and its children mount is seen.
pub fn see_only_own_mounts() {
    use nix::mount::{MsFlags, mount};
    let none = None::<&str>;
    nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNS).unwrap();
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).unwrap();
}

/// Mounts, and what of processes, cgroups and kept states is named after the case's folder.
#[derive(Debug, PartialEq)]
pub struct Leftovers {
    mounts: usize,
    processes: Vec<String>,
    cgroups: Vec<String>,
    states: usize,
}

/// Counts.
pub fn count(folder: &Path) -> Leftovers {
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    let name = folder.file_name().unwrap().to_string_lossy().into_owned();
    Leftovers {
        mounts: mounts.lines().count(),
        processes: processes(&name),
        cgroups: mounts
            .lines()
            .filter(|line| line.contains(" - cgroup"))
            .flat_map(|line| cgroups(line, &name))
            .collect(),
        states: std::fs::read_dir(folder.join("state")).map_or(0, |entries| entries.count()),
    }
}

fn processes(name: &str) -> Vec<String> {
    let line = |entry: std::fs::DirEntry| {
        let line = std::fs::read(entry.path().join("cmdline")).ok()?;
        Some(String::from_utf8_lossy(&line).replace('\0', " ")).filter(|line| line.contains(name))
    };
    std::fs::read_dir("/proc").unwrap().flatten().filter_map(line).collect()
}

fn cgroups(mount: &str, name: &str) -> Vec<String> {
    let point = mount.split(' ').nth(4).unwrap_or_default();
    let entries = std::fs::read_dir(point).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path().display().to_string());
    paths.filter(|path| path.contains(name)).collect()
}
