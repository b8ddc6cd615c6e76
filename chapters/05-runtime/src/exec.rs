//! One more process in a container that runs.

use crate::child::{BeforePivot, Child};
use crate::create::{placed, wait_until_ready, with_console};
use crate::plan::{Process, State, process_plan, processors};
use crate::{Created, Error, Identity, Result, Stdio, confinement, gate};
use cgroups::Cgroup;
use kernel::Strace;
use namespaces::SpawnPlan;
use nix::sched::{CloneFlags, setns};
use oci_spec::runtime::LinuxSeccomp;
use rustix::process::DumpableBehavior::{Dumpable, NotDumpable};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;

/// Whom a process is added to, and how.
#[derive(Debug)]
pub struct Addition<'a> {
    /// The container's id.
    pub container: &'a str,
    /// The container's first process.
    pub target: Identity,
    /// The container's cgroup, or one below it.
    pub cgroup: Option<&'a Cgroup>,
    /// What to run.
    pub process: &'a oci_spec::runtime::Process,
    /// The container's filter.
    pub seccomp: Option<&'a LinuxSeccomp>,
    /// How many descriptors after the standard three it inherits.
    pub preserved_descriptors: u32,
    /// The container's state, for whoever is asked by its filter; none: nobody can be.
    pub state: Option<State>,
}

/// Makes the process; it waits to be started.
///
/// The calling process must have one thread. It joins the container's user and PID namespaces itself, since a PID namespace is
/// entered only by being born into it, and rootless only its user namespace gives the right to it.
// ANCHOR: prepared
pub fn exec(addition: &Addition<'_>, stdio: Stdio) -> Result<Created> {
    let process = added_process(addition)?;
    // What it is born with, as long as it is not limited by the container's cgroup.
    if let [Some(before), _] = affinity(addition.process)? {
        privileges::set_processors(&before)?;
    }
    let pidfd = addition.target.open()?.ok_or_else(|| Error::system("the container has ended"))?;
    let (stdio, console) = with_console(stdio)?;
    let (gate, keeper) = gate::unnamed()?;
    let joined = other_namespaces(addition.target.pid)?;
    let by_parent = joined & (CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWPID);
    // ANCHOR_END: prepared
    // ANCHOR: joined
    // From its first instruction the child is seen by the container's processes: they must not get at its executable.
    set_dumpable(NotDumpable)?;
    join(&pidfd, by_parent)?;
    let child = Child { process, stdio, gate, hooks: None };
    let by_child = joined - by_parent;
    let enter = move |_: BeforePivot<'_>| join(&pidfd, by_child);
    let mut identity = None;
    let before_release = |pid: nix::unistd::Pid| {
        let known = placed(addition.cgroup, pid).map(|known| identity = Some(known));
        known.map_err(namespaces::Error::other)
    };
    let unified = addition.cgroup.and_then(Cgroup::unified_fd);
    let spawned =
        namespaces::spawn(&SpawnPlan::default(), unified, before_release, move |says| child.run(says, enter));
    set_dumpable(Dumpable)?;
    wait_until_ready(spawned.map_err(Error::system)?, identity, keeper, console, || Ok(()))
}
// ANCHOR_END: joined

/// What it becomes: planned as the first process was, with what only the container that runs can tell.
fn added_process(addition: &Addition<'_>) -> Result<Process> {
    let mut process = process_plan(addition.process, addition.seccomp, addition.container)?;
    if process.privileges.confinement.is_some() {
        confinement::check_process(addition.process)?;
    }
    let setgroups = std::fs::read_to_string(format!("/proc/{}/setgroups", addition.target.pid));
    if setgroups.is_ok_and(|word| word.trim() == "deny") {
        process.keep_groups()?;
    }
    process.preserved_descriptors = addition.preserved_descriptors;
    if let Some(listener) = &mut process.listener {
        listener.state = addition.state.clone();
    }
    let [_, processors] = affinity(addition.process)?;
    let scheduling = &mut process.privileges.scheduling;
    (scheduling.personality, scheduling.processors) = (personality_of(addition.target.pid), processors);
    Ok(process)
}

/// The processors on which it is born, and those on which it stays, if the file names some.
fn affinity(process: &oci_spec::runtime::Process) -> Result<[Option<Vec<usize>>; 2]> {
    process.exec_cpu_affinity().as_ref().map_or_else(|| Ok([None, None]), processors)
}

/// What the container believes to run on; what nobody may look at is as it is.
fn personality_of(pid: i32) -> Option<i32> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/personality")).ok()?;
    i32::from_str_radix(text.trim(), 16).ok().filter(|domain| *domain != 0)
}

fn set_dumpable(dumpable: rustix::process::DumpableBehavior) -> Result<()> {
    let call = || format!("prctl(PR_SET_DUMPABLE, {dumpable:?})");
    Ok(rustix::process::set_dumpable_behavior(dumpable).strace(call)?)
}

fn join(pidfd: &OwnedFd, namespaces: CloneFlags) -> Result<()> {
    if namespaces.is_empty() {
        return Ok(());
    }
    Ok(setns(pidfd, namespaces).strace(|| format!("setns(pidfd, {namespaces:?})"))?)
}

/// Their names below /proc/PID/ns.
const KINDS: [(&str, CloneFlags); 8] = [
    ("user", CloneFlags::CLONE_NEWUSER),
    ("mnt", CloneFlags::CLONE_NEWNS),
    ("pid", CloneFlags::CLONE_NEWPID),
    ("net", CloneFlags::CLONE_NEWNET),
    ("uts", CloneFlags::CLONE_NEWUTS),
    ("ipc", CloneFlags::CLONE_NEWIPC),
    ("cgroup", CloneFlags::CLONE_NEWCGROUP),
    // CLONE_NEWTIME, which nix does not name.
    ("time", CloneFlags::from_bits_retain(0x80)),
];

/// The namespaces of a process that are not ours. To join one's own is at best superfluous: the kernel refuses it for the user
/// namespace, and an ordinary user may not join the host's that the container shares.
fn other_namespaces(pid: i32) -> Result<CloneFlags> {
    let inode = |process: &str, name: &str| {
        let path = format!("/proc/{process}/ns/{name}");
        std::fs::metadata(&path).map(|file| file.ino()).strace(|| format!("stat({path:?})"))
    };
    let mut others = CloneFlags::empty();
    for (name, flag) in KINDS {
        if inode(&pid.to_string(), name)? != inode("self", name)? {
            others |= flag;
        }
    }
    Ok(others)
}
