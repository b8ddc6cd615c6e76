//! A container that is created and started, seen from outside at each step.

use super::site::{Running, Site, fifo};
use crate::checks::process::Process;
use crate::checks::trial::{PATIENCE, SILENCE, Trial};
use crate::checks::{Fault, Stage};
use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::pipe2;
use serde_json::json;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::fd::AsFd;
use std::os::unix::fs::FileTypeExt;
use std::time::{Duration, Instant};

/// `create` ends, and the command has not begun.
pub fn waits(stage: &Stage) -> Result<String, Fault> {
    let site = Site::new(stage, &["pid"])?;
    let process = site.create()?;
    site.expect_silence("started", "say-then-wait")?;
    if !process.is_alive() {
        return Err(Fault::new("a process that waits", "it has ended", "say-then-wait"));
    }
    let inside = process.status("NSpid")?;
    if inside.len() < 2 || inside.last() != Some(&1) {
        return Err(Fault::new("NSpid ends with 1", format!("NSpid {inside:?}"), "made-or-joined"));
    }
    for name in ["report", "start"] {
        let path = site.state_file(name);
        if !fs::metadata(&path).is_ok_and(|file| file.file_type().is_fifo()) {
            let seen = "there is none".to_string();
            return Err(Fault::new(format!("a FIFO {}", path.display()), seen, "two-fifos"));
        }
    }
    site.expect_status("created", "asked-each-time")?;
    Ok(format!("process {} waits, and is 1 inside", process.0))
}

/// `start` lets it go on, and takes the names away.
pub fn starts(stage: &Stage) -> Result<String, Fault> {
    let site = Site::new(stage, &["pid"])?;
    let waiting = site.create()?;
    site.ok(&["start", "ID"], "until-the-end")?;
    let process = site.heard("started", "say-then-wait")?;
    if process != waiting {
        let seen = format!("process {} was created, {} runs", waiting.0, process.0);
        return Err(Fault::new("the process that waited becomes the command", seen, "say-then-wait"));
    }
    if site.state_file("start").exists() {
        return Err(Fault::new("no FIFO is left", "start is there", "until-the-end"));
    }
    site.expect_status("running", "asked-each-time")?;
    site.ears.say("exit 7");
    if !Trial::goes_away(process) {
        return Err(Fault::new("the command ends", "it lives", "not-our-fault"));
    }
    site.expect_status("stopped", "asked-each-time")?;
    Ok(format!("process {} executed its command", process.0))
}

/// What the caller has open is closed before the wait; what is promised arrives; nothing else does.
pub fn descriptors(stage: &Stage) -> Result<String, Fault> {
    // Before anything else is open, and not close-on-exec: whoever we start has them, too.
    let (promised, kept) = pipe2(OFlag::empty())?;
    let (ours, theirs) = pipe2(OFlag::empty())?;
    let mut files: Vec<i32> = [&promised, &kept, &ours, &theirs].map(std::os::fd::AsRawFd::as_raw_fd).into();
    files.sort_unstable();
    let site = Site::new(stage, &["pid"])?;
    let count = (files[0] - 2).to_string();
    let pid_file = site.folder.join("pid");
    let words = ["create", "--preserve-fds", &count, "--pid-file", &pid_file.display().to_string(), "ID"];
    site.ok(&words, "as-far-as-the-gate")?;
    drop((theirs, kept));
    has_last_words(site.number(&pid_file)?, files[0])?;
    let held = |end| poll(&mut [PollFd::new(end, PollFlags::POLLIN)], PollTimeout::from(300u16));
    if held(ours.as_fd())? == 0 {
        let seen = "a pipe that the caller of `create` had open has a writer while the container waits";
        return Err(Fault::new("what was not promised is closed", seen, "closed-before-the-wait"));
    }
    site.ok(&["start", "ID"], "closed-by-execve")?;
    let process = site.heard("started", "say-then-wait")?;
    let mut open: Vec<i32> = process.open_files()?.iter().map(|file| file.number).collect();
    open.sort_unstable();
    let expected: Vec<i32> = (0..=files[0]).collect();
    if open != expected {
        let has_promised = expected.iter().all(|number| open.contains(number));
        let hint = if has_promised { "closed-by-execve" } else { "closed-before-the-wait" };
        return Err(Fault::new(format!("open are {expected:?}"), format!("open are {open:?}"), hint));
    }
    Ok(format!("open are {open:?}"))
}

