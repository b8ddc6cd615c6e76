//! One more process in a container that runs.

use super::site::{Running, Site};
use super::terminals;
use crate::checks::chance::some;
use crate::checks::process::Process;
use crate::checks::socket::Socket;
use crate::checks::{Fault, Stage};
use nix::fcntl::OFlag;
use nix::unistd::pipe2;
use serde_json::json;
use std::os::fd::AsRawFd;

/// A process that was added, and who waits for it.
struct Added {
    process: Process,
    exec: Running,
    ears: Socket,
}

fn add(site: &Site<'_>, options: &[&str], hint: &'static str) -> Result<Added, Fault> {
    let (ears, theirs) = Socket::pair()?;
    let exec = site.begin_on(&[&["exec"], options, &["ID", "/program", "added"]].concat(), theirs)?;
    match site.heard_on(&ears, "added", hint) {
        Ok(process) => Ok(Added { process, exec, ears }),
        // What it says is more than that nobody is there.
        Err(silence) => {
            let done = exec.wait(hint)?;
            // In a namespace that forbids it: what is known of the container was not asked.
            let hint = if done.err.contains("setgroups(") { "as-the-container-is" } else { hint };
            Err(Fault::new(silence.expected, done.spelled(), hint))
        }
    }
}

/// It is where the first process is, in every namespace, and ends with its own code.
pub fn added(stage: &Stage) -> Result<String, Fault> {
    let site = Site::new(stage, &["pid", "uts", "ipc", "network", "cgroup", "time"])?;
    let first = site.started()?;
    let Added { process: second, exec, ears } = add(&site, &[], "joined-by-two")?;
    let apart = second.apart_from(first)?;
    if !apart.is_empty() {
        let seen = format!("apart are {}", apart.join(", "));
        return Err(Fault::new("every namespace is the container's", seen, "joined-by-two"));
    }
    let (inside, theirs) = (second.status("NSpid")?, first.status("NSpid")?);
    if inside.len() != theirs.len() {
        let seen = format!("NSpid {inside:?}");
        return Err(Fault::new("a number in the container's PID namespace", seen, "joined-by-two"));
    }
    let open = second.open_files()?.iter().map(|file| file.number).filter(|number| *number > 2).count();
    if open > 0 {
        return Err(Fault::new("only 0, 1 and 2 are open", format!("{open} more"), "closed-by-execve"));
    }
    let code = some(2, 100);
    ears.say(&format!("exit {code}"));
    let done = exec.wait("joined-by-two")?;
    if u64::try_from(done.code) != Ok(code) {
        return Err(Fault::new(format!("code {code}"), done.spelled(), "joined-by-two"));
    }
    Ok(format!("process {} was {} inside, and ended with {code}", second.0, inside.last().unwrap_or(&0)))
}

/// It has what its caller promises it, and what the container's other processes have.
pub fn as_the_first(stage: &Stage) -> Result<String, Fault> {
    // Before anything else is open, and not close-on-exec: whoever we start has it, too.
    let (promised, other) = pipe2(OFlag::empty())?;
    let last = promised.as_raw_fd().min(other.as_raw_fd());
    let mut site = Site::new(stage, &["pid"])?;
    // Not every machine of another kind has a second one.
    if cfg!(target_arch = "x86_64") {
        site.spec["linux"]["personality"] = json!({ "domain": "LINUX32" });
    }
    // The one group that an ordinary user's container has.
    site.spec["process"]["user"]["additionalGids"] = json!([0]);
    let first = site.started()?;
    let count = (last - 2).to_string();
    let added = add(&site, &["--preserve-fds", &count], "as-the-container-is")?;
    let mut open: Vec<i32> = added.process.open_files()?.iter().map(|file| file.number).collect();
    open.sort_unstable();
    if open != (0..=last).collect::<Vec<_>>() {
        let expected = format!("open are 0 to {last}");
        return Err(Fault::new(expected, format!("open are {open:?}"), "as-the-container-is"));
    }
    let (theirs, own) = (first.read("personality")?, added.process.read("personality")?);
    if theirs != own {
        let expected = format!("personality {}", theirs.trim());
        return Err(Fault::new(expected, format!("personality {}", own.trim()), "as-the-container-is"));
    }
    terminals::of_an_added_process(stage)?;
    Ok(format!("open are 0 to {last}; personality {}", own.trim()))
}

/// What cannot be added is told, with a code of its own.
pub fn refused(stage: &Stage) -> Result<String, Fault> {
    let site = Site::new(stage, &["pid"])?;
    site.started()?;
    let why = "exec: \"nosuch\": executable file not found in $PATH";
    site.refused(&["exec", "ID", "nosuch"], why, "last-words")?;
    site.ok(&["kill", "ID", "KILL"], "signal-by-pidfd")?;
    let why = "cannot exec in a stopped container";
    let deadline = std::time::Instant::now() + crate::checks::trial::PATIENCE;
    while site.state("asked-each-time")?["status"] != "stopped" && std::time::Instant::now() < deadline {}
    site.refused(&["exec", "ID", "/program", "added"], why, "asked-each-time")
}

/// It is limited as the container is.
pub fn in_the_group(stage: &Stage) -> Result<String, Fault> {
    let mut site = Site::new(stage, &["pid"])?;
    site.spec["linux"]["cgroupsPath"] = json!(site.group);
    let first = site.started()?;
    let added = add(&site, &[], "into-the-group")?;
    let (theirs, own) = (first.read("cgroup")?, added.process.read("cgroup")?);
    if theirs != own {
        return Err(Fault::new(format!("groups {theirs:?}"), format!("{own:?}"), "into-the-group"));
    }
    site.ok(&["delete", "--force", "ID"], "until-it-has-ended")?;
    added.exec.wait("until-it-has-ended")?;
    site.nothing_is_left("the-group-ends-the-rest")?;
    Ok(format!("both were in {}", site.group))
}
