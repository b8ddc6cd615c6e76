//! How much memory an engine's processes use, read from /proc.

use crate::Result;
use std::fs;
use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

/// The part that a process plays in its engine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// What serves the API, and what that needs to run: dockerd and its containerd.
    Daemon,
    /// What stays for each container.
    Supervisor,
}

/// Resident memory of the engine's daemon in MB, shared pages counted in full.
pub fn daemon_rss(run_folder: &Path) -> Result<f64> {
    let pids = processes(run_folder, Part::Daemon)?;
    sum(&pids, "status", "VmRSS:")
}

/// Average over the engine's supervisors, in MB: proportional set size, and what each has alone and has written to.
pub fn supervisor(run_folder: &Path) -> Result<(f64, f64)> {
    let pids = processes(run_folder, Part::Supervisor)?;
    if pids.is_empty() {
        return Err(format!("no supervisor with {} in its command line", run_folder.display()));
    }
    let average = |name: &str| sum(&pids, "smaps_rollup", name).map(|sum| sum / pids.len() as f64);
    Ok((average("Pss:")?, average("Private_Dirty:")?))
}

/// Proportional set size of one process, in MB.
pub fn proportional(pid: &str) -> Result<f64> {
    let pid = pid.parse().map_err(|error| format!("process {pid}: {error}"))?;
    sum(&[pid], "smaps_rollup", "Pss:")
}

/// How long a container may take until its command runs.
const LIMIT: Duration = Duration::from_secs(20);

/// The anonymous memory of a runtime, in MB, once a child of its executes this program: what no file on a disk is the copy of.
pub fn anonymous_beside(runtime: &Child, program: &str) -> Result<f64> {
    let (pid, start) = (runtime.id(), Instant::now());
    let is_it = |child: &str| {
        fs::read_to_string(format!("/proc/{child}/comm")).is_ok_and(|comm| comm.trim_end() == program)
    };
    while !children(pid).split_whitespace().any(is_it) {
        if start.elapsed() > LIMIT {
            return Err(format!("process {pid} has no child that executes {program}"));
        }
        std::thread::sleep(Duration::from_millis(1)); // /proc tells nobody when it changes
    }
    sum(&[pid], "status", "RssAnon:")
}

/// The numbers of all children; each thread has those that it made.
fn children(pid: u32) -> String {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok()).collect()
}

fn processes(run_folder: &Path, part: Part) -> Result<Vec<u32>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").map_err(|error| format!("/proc: {error}"))?.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default(); // it may have ended meanwhile
        let line = String::from_utf8_lossy(&line);
        let words: Vec<&str> = line.split('\0').collect();
        if line.contains(&format!("{}/", run_folder.display())) && part_of(&words) == Some(part) {
            found.push(pid);
        }
    }
    Ok(found)
}

/// Told from the program's name; ours has one executable for both.
fn part_of(words: &[&str]) -> Option<Part> {
    let program = words.first()?.rsplit('/').next()?;
    match program {
        "dockerd" | "containerd" | "podman" => Some(Part::Daemon),
        "containerd-shim-runc-v2" | "conmon" => Some(Part::Supervisor),
        _ if words.contains(&"supervise") => Some(Part::Supervisor),
        _ if words.contains(&"daemon") => Some(Part::Daemon),
        _ => None,
    }
}

/// The sum over processes of a field that /proc gives in kB.
fn sum(pids: &[u32], file: &str, field: &str) -> Result<f64> {
    let mut kilobytes = 0.0;
    for pid in pids {
        let path = format!("/proc/{pid}/{file}");
        let text = fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
        let value = text
            .lines()
            .find_map(|line| line.strip_prefix(field)?.split_whitespace().next()?.parse::<f64>().ok());
        kilobytes += value.ok_or_else(|| format!("{path}: no {field}"))?;
    }
    Ok(kilobytes / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_known_by_its_program_or_its_face() {
        assert_eq!(part_of(&["/usr/bin/containerd", "--config"]), Some(Part::Daemon));
        assert_eq!(part_of(&["/usr/bin/containerd-shim-runc-v2", "-id"]), Some(Part::Supervisor));
        assert_eq!(part_of(&["/x/coracle", "daemon"]), Some(Part::Daemon));
        assert_eq!(part_of(&["/proc/self/exe", "supervise", "/run/x"]), Some(Part::Supervisor));
        assert_eq!(part_of(&["sleep", "1000"]), None);
    }
}
