//! The plans that the checks give to `spawn`, and a child that was made by one.

use crate::checks::group::Group;
use crate::checks::process::Process;
use crate::checks::trial::Trial;
use crate::checks::{Fault, Stage};
use serde_json::{Value, json};

/// Every kind of namespace, by its name in a plan and in /proc/PID/ns.
pub const KINDS: [(&str, &str); 8] = [
    ("TIME", "time_for_children"),
    ("MNT", "mnt"),
    ("CGROUP", "cgroup"),
    ("UTS", "uts"),
    ("IPC", "ipc"),
    ("USER", "user"),
    ("PID", "pid"),
    ("NET", "net"),
];

/// A host name that nobody guesses.
pub fn name(stage: &Stage) -> String {
    format!("box-{}-{}", stage.uid, std::process::id())
}

/// The domain that belongs to it.
pub fn domain() -> String {
    format!("course-{}", std::process::id())
}

/// The first ids outside. Who has many takes others than their own, so that it is seen who became whom.
pub fn outside(stage: &Stage) -> (u32, u32) {
    if stage.has_many_ids { (100_000, 200_000) } else { (stage.uid, stage.gid) }
}

/// Everything new, with names, for whoever asks.
pub fn everything(stage: &Stage) -> Value {
    let count = if stage.has_many_ids { 1000 } else { 1 };
    let (uid, gid) = outside(stage);
    let map = |outside: u32| json!([{ "inside": 0, "outside": outside, "count": count }]);
    json!({
        "new": KINDS.map(|(name, _)| name),
        "join": [],
        "uid_map": map(uid),
        "gid_map": map(gid),
        "hostname": name(stage),
        "domainname": domain(),
        "time_offsets": [],
    })
}

/// The same with one field changed.
pub fn with(mut plan: Value, field: &str, value: Value) -> Value {
    plan[field] = value;
    plan
}

/// A plan that makes nothing.
pub fn bare(stage: &Stage) -> Value {
    let plan = with(everything(stage), "new", json!([]));
    with(with(plan, "hostname", json!(null)), "domainname", json!(null))
}

/// A caller who is not root. Whom root has call is of a group with another number, so that it is seen which is which.
pub fn of_an_ordinary_caller(stage: &Stage) -> Result<Stage, Fault> {
    let mut ordinary = stage.of_an_ordinary_caller()?;
    if stage.is_root() {
        ordinary.gid = ordinary.uid - 1;
    }
    Ok(ordinary)
}

/// A child that has come to its closure, and waits there.
pub struct Born {
    /// The run that it belongs to.
    pub trial: Trial,
    /// The child, by the number that the kernel gave with its message.
    pub child: Process,
}

/// Makes a child by this plan, as far as its closure.
pub fn born(stage: &Stage, plan: &Value) -> Result<Born, Fault> {
    let makes_user = plan["new"].as_array().is_some_and(|new| new.contains(&json!("USER")));
    let held = held(stage, plan).map_err(|fault| match fault.hint {
        "inside-first" if !makes_user => Fault { hint: "maps-only-of-a-new-user", ..fault },
        _ => fault,
    });
    go_on(held?.0)
}

/// Lets a caller that was stopped before the release go on.
pub fn go_on(mut trial: Trial) -> Result<Born, Fault> {
    trial.outer.say("go on");
    let message = trial.child_says("inside", "release")?;
    Ok(Born { trial, child: Process(message.pid) })
}

/// Makes a child by this plan, and stops its caller just before the release: the caller's run, and the number it tells.
pub fn held(stage: &Stage, plan: &Value) -> Result<(Trial, Process), Fault> {
    started(Trial::start(stage, &["spawn", &plan.to_string()])?)
}

/// The same, with this group's descriptor.
pub fn held_in(stage: &Stage, plan: &Value, group: &Group) -> Result<(Trial, Process), Fault> {
    let folder = group.folder().display().to_string();
    started(Trial::start(stage, &["spawn", &plan.to_string(), &folder])?)
}

/// As [`held`] does; its caller has another child, which has ended, and waits for that one at its own end.
pub fn held_beside_another(stage: &Stage, plan: &Value) -> Result<(Trial, Process), Fault> {
    started(Trial::start(stage, &["spawn-beside-another", &plan.to_string()])?)
}

fn started(mut trial: Trial) -> Result<(Trial, Process), Fault> {
    let message = trial.caller_says("before", "not-begun")?;
    let number = message.text.split(' ').nth(1).and_then(|word| word.parse().ok());
    Ok((trial, Process(number.unwrap_or(-1))))
}
