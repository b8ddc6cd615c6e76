//! Long tail: what an ordinary user may limit: the cgroup of v2 that somebody delegated to them (cgroups(7), "Delegation").

use crate::{Cgroup, Error, Layout, Limits, Result, files, plan};
use nix::errno::Errno;
use nix::unistd::{AccessFlags, access};
use std::path::Path;

/// What an ordinary user does who was given no cgroup.
const HOW_TO_DELEGATE: &str = "A cgroup of v2 can be delegated to this user. With systemd, for one command: systemd-run --user \
    --scope -p Delegate=yes COMMAND; for every login: Delegate=cpu cpuset io memory pids, below [Service] in \
    /etc/systemd/system/user@.service.d/delegate.conf. Without systemd, as root, for the shell with number PID: \
    cd /sys/fs/cgroup; echo +cpu +cpuset +io +memory +pids > cgroup.subtree_control; mkdir mine; \
    chown USER mine mine/cgroup.procs mine/cgroup.subtree_control mine/cgroup.threads; echo PID > mine/cgroup.procs";

/// The group that a delegated group's own processes step aside into, since on v2 a group that passes controllers on holds no
/// process itself (admin-guide/cgroup-v2.rst, "No Internal Process Constraint").
const CALLERS: &str = "callers";

/// Of what the machine has, an ordinary user has what was delegated to them.
pub fn keep_what_was_given(layout: &mut Layout) -> Result<()> {
    let own_groups = files::read("/proc/self/cgroup".as_ref())?;
    layout.v1.retain(|hierarchy| delegated(&hierarchy.mount, &own_groups, &hierarchy.name).is_some());
    layout.delegated = layout.unified.as_ref().and_then(|mount| delegated(mount, &own_groups, ""));
    Ok(())
}

/// The caller's own group of a hierarchy, if they may make groups in it and move processes about.
fn delegated(mount: &Path, own_groups: &str, name: &str) -> Option<String> {
    let group = |line: &str| {
        let mut fields = line.splitn(3, ':').skip(1);
        (fields.next() == Some(name)).then(|| fields.next().map(String::from)).flatten()
    };
    let path = own_groups.lines().find_map(group)?;
    // Of the two halves of a delegated group that the caller has made, it is the whole that is theirs.
    let path = path.strip_suffix(&format!("/{CALLERS}")).map_or(path.as_str(), |whole| whole).to_string();
    let folder = files::below(mount, &path);
    let is_writable = |path: &Path| access(path, AccessFlags::W_OK).is_ok();
    (is_writable(&folder) && is_writable(&folder.join("cgroup.procs"))).then_some(path)
}

/// Whether there is nothing in which this user could make a group.
pub fn gives_nothing(layout: &Layout) -> bool {
    layout.delegated.is_none() && layout.v1.is_empty()
}

/// For who was given nothing: the plan refuses whatever would need a group, and what is left needs none.
pub fn without_group(layout: &Layout, limits: &Limits) -> Result<Cgroup> {
    let refused = |refusal| Error::not_supported(format_args!("{refusal}. {HOW_TO_DELEGATE}"));
    plan(layout, limits).map_err(refused).map(|_| Cgroup::without_folders())
}

/// A group with processes of its own cannot pass controllers on. When we are one of them, all of them move one group down.
pub fn step_aside(group: &Path) -> Result<()> {
    let own = std::process::id().to_string();
    let processes = files::read(&group.join("cgroup.procs"))?;
    if !processes.lines().any(|pid| pid == own) {
        let group = group.display();
        return Err(Error::not_supported(format_args!(
            "{group} has processes of its own, so that nothing below it can be limited (cgroups(7), \"no internal processes\")"
        )));
    }
    let callers = group.join(CALLERS);
    files::make(group, &callers, &mut Vec::new())?;
    for pid in processes.lines() {
        match files::try_write(&callers.join("cgroup.procs"), pid) {
            // It has ended meanwhile.
            Err(Errno::ESRCH) => {}
            moved => files::written(moved, &callers.join("cgroup.procs"), pid)?,
        }
    }
    Ok(())
}
