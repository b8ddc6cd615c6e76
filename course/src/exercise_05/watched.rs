//! A process that is added, looked at by the container's own in the moment in which it is born.

use super::site::{Running, Site};
use crate::checks::process::Process;
use crate::checks::socket::{Heard, Socket};
use crate::checks::trial::PATIENCE;
use crate::checks::{Fault, Stage};
use nix::libc;
use nix::sys::ptrace;
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use serde_json::json;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant};

const HINT: &str = "nobody-looks-in";

/// Why no process can be made to stand still when it is born, if so.
pub fn no_watching(stage: &Stage) -> Option<String> {
    let scope = std::fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope").unwrap_or_default();
    let is_closed = scope.trim() == "3" || scope.trim() == "2" && !stage.is_root();
    is_closed.then(|| format!("this machine forbids ptrace(2): kernel.yama.ptrace_scope is {}", scope.trim()))
}

/// From its first instruction it is seen by the container's processes. As long as it is our executable they may not look into
/// it, whatever they may do in the container; and whoever added it is itself again afterwards.
pub fn born_closed(stage: &Stage) -> Result<String, Fault> {
    let mut site = Site::new(stage, &["pid", "user"])?;
    // What the container's process needs to look into any other that its user namespace owns.
    let rights = json!(["CAP_SYS_PTRACE"]);
    site.spec["process"]["capabilities"] =
        json!({ "bounding": rights, "permitted": rights, "effective": rights });
    site.started()?;
    let (ears, theirs) = Socket::pair()?;
    // It waits for the lock while we take hold of it.
    let lock = site.lock()?;
    let exec = site.begin_on(&["exec", "ID", "/program", "added"], theirs)?;
    let watched = Pid::from_raw(exec.process().0);
    let options = ptrace::Options::PTRACE_O_TRACEFORK
        | ptrace::Options::PTRACE_O_TRACEVFORK
        | ptrace::Options::PTRACE_O_TRACECLONE;
    ptrace::seize(watched, options)?;
    drop(lock);
    let child = born(watched)?;
    let reached = looked_at(&site, child);
    // Both go on in any case.
    ptrace::detach(Pid::from_raw(child.0), None)?;
    ptrace::detach(watched, None)?;
    if reached? {
        let seen = "a process of the container has looked into it";
        return Err(Fault::new("an added process is closed while it is our executable", seen, HINT));
    }
    let second = match site.heard_on(&ears, "added", HINT) {
        Ok(second) => second,
        // What it says is more than that nobody is there.
        Err(silence) => {
            let done = exec.wait("joined-by-two")?;
            return Err(Fault::new(silence.expected, done.spelled(), "joined-by-two"));
        }
    };
    if second != child {
        return Err(Fault::new("the added process is the one that was born", "another", "not-our-fault"));
    }
    is_itself(stage, &exec)?;
    ears.say("exit 0");
    exec.wait(HINT)?;
    Ok(format!("process {} was not reached when it was born", child.0))
}

/// The process that the watched one makes in the container's PID namespace, before its first instruction.
fn born(watched: Pid) -> Result<Process, Fault> {
    let events = [libc::PTRACE_EVENT_FORK, libc::PTRACE_EVENT_VFORK, libc::PTRACE_EVENT_CLONE];
    let fault = |seen: String| Fault::new("`exec` makes a process in the container", seen, "joined-by-two");
    let own = Process::this().status("NSpid")?.len();
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        match waitpid(watched, Some(WaitPidFlag::__WALL | WaitPidFlag::WNOHANG))? {
            WaitStatus::StillAlive => std::thread::sleep(Duration::from_millis(2)),
            WaitStatus::PtraceEvent(_, _, event) if events.contains(&event) => {
                let child = Pid::from_raw(ptrace::getevent(watched)? as i32);
                waitpid(child, Some(WaitPidFlag::__WALL))?;
                if Process(child.as_raw()).status("NSpid")?.len() > own {
                    return Ok(Process(child.as_raw()));
                }
                ptrace::detach(child, None)?;
                ptrace::cont(watched, None)?;
            }
            WaitStatus::Stopped(_, signal) if signal != Signal::SIGTRAP => ptrace::cont(watched, signal)?,
            WaitStatus::Stopped(..) | WaitStatus::PtraceEvent(..) => ptrace::cont(watched, None)?,
            ended => return Err(fault(format!("{ended:?}"))),
        }
    }
    Err(fault(format!("none in {} s", PATIENCE.as_secs())))
}

/// Whether the container's first process reaches it, by the number that it has there.
fn looked_at(site: &Site<'_>, child: Process) -> Result<bool, Fault> {
    let inside = child.status("NSpid")?.last().copied().unwrap_or_default();
    site.ears.say(&format!("reach {inside}"));
    match site.ears.hear(&["reached", "denied"], PATIENCE)? {
        Heard::Message(message) => Ok(message.text == "reached"),
        _ => Err(Fault::new("the container's process answers", "it does not", "not-our-fault")),
    }
}

/// Whose caller is not root sees by the owner of its files that it is closed. (Root's are root's in any case.)
fn is_itself(stage: &Stage, exec: &Running) -> Result<(), Fault> {
    let owner = std::fs::metadata(format!("/proc/{}/fd", exec.process().0))?.uid();
    if owner == stage.uid {
        return Ok(());
    }
    let seen = format!("its files in /proc are user {owner}'s");
    Err(Fault::new("who has added a process is open to its own user again", seen, "open-again"))
}
