//! A container with a cgroup of its own, which takes root: it is born there, and with it goes everything that it was.

use super::site::{Site, groups};
use crate::checks::chance::some;
use crate::checks::process::Process;
use crate::checks::trial::{PATIENCE, Trial};
use crate::checks::{Fault, Stage, group};
use serde_json::json;
use std::time::{Duration, Instant};

/// Why no container can have a cgroup here, if so.
pub fn no_group(stage: &Stage) -> Option<String> {
    let why = "it takes root to make a cgroup for a container";
    group::no_group(stage).or_else(|| (!stage.has_many_ids).then(|| why.into()))
}

fn with_group<'a>(stage: &'a Stage, kinds: &[&str]) -> Result<Site<'a>, Fault> {
    let mut site = Site::new(stage, kinds)?;
    site.spec["linux"]["cgroupsPath"] = json!(site.group);
    Ok(site)
}

/// The lines of /proc/PID/cgroup that are not of this group, in the hierarchies that a container's group is in.
fn elsewhere(process: Process, group: &str) -> Result<Vec<String>, Fault> {
    let lines = process.read("cgroup")?;
    let counts = |line: &&str| line.starts_with("0::") || line.contains(":pids:");
    Ok(lines.lines().filter(counts).filter(|line| !line.ends_with(group)).map(String::from).collect())
}

/// The process waits in its group, which has its limit; the group goes with the container, and with one that cannot be made.
pub fn in_its_group(stage: &Stage) -> Result<String, Fault> {
    let mut site = with_group(stage, &["pid"])?;
    let limit = some(20, 1000);
    site.spec["linux"]["resources"] = json!({ "pids": { "limit": limit } });
    let process = site.create()?;
    if let Some(line) = elsewhere(process, &site.group)?.first() {
        return Err(Fault::new(format!("the process is in {}", site.group), line, "the-group-first"));
    }
    let files = groups(&site.group).into_iter().map(|folder| folder.join("pids.max"));
    let limits: Vec<String> = files.filter_map(|file| std::fs::read_to_string(file).ok()).collect();
    if limits.iter().all(|text| text.trim() != limit.to_string()) {
        let seen = format!("pids.max: {limits:?}");
        return Err(Fault::new(format!("pids.max: {limit}"), seen, "the-group-first"));
    }
    site.ok(&["delete", "--force", "ID"], "the-group-ends-the-rest")?;
    site.nothing_is_left("the-group-ends-the-rest")?;
    // No command line cleans up behind it here.
    let made = site.create_as_the_engine()?;
    if made.code != 0 {
        return Err(Fault::new("it is made and ended", made.spelled(), "as-far-as-the-gate"));
    }
    site.nothing_is_left("the-group-first")?;
    site.spec["process"]["args"] = json!(["nosuch"]);
    site.refused(&["create", "ID"], "executable file not found", "last-words")?;
    site.nothing_is_left("nothing-is-left")?;
    let made = site.create_as_the_engine()?;
    if made.code != 1 || !made.err.contains("executable file not found") {
        return Err(Fault::new("`create` fails: executable file not found", made.spelled(), "last-words"));
    }
    site.nothing_is_left("nothing-is-left")?;
    Ok(format!("pids.max was {limit}, and no group is left"))
}

/// Without a PID namespace, what the first process has left behind is in the group alone.
pub fn the_rest(stage: &Stage) -> Result<String, Fault> {
    let site = with_group(stage, &["ipc"])?;
    let process = site.started()?;
    site.ears.say("leave child");
    site.heard("left", "not-our-fault")?;
    let child = process.children().into_iter().next();
    let child = child.ok_or_else(|| Fault::new("the process has a child", "none", "not-our-fault"))?;
    site.ears.say("exit 0");
    if !Trial::goes_away(process) {
        return Err(Fault::new("the first process ends", "it lives", "not-our-fault"));
    }
    site.ok(&["delete", "ID"], "the-group-ends-the-rest")?;
    if child.is_alive() {
        return Err(Fault::new("what it had left behind has ended", "it lives", "the-group-ends-the-rest"));
    }
    site.nothing_is_left("the-group-ends-the-rest")?;
    Ok(format!("process {} was left behind, and has ended", child.0))
}

/// A signal for all reaches those that the first process has made.
pub fn signalled_all(stage: &Stage) -> Result<String, Fault> {
    let site = with_group(stage, &["ipc"])?;
    let process = site.started()?;
    site.ears.say("leave child");
    site.heard("left", "not-our-fault")?;
    let child = process.children().into_iter().next();
    let child = child.ok_or_else(|| Fault::new("the process has a child", "none", "not-our-fault"))?;
    site.ok(&["kill", "--all", "ID", "USR2"], "to-all-of-them")?;
    for one in [process, child] {
        waits_at(one, 1 << 11)?;
    }
    site.ears.say("exit 0");
    if !Trial::goes_away(process) {
        return Err(Fault::new("the first process ends", "it lives", "not-our-fault"));
    }
    site.ok(&["kill", "--all", "ID", "USR1"], "to-all-of-them")?;
    waits_at(child, 1 << 11 | 1 << 9)?;
    Ok("signal 12 waits at both, and signal 10 at the one that was left".into())
}

/// The signals that a process has blocked and was sent.
fn waits_at(process: Process, signals: u64) -> Result<(), Fault> {
    let status = process.read("status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("ShdPnd:")).unwrap_or_default();
    if u64::from_str_radix(line.trim(), 16) == Ok(signals) {
        return Ok(());
    }
    let seen = format!("process {}: ShdPnd:{line}", process.0);
    Err(Fault::new(format!("ShdPnd: {signals:016x}"), seen, "to-all-of-them"))
}

/// What stands still is paused, ends when it is killed, and can be removed.
pub fn paused(stage: &Stage) -> Result<String, Fault> {
    let site = with_group(stage, &["pid"])?;
    let process = site.started()?;
    site.ok(&["pause", "ID"], "not-our-fault")?;
    site.ok(&["kill", "ID", "TERM"], "signal-by-pidfd")?;
    site.expect_status("paused", "asked-each-time")?;
    site.ok(&["resume", "ID"], "not-our-fault")?;
    site.expect_status("running", "asked-each-time")?;
    site.ok(&["pause", "ID"], "not-our-fault")?;
    let why = format!("cannot delete container {} that is not stopped: paused", site.id);
    site.refused(&["delete", "ID"], &why, "by-force-alone")?;
    site.ok(&["kill", "ID", "KILL"], "frozen-to-the-end")?;
    let deadline = Instant::now() + PATIENCE;
    while process.is_alive() {
        if Instant::now() > deadline {
            return Err(Fault::new("the process ends", "it stands still", "frozen-to-the-end"));
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    site.ok(&["delete", "ID"], "frozen-to-the-end")?;
    drop(site);
    let site = with_group(stage, &["pid"])?;
    site.started()?;
    site.ok(&["pause", "ID"], "not-our-fault")?;
    site.ok(&["delete", "--force", "ID"], "frozen-to-the-end")?;
    site.nothing_is_left("frozen-to-the-end")?;
    Ok("paused, and ended".into())
}
