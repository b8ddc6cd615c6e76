//! The system calls of a spawn, in order, up to the one that the kernel refuses.

use super::{Caller, Spawn};
use models::{may_make_namespaces, may_map};
use namespaces::{IdMap, Namespaces, map_text};

/// How a spawn ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The child comes to its execve.
    Runs,
    /// The kernel refuses to make a namespace.
    NoNamespaces,
    /// The kernel refuses the id map.
    NoMap,
}

/// Who makes a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    Parent,
    Child,
}

impl Who {
    pub fn name(self) -> &'static str {
        if self == Who::Parent { "parent" } else { "child" }
    }
}

/// A call, and what it tells the other process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub who: Who,
    pub call: String,
    pub reaches_other: bool,
    refused: Option<Outcome>,
}

/// The calls; the last one is refused, unless the outcome is that the command runs.
pub fn steps(state: &Spawn) -> (Vec<Step>, Outcome) {
    let mut steps = all_steps(state);
    match steps.iter().position(|step| step.refused.is_some()) {
        None => (steps, Outcome::Runs),
        Some(index) => {
            steps.truncate(index + 1);
            let outcome = steps[index].refused.unwrap_or(Outcome::Runs);
            (steps, outcome)
        }
    }
}

/// Whether there is a child at the end of these calls, or was one until its map was refused.
pub fn is_born(state: &Spawn) -> bool {
    steps(state).0.iter().any(|step| step.call.starts_with("clone3") && step.refused.is_none())
}

/// The calls as the caller means them, whether or not the kernel agrees.
pub fn all_steps(state: &Spawn) -> Vec<Step> {
    let plan = state.plan();
    let has = |kind| plan.new.contains(kind);
    let may_make = may_make_namespaces(state.caller == Caller::Root, has(Namespaces::USER));
    let unless = |allowed: bool, outcome| (!allowed).then_some(outcome);
    let mut steps = Vec::new();
    let mut add =
        |who, reaches_other, call: String, refused| steps.push(Step { who, call, reaches_other, refused });
    if has(Namespaces::TIME) && !has(Namespaces::USER) {
        add(Who::Parent, false, "unshare(TIME)".to_owned(), unless(may_make, Outcome::NoNamespaces));
    }
    let cloned = plan.new.difference(Namespaces::TIME | Namespaces::CGROUP);
    let refused = unless(may_make || cloned.is_empty(), Outcome::NoNamespaces);
    add(Who::Parent, true, format!("clone3({})", flags(cloned)), refused);
    add(Who::Child, false, "read: waits for a byte".to_owned(), None);
    if has(Namespaces::USER) {
        let (is_root, own) = (state.caller == Caller::Root, state.own_id());
        let refused = |maps: &[IdMap]| {
            let ranges: Vec<_> = maps.iter().map(|map| (map.inside, map.outside, map.count)).collect();
            unless(may_map(is_root, own, &ranges).is_ok(), Outcome::NoMap)
        };
        let text = |maps: &[IdMap]| map_text(maps).trim_end().replace('\n', ", ");
        // What the kernel would refuse is asked of the helpers, which find nothing in /etc/subuid of this user.
        let by_helpers = !is_root && !plan.maps_only(own, own);
        let [users, groups] = if by_helpers { ["newuidmap", "newgidmap"] } else { ["uid_map", "gid_map"] };
        add(Who::Parent, false, format!("{users}: {}", text(&plan.uid_map)), refused(&plan.uid_map));
        if !is_root && !by_helpers {
            add(Who::Parent, false, "setgroups: deny".to_owned(), None);
        }
        add(Who::Parent, false, format!("{groups}: {}", text(&plan.gid_map)), refused(&plan.gid_map));
    }
    add(Who::Parent, true, "write: the byte".to_owned(), None);
    if has(Namespaces::USER) {
        if has(Namespaces::TIME) {
            add(Who::Child, false, "unshare(TIME)".to_owned(), unless(may_make, Outcome::NoNamespaces));
        }
        add(Who::Child, false, "setresgid(0), setresuid(0)".to_owned(), None);
    }
    if has(Namespaces::CGROUP) {
        add(Who::Child, false, "unshare(CGROUP)".to_owned(), unless(may_make, Outcome::NoNamespaces));
    }
    if let Some(name) = &plan.hostname {
        add(Who::Child, false, format!("sethostname(\"{name}\")"), None);
    }
    if has(Namespaces::NET) {
        add(Who::Child, false, "ioctl: lo is up".to_owned(), None);
    }
    add(Who::Child, true, "execve closes the pipe".to_owned(), None);
    steps
}

/// The names of the flags, without their common beginning CLONE_NEW.
pub fn flags(kinds: Namespaces) -> String {
    kinds.iter_names().map(|(name, _)| name).collect::<Vec<_>>().join("|")
}
