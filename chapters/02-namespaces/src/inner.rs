//! What is done around the clone that clone3 cannot carry: joining, time offsets, names, the loopback device.

use crate::loopback::bring_loopback_up;
use crate::{Error, Join, Namespaces, Result, SpawnPlan};
use kernel::Strace;
use nix::fcntl::{OFlag, open};
use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::stat::Mode;
use std::os::fd::OwnedFd;

/// In the parent, before the clone: what holds only for processes that are made afterwards.
pub fn before_clone(plan: &SpawnPlan) -> Result<()> {
    let joins_user = plan.join.iter().any(|join| join.kind == Namespaces::USER);
    if joins_user && !plan.new.is_empty() {
        let why = "namespaces that are made beside a user namespace that is joined would not belong to it: not supported yet";
        return Err(Error::invalid(why));
    }
    for join in plan.join.iter().filter(|join| is_for_children(join)) {
        enter_namespace(join, &open_namespace(join)?)?;
    }
    if plan.new.contains(Namespaces::TIME) && !plan.new.contains(Namespaces::USER) {
        make_time_namespace(plan)?;
    }
    Ok(())
}

/// A process does not change its PID namespace; its children are born into another.
fn is_for_children(join: &Join) -> bool {
    join.kind == Namespaces::PID
}

/// Once a process is in a time namespace its clocks cannot be set any more (EACCES): unshare, write, and only then comes the
/// process that is inside: by the clone, or by execve(2) (Linux 6.1), where the right to it comes with a new user namespace.
fn make_time_namespace(plan: &SpawnPlan) -> Result<()> {
    let time = CloneFlags::from_bits_retain(Namespaces::TIME.bits() as i32);
    unshare(time)
        .strace(|| "unshare(CLONE_NEWTIME)".into())
        .map_err(|error| Error::call("a time namespace", error))?;
    for offset in &plan.time_offsets {
        let line = format!("{} {} {}\n", offset.clock, offset.seconds, offset.nanoseconds);
        let path = "/proc/self/timens_offsets";
        std::fs::write(path, &line)
            .strace(|| format!("write({path:?}, {line:?})"))
            .map_err(|error| Error::call("a clock's offset", error))?;
    }
    Ok(())
}

/// In the child, once it is released.
pub fn enter(plan: &SpawnPlan) -> Result<()> {
    join_all(&plan.join)?;
    if plan.new.contains(Namespaces::USER) {
        become_root()?;
        if plan.new.contains(Namespaces::TIME) {
            make_time_namespace(plan)?;
        }
    }
    if plan.new.contains(Namespaces::CGROUP) {
        unshare(CloneFlags::CLONE_NEWCGROUP)
            .strace(|| "unshare(CLONE_NEWCGROUP)".into())
            .map_err(|error| Error::call("a cgroup namespace", error))?;
    }
    if let Some(name) = plan.hostname.as_ref().filter(|name| !name.is_empty()) {
        nix::unistd::sethostname(name)
            .strace(|| format!("sethostname({name:?}, {})", name.len()))
            .map_err(|error| Error::call("the host name", error))?;
    }
    if let Some(name) = plan.domainname.as_ref().filter(|name| !name.is_empty()) {
        rustix::system::setdomainname(name.as_bytes())
            .strace(|| format!("setdomainname({name:?}, {})", name.len()))
            .map_err(|error| Error::call("the domain name", error))?;
    }
    if plan.new.contains(Namespaces::NET) {
        bring_loopback_up().map_err(|error| Error::call("the loopback device", error))?;
    }
    Ok(())
}

/// Every file is opened before the first namespace is entered: afterwards the paths may mean something else.
fn join_all(joins: &[Join]) -> Result<()> {
    let in_child = || joins.iter().filter(|join| !is_for_children(join));
    let opened: Vec<OwnedFd> = in_child().map(open_namespace).collect::<Result<_>>()?;
    for (join, file) in in_child().zip(&opened) {
        enter_namespace(join, file)?;
        if join.kind == Namespaces::USER {
            become_root()?;
        }
    }
    Ok(())
}

fn open_namespace(join: &Join) -> Result<OwnedFd> {
    open(&join.path, OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty())
        .strace(|| format!("open({:?}, O_RDONLY|O_CLOEXEC)", join.path))
        .map_err(|error| Error::call(format_args!("the namespace {}", join.path.display()), error))
}

fn enter_namespace(join: &Join, file: &OwnedFd) -> Result<()> {
    // With its kind, so that a file of another kind is refused instead of entered.
    setns(file, CloneFlags::from_bits_retain(join.kind.bits() as i32))
        .strace(|| format!("setns({:?}, {:?})", join.path, join.kind))
        .map_err(|error| Error::call(format_args!("the namespace {}", join.path.display()), error))
}

/// Root of the user namespace: until an id is taken that is mapped, files that we make have no owner.
fn become_root() -> Result<()> {
    use rustix::process::{Gid, Uid};
    let group = rustix::thread::set_thread_res_gid(Gid::ROOT, Gid::ROOT, Gid::ROOT);
    group
        .strace(|| "setresgid(0, 0, 0)".into())
        .map_err(|error| Error::call("root of the user namespace", error))?;
    let user = rustix::thread::set_thread_res_uid(Uid::ROOT, Uid::ROOT, Uid::ROOT);
    user.strace(|| "setresuid(0, 0, 0)".into())
        .map_err(|error| Error::call("root of the user namespace", error))
}
