//! What is known of a container between two commands, and what may be done to it: by files that we change, and by its own.

use super::births::recorded;
use super::site::{Site, reap};
use crate::checks::trial::{PATIENCE, SILENCE, Trial};
use crate::checks::{Fault, Stage};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::time::{Duration, Instant};

/// Who runs cannot be started again, nor who was killed while waiting; and a start that was killed leaves nobody to be waited for.
pub fn start_once(stage: &Stage) -> Result<String, Fault> {
    let site = Site::new(stage, &["pid"])?;
    site.started()?;
    site.refused(&["start", "ID"], "cannot start an already running container", "asked-each-time")?;
    drop(site);
    let site = Site::new(stage, &["pid"])?;
    site.create()?;
    // As a `start` does that is killed before it takes the names away.
    let gate =
        OpenOptions::new().write(true).custom_flags(nix::libc::O_NONBLOCK).open(site.state_file("start"));
    gate.and_then(|mut gate| gate.write_all(b"."))
        .map_err(|error| Fault::new("a child reads from the FIFO start", error.to_string(), "two-fifos"))?;
    site.heard("started", "say-then-wait")?;
    site.refused(&["start", "ID"], "cannot start a container that has stopped", "nobody-reads")
}

/// The status follows what is there: the record, the process, the names of the FIFOs.
pub fn status(stage: &Stage) -> Result<String, Fault> {
    let mut site = Site::new(stage, &["pid"])?;
    site.spec["annotations"] = json!({ "org.example.run": site.id });
    let process = site.create()?;
    let state = site.state("asked-each-time")?;
    let expected = [
        ("ociVersion", json!("1.2.0")),
        ("id", json!(site.id)),
        ("status", json!("created")),
        ("pid", json!(process.0)),
        ("bundle", json!(site.folder.canonicalize()?)),
        ("annotations", json!({ "org.example.run": site.id })),
    ];
    for (name, value) in expected {
        if state[name] != value {
            let seen = format!("{name}: {}", state[name]);
            return Err(Fault::new(format!("{name}: {value}"), seen, "asked-each-time"));
        }
    }
    let (start, unfinished) = (site.state_file("start"), site.state_file("start.new"));
    fs::rename(&start, &unfinished)?;
    site.expect_status("creating", "asked-each-time")?;
    site.refused(&["kill", "ID"], "container not running", "who-has-ended")?;
    fs::rename(&unfinished, &start)?;
    site.expect_status("created", "asked-each-time")?;
    edited(&site, |record| record["process"] = Value::Null)?;
    site.expect_status("creating", "asked-each-time")?;
    Ok(format!("created, process {}", process.0))
}

/// Changes the record.
fn edited(site: &Site<'_>, change: impl Fn(&mut Value)) -> Result<(), Fault> {
    let path = site.state_file("state.json");
    let mut record: Value = serde_json::from_slice(&fs::read(&path)?).unwrap_or_default();
    change(&mut record);
    Ok(fs::write(&path, record.to_string())?)
}

/// It has ended, and nobody has asked for its code yet; then somebody has. Both times it has stopped, and can be removed.
pub fn ended(stage: &Stage) -> Result<String, Fault> {
    let site = Site::new(stage, &["pid"])?;
    let process = site.create()?;
    kill(Pid::from_raw(process.0), Signal::SIGKILL)?;
    let deadline = Instant::now() + PATIENCE;
    while process.is_alive() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(2));
    }
    site.expect_status("stopped", "a-zombie-has-ended")?;
    if site.state("asked-each-time")?["pid"] != 0 {
        return Err(Fault::new("pid 0", "the number of who has ended", "asked-each-time"));
    }
    site.refused(&["start", "ID"], "cannot start a container that has stopped", "asked-each-time")?;
    site.refused(&["kill", "ID"], "container not running", "who-has-ended")?;
    reap();
    site.expect_status("stopped", "gone-is-no-error")?;
    site.ok(&["delete", "ID"], "gone-is-no-error")?;
    site.nothing_is_left("gone-is-no-error")?;
    Ok(format!("process {} has stopped, and is forgotten", process.0))
}

/// The number in the record is somebody else's by now.
pub fn same_process(stage: &Stage) -> Result<String, Fault> {
    let site = Site::new(stage, &["pid"])?;
    let process = site.started()?;
    edited(&site, |record| {
        let time = record["process"]["start_time"].as_u64().unwrap_or_default();
        record["process"]["start_time"] = json!(time.wrapping_sub(1));
    })?;
    site.expect_status("stopped", "number-and-time")?;
    site.refused(&["kill", "ID", "KILL"], "container not running", "number-and-time")?;
    site.ok(&["delete", "--force", "ID"], "number-and-time")?;
    if !process.is_alive() {
        return Err(Fault::new("a stranger's process lives", "it was killed", "number-and-time"));
    }
    Ok(format!("process {} is another, and lives", process.0))
}

