//! Exhibit: a process is added to a container by joining its namespaces, and nothing else. Until it becomes the command it is
//! still us, seen by everybody inside: what we have open can be taken (CVE-2016-9962) and be its working directory
//! (CVE-2024-21626), and our executable can be overwritten (CVE-2019-5736).
//!
//! `naive_exec PID FOLDER COMMAND [ARGUMENT]...` runs a command in the container of a process, in a folder of it.
#![forbid(unsafe_code)]

use nix::sched::{CloneFlags, setns};
use privileges::{Capabilities, Plan, default_capabilities};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::error::Error;
use std::process::Command;

/// Runs the command.
pub fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    add(&arguments[1..])
}

/// Joins, gives up what the container has not, and runs the command.
pub fn add(arguments: &[String]) -> Result<(), Box<dyn Error>> {
    let [target, folder, command, rest @ ..] = arguments else {
        return Err("usage: naive_exec PID FOLDER COMMAND [ARGUMENT]...".into());
    };
    // Where the container's cgroup would be looked for. It is closed on exec, and that is too late.
    let _cgroups = std::fs::File::open("/sys/fs/cgroup")?;
    let target = Pid::from_raw(target.parse()?).ok_or("a process has a number")?;
    let target = pidfd_open(target, PidfdFlags::empty())?;
    setns(&target, CloneFlags::CLONE_NEWPID | CloneFlags::CLONE_NEWNS)?;
    let (all, none) = (default_capabilities(), privileges::CapSet::default());
    let sets =
        Capabilities { bounding: all, effective: all, permitted: all, inheritable: none, ambient: none };
    privileges::apply(&Plan { capabilities: Some(sets), ..Plan::default() })?;
    let status = Command::new(command).args(rest).current_dir(folder).status()?;
    std::process::exit(status.code().unwrap_or(1))
}