/// While it waits, beside what was promised, it has the pipe by which chapter 02 hears what keeps it from its command.
/// (It is still our executable, into which an ordinary user may not look.)
fn has_last_words(process: Process, last: i32) -> Result<(), Fault> {
    let pipes = match process.pipes() {
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => return Ok(()),
        pipes => pipes?,
    };
    if pipes.iter().any(|pipe| pipe.number > last && pipe.is_writable) {
        return Ok(());
    }
    let seen = format!("beside the gate it has nothing to write to after descriptor {last}");
    Err(Fault::new("a child that waits has the pipe of its last words", seen, "last-words"))
}

/// A command that is not there is an error of `create`, and nothing is left of it.
pub fn missing_command(stage: &Stage) -> Result<String, Fault> {
    let mut site = Site::new(stage, &["pid"])?;
    let name = format!("nosuch-{}", site.id);
    site.spec["process"]["args"] = json!([name]);
    let why = format!("exec: \"{name}\": executable file not found in $PATH");
    let said = site.refused(&["create", "ID"], &why, "last-words")?;
    site.nothing_is_left("nothing-is-left")?;
    Ok(said.trim().to_string())
}

/// What execve(2) refuses is said by the container: it has started, and has stopped.
pub fn no_program(stage: &Stage) -> Result<String, Fault> {
    let mut site = Site::new(stage, &["pid"])?;
    let file = site.file("zero");
    fs::write(&file, [0])?;
    fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    site.spec["process"]["args"] = json!(["/zero"]);
    let mut created = site.run(&["create", "ID"], "as-far-as-the-gate")?;
    if created.code != 0 {
        return Err(Fault::new("`create` succeeds", created.spelled(), "as-far-as-the-gate"));
    }
    site.ok(&["start", "ID"], "until-the-end")?;
    let said = created.errors();
    if !said.contains("exec format error") {
        return Err(Fault::new("exec format error, from the container", said, "until-the-end"));
    }
    // Its files are closed before it has ended.
    let deadline = Instant::now() + PATIENCE;
    while site.state("asked-each-time")?["status"] != "stopped" && Instant::now() < deadline {}
    site.expect_status("stopped", "asked-each-time")?;
    Ok(said.trim().to_string())
}

/// As long as something keeps the child from execve(2), `start` has not done its work; and what it says then is told.
pub fn start_waits(stage: &Stage) -> Result<String, Fault> {
    let mut site = Site::new(stage, &["pid"])?;
    fifo(&site.file("station"))?;
    site.spec["hooks"] =
        json!({ "startContainer": [{ "path": "/program", "args": ["program", "hook", "/station", "0"] }] });
    site.create()?;
    let mut start = site.begin(&["start", "ID"])?;
    let mut hook = opened(&site.file("station"), "say-then-wait")?;
    std::thread::sleep(SILENCE);
    if start.has_ended()? {
        return Err(Fault::new("`start` waits for execve", "it has returned", "until-the-end"));
    }
    hook.write_all(b"go on")?;
    drop(hook);
    let done = start.wait("until-the-end")?;
    if done.code != 0 {
        return Err(Fault::new("`start` succeeds", done.spelled(), "until-the-end"));
    }
    site.heard("started", "say-then-wait")?;
    drop(site);
    told(stage)
}

/// Hooks of the container's that fail: one in a few words, and one in more than are read at a time.
fn told(stage: &Stage) -> Result<String, Fault> {
    let nowhere = "/nosuch".repeat(400);
    let mut message = String::new();
    for path in [nowhere.as_str(), "/program"] {
        let mut site = Site::new(stage, &["pid"])?;
        site.spec["hooks"] =
            json!({ "startContainer": [{ "path": path, "args": ["program", "hook", "/nosuch", "0"] }] });
        site.create()?;
        message = site.refused(&["start", "ID"], "error running startContainer hook #0", "until-the-end")?;
        if message.contains('{') {
            return Err(Fault::new("the message alone", message, "until-the-end"));
        }
        site.expect_silence("started", "until-the-end")?;
    }
    Ok(message.trim().to_string())
}