/// Signals by number and by name, which wait at a process that has blocked them; and the one that cannot be.
pub fn signalled(stage: &Stage) -> Result<String, Fault> {
    let site = Site::new(stage, &["pid"])?;
    let process = site.started()?;
    let mut expected = 0u64;
    for (word, number) in [("TERM", 15), ("SIGUSR1", 10), ("12", 12), ("RTMIN+3", 37)] {
        site.ok(&["kill", "ID", word], "signal-by-pidfd")?;
        expected |= 1 << (number - 1);
        let status = process.read("status")?;
        let line = status.lines().find_map(|line| line.strip_prefix("ShdPnd:")).unwrap_or_default();
        if u64::from_str_radix(line.trim(), 16) != Ok(expected) {
            let seen = format!("ShdPnd:{line}");
            return Err(Fault::new(format!("ShdPnd: {expected:016x}"), seen, "signal-by-pidfd"));
        }
    }
    site.refused(&["kill", "ID", "NOSUCH"], "unknown signal", "signal-by-pidfd")?;
    one_at_a_time(&site)?;
    site.ok(&["kill", "ID", "KILL"], "signal-by-pidfd")?;
    if !Trial::goes_away(process) {
        return Err(Fault::new("the process ends", "it lives", "signal-by-pidfd"));
    }
    site.refused(&["kill", "ID", "KILL"], "container not running", "who-has-ended")?;
    before_it_starts(stage)?;
    Ok(format!("ShdPnd was {expected:016x}, and then the process ended"))
}

/// Who waits for its start is there, and may be killed.
fn before_it_starts(stage: &Stage) -> Result<(), Fault> {
    let site = Site::new(stage, &["pid"])?;
    let process = site.create()?;
    site.ok(&["kill", "ID", "KILL"], "who-has-ended")?;
    match Trial::goes_away(process) {
        true => Ok(()),
        false => Err(Fault::new("the process that waits ends", "it lives", "signal-by-pidfd")),
    }
}

/// While another command changes the container, `kill` waits.
fn one_at_a_time(site: &Site<'_>) -> Result<(), Fault> {
    let lock = site.lock()?;
    // The one that is there already: whether it was sent again cannot be seen, and need not be.
    let mut kill = site.begin(&["kill", "ID", "TERM"])?;
    std::thread::sleep(SILENCE);
    if kill.has_ended()? {
        let seen = "it has returned";
        return Err(Fault::new("`kill` waits for whoever has locked the container", seen, "one-at-a-time"));
    }
    drop(lock);
    let done = kill.wait("one-at-a-time")?;
    match done.code {
        0 => Ok(()),
        _ => Err(Fault::new("`kill` succeeds", done.spelled(), "one-at-a-time")),
    }
}

/// By force alone; and when `delete` returns, the process has ended, though it has much to give back.
pub fn deleted(stage: &Stage) -> Result<String, Fault> {
    let site = Site::new(stage, &["pid"])?;
    let process = site.started()?;
    let why = format!("cannot delete container {} that is not stopped: running", site.id);
    site.refused(&["delete", "ID"], &why, "by-force-alone")?;
    if !process.is_alive() {
        return Err(Fault::new("the process lives", "it has ended", "by-force-alone"));
    }
    site.ears.say("grow 200");
    site.heard("grown", "not-our-fault")?;
    site.ok(&["delete", "--force", "ID"], "until-it-has-ended")?;
    if process.is_alive() {
        return Err(Fault::new("the process has ended", "it lives", "until-it-has-ended"));
    }
    site.nothing_is_left("until-it-has-ended")?;
    site.ok(&["delete", "--force", "ID"], "by-force-alone")?;
    site.refused(&["state", "ID"], "container does not exist", "by-force-alone")?;
    Ok(format!("process {} has ended", process.0))
}

/// `run` is all of it, with the command's own code.
pub fn run(stage: &Stage) -> Result<String, Fault> {
    let site = Site::new(stage, &["pid"])?;
    let run = site.begin(&["run", "ID"])?;
    let process = match site.heard("started", "say-then-wait") {
        Ok(process) => process,
        // What it says is more than that nobody is there.
        Err(silence) => {
            let done = run.wait("say-then-wait")?;
            return Err(Fault::new(silence.expected, done.spelled(), "say-then-wait"));
        }
    };
    if recorded(&site, "recorded-first")? != process {
        return Err(Fault::new("state.json has the process", "another", "recorded-first"));
    }
    let code = crate::checks::chance::some(2, 50);
    site.ears.say(&format!("exit {code}"));
    let done = run.wait("until-the-end")?;
    if u64::try_from(done.code) != Ok(code) {
        return Err(Fault::new(format!("code {code}"), done.spelled(), "until-the-end"));
    }
    site.nothing_is_left("until-it-has-ended")?;
    drop(site);
    speaks(stage)?;
    Ok(format!("code {code}"))
}

/// Output is one thing, and errors are another.
fn speaks(stage: &Stage) -> Result<(), Fault> {
    let mut site = Site::new(stage, &["pid"])?;
    let (word, hint) = (site.id.clone(), "its-own-streams");
    site.spec["process"]["args"] = json!(["/program", "say", word]);
    let done = site.run(&["run", "ID"], hint)?;
    let seen = format!("{:?}, and as errors {:?}", done.out, done.err);
    if done.out != format!("{word}\n") || !done.err.ends_with(&format!("not {word}\n")) {
        return Err(Fault::new(format!("its output is {word:?}, and its error \"not {word}\""), seen, hint));
    }
    Ok(())
}
