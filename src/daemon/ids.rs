//! The ids of an ordinary user's engine: theirs alone, or all that root has given them (subuid(5)). Then the daemon lives in a user
//! namespace in which it is root: only there may it give files to their owners and take them away again.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use namespaces::IdMap;
use nix::unistd::{getegid, geteuid};

use crate::containers::adopt;
use crate::spec::Rootless;

/// Enters the user namespace with the most ids that can be had; for root there is none. The process must have one thread.
///
/// What stands in the way is no failure: the engine has one id then, and says why.
pub fn settle(exec_root: &Path) -> Option<Rootless> {
    let (user, group) = (geteuid(), getegid());
    if user.is_root() {
        return None;
    }
    let (user, group) = (user.as_raw(), group.as_raw());
    let one_id = |why| Rootless {
        user,
        group,
        uid_map: vec![IdMap::root_is(user)],
        gid_map: vec![IdMap::root_is(group)],
        why_one_id: Some(why),
    };
    Some(match enter(exec_root) {
        Ok(()) => {
            let (uid_map, gid_map) = (the_same("/proc/self/uid_map"), the_same("/proc/self/gid_map"));
            Rootless { user, group, uid_map, gid_map, why_one_id: None }
        }
        Err(why) => one_id(why),
    })
}

/// Who lives in another user namespace than a container's parent has no power over the container. So where some run on, theirs is
/// entered again, and only where none does a new one is made.
fn enter(exec_root: &Path) -> Result<(), String> {
    let namespace = match living_namespace(exec_root) {
        Some(file) if is_ours(&file) => {
            return Err(
                "containers that have one id run on; when none does, a new daemon has more".to_owned()
            );
        }
        Some(file) => OwnedFd::from(file),
        None => new_namespace()?,
    };
    let entered = namespaces::enter_user_namespace(&namespace);
    entered
        .inspect_err(|error| tracing::warn!(%error, "containers have one id"))
        .map_err(|error| error.to_string())
}

fn new_namespace() -> Result<OwnedFd, String> {
    let none =
        "ranges in /etc/subuid and /etc/subgid (subuid(5)), and newuidmap (package uidmap), give them more";
    let [uid_map, gid_map] = namespaces::own_maps().ok_or(none)?;
    let made = namespaces::user_namespace(&uid_map, &gid_map);
    made.inspect_err(|error| tracing::warn!(%error, "containers have one id"))
        .map_err(|error| error.to_string())
}

/// The user namespace of a supervisor that an earlier daemon has left.
fn living_namespace(exec_root: &Path) -> Option<File> {
    let of_us = |pid: u32| {
        let owner = std::fs::metadata(format!("/proc/{pid}")).map(|process| process.uid());
        owner.is_ok_and(|owner| owner == geteuid().as_raw())
    };
    let mut living = adopt::supervisors().filter(|(_, folder)| folder.starts_with(exec_root));
    living.find_map(|(pid, _)| File::open(format!("/proc/{pid}/ns/user")).ok().filter(|_| of_us(pid)))
}

fn is_ours(namespace: &File) -> bool {
    let ours = std::fs::metadata("/proc/self/ns/user").map(|file| file.ino());
    namespace.metadata().is_ok_and(|theirs| ours.is_ok_and(|ours| ours == theirs.ino()))
}

/// All ids of our own namespace, as the same ones in one below. A line for each: the kernel takes none that goes over the end of one
/// of ours.
fn the_same(file: &str) -> Vec<IdMap> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let lines = text.lines().filter_map(|line| {
        let mut fields = line.split_whitespace().map_while(|field| field.parse().ok());
        let (inside, count) = (fields.next()?, fields.nth(1)?);
        Some(IdMap { inside, outside: inside, count })
    });
    lines.collect()
}
