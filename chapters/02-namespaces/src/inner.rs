//! What is done around the clone that clone3 cannot carry: joining, time offsets, names, the loopback device.

use crate::loopback::bring_loopback_up;
use crate::{Error, Namespaces, Result, SpawnPlan, clocks, joining};
use kernel::Strace;
use nix::sched::{CloneFlags, unshare};

/// In the parent, before the clone: what holds only for processes that are made afterwards. An usher does all of it itself.
pub fn before_clone(plan: &SpawnPlan) -> Result<()> {
    if plan.needs_usher() {
        return Ok(());
    }
    if !plan.join.is_empty() {
        joining::before_clone(plan)?;
    }
    if plan.new.contains(Namespaces::TIME) && !plan.new.contains(Namespaces::USER) {
        clocks::make_time_namespace(plan)?;
    }
    Ok(())
}

/// In the child, once it is released.
pub fn enter(plan: &SpawnPlan) -> Result<()> {
    join(plan)?;
    if plan.new.contains(Namespaces::USER) {
        // Before another user is taken: the files of a process that has done so are not its own (PR_SET_DUMPABLE, prctl(2)).
        if plan.new.contains(Namespaces::TIME) {
            clocks::enter_time_namespace(plan)?;
        }
        become_root()?;
    }
    if plan.new.contains(Namespaces::CGROUP) {
        unshare(CloneFlags::CLONE_NEWCGROUP)
            .strace(|| "unshare(CLONE_NEWCGROUP)".into())
            .map_err(|error| Error::call("a cgroup namespace", error))?;
    }
    take_names(plan)?;
    if plan.new.contains(Namespaces::NET) {
        bring_loopback_up().map_err(|error| Error::call("the loopback device", error))?;
    }
    Ok(())
}

/// The names of the new UTS namespace, which begins with copies of its maker's.
fn take_names(plan: &SpawnPlan) -> Result<()> {
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
    Ok(())
}

/// Root of the user namespace. Where no map mentions us, we could make no file until then on what is mounted in it (EOVERFLOW).
pub fn become_root() -> Result<()> {
    use rustix::process::{Gid, Uid};
    let group = rustix::thread::set_thread_res_gid(Gid::ROOT, Gid::ROOT, Gid::ROOT);
    group
        .strace(|| "setresgid(0, 0, 0)".into())
        .map_err(|error| Error::call("root of the user namespace", error))?;
    let user = rustix::thread::set_thread_res_uid(Uid::ROOT, Uid::ROOT, Uid::ROOT);
    user.strace(|| "setresuid(0, 0, 0)".into())
        .map_err(|error| Error::call("root of the user namespace", error))
}

/// Most plans join nothing.
fn join(plan: &SpawnPlan) -> Result<()> {
    if plan.join.is_empty() { Ok(()) } else { joining::join_all(plan) }
}