/// Whoever should start it is killed while it waits: it goes no further.
pub fn abandoned(stage: &Stage) -> Result<String, Fault> {
    let site = Site::new(stage, &["pid"])?;
    // `run` writes its file beside, and nobody reads what is there: so it stands between making and starting.
    fifo(&site.folder.join("number.new"))?;
    let run = site.begin(&["run", "--pid-file", "number", "ID"])?;
    if !stands(run.process()) {
        return Err(run.wait("its-number").err().unwrap_or_else(|| {
            Fault::new("`run` writes the number of a process that waits", "it has ended", "its-number")
        }));
    }
    let child = recorded(&site, "recorded-first")?;
    run.kill();
    site.expect_silence("started", "nobody-is-left")?;
    if !Trial::goes_away(child) {
        return Err(Fault::new("the process ends with its maker", "it lives", "nobody-is-left"));
    }
    Ok(format!("process {} ended with its maker", child.0))
}

/// Waits until a process stands in open(2), which it does where a FIFO has no reader.
fn stands(process: Process) -> bool {
    let deadline = Instant::now() + PATIENCE;
    let mut seen = 0;
    while seen < 5 && process.is_alive() && Instant::now() < deadline {
        seen = if process.opens() { seen + 1 } else { 0 };
        std::thread::sleep(Duration::from_millis(10));
    }
    seen == 5
}

/// The writing end of a FIFO, as soon as somebody reads it.
fn opened(path: &std::path::Path, hint: &'static str) -> Result<fs::File, Fault> {
    use std::os::unix::fs::OpenOptionsExt;
    let deadline = Instant::now() + PATIENCE;
    loop {
        match OpenOptions::new().write(true).custom_flags(nix::libc::O_NONBLOCK).open(path) {
            Ok(file) => return Ok(file),
            Err(error) if Instant::now() > deadline => {
                return Err(Fault::new("the hook runs", format!("it does not: {error}"), hint));
            }
            Err(_) => std::thread::sleep(Duration::from_millis(2)),
        }
    }
}

/// The process that the record names.
pub fn recorded(site: &Site<'_>, hint: &'static str) -> Result<Process, Fault> {
    let text = fs::read_to_string(site.state_file("state.json")).unwrap_or_default();
    let record: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    let pid = record["process"]["pid"].as_i64().and_then(|pid| i32::try_from(pid).ok());
    pid.map(Process)
        .filter(|process| process.exists())
        .ok_or_else(|| Fault::new("state.json has the process", record["process"].to_string(), hint))
}

/// `create` is killed while its child makes its root: what it had made is known, and can be removed.
pub fn recorded_first(stage: &Stage) -> Result<String, Fault> {
    // On a machine that has much else to do, one who looks may look too late.
    let mut seen = recorded_while_it_mounts(stage)?;
    for _ in 1..5 {
        if seen.is_some() {
            break;
        }
        seen = recorded_while_it_mounts(stage)?;
    }
    seen.ok_or_else(|| {
        let expected = "a child that makes its root";
        Fault::new(expected, "`create` succeeds before one is seen", "as-far-as-the-gate")
    })
}

/// None where `create` was faster than we.
fn recorded_while_it_mounts(stage: &Stage) -> Result<Option<String>, Fault> {
    let mut site = Site::new(stage, &["pid"])?;
    let one = json!({ "destination": "/many", "type": "tmpfs", "source": site.id });
    site.spec["mounts"] = vec![one; MANY].into();
    let mut create = site.begin(&["create", "ID"])?;
    let Some(child) = mounting(&mut create, &site.id)? else {
        let done = create.wait("as-far-as-the-gate")?;
        if done.code == 0 {
            return Ok(None);
        }
        return Err(Fault::new("a child that makes its root", done.spelled(), "as-far-as-the-gate"));
    };
    // By now it does something, so it must be known.
    let known = recorded(&site, "recorded-first")?;
    create.kill();
    if known != child {
        let seen = format!("process {} is recorded, {} is the child", known.0, child.0);
        return Err(Fault::new("state.json has the child", seen, "recorded-first"));
    }
    site.ok(&["delete", "--force", "ID"], "until-it-has-ended")?;
    site.nothing_is_left("until-it-has-ended")?;
    Ok(Some(format!("process {} was recorded, and ended", child.0)))
}

/// Enough that one who looks sees it mounting.
const MANY: usize = 1000;

/// The child, as soon as it has mounted something of this name.
fn mounting(create: &mut Running, source: &str) -> Result<Option<Process>, Fault> {
    let sign = format!(" - tmpfs {source} ");
    let has_begun = |child: &Process| child.read("mountinfo").is_ok_and(|mounts| mounts.contains(&sign));
    loop {
        if let Some(child) = create.process().children().into_iter().find(has_begun) {
            return Ok(Some(child));
        }
        if create.has_ended()? {
            return Ok(None);
        }
    }
}
