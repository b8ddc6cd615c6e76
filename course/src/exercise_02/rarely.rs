//! What root's usual container does not show: an ordinary caller, namespaces that are joined, clocks, a group.

use super::plans::{KINDS, born, born_in, everything, with};
use crate::checks::group::{self, Group};
use crate::checks::process::Process;
use crate::checks::{Fault, Stage, look};
use serde_json::{Value, json};

/// Root has nobody call, whom the kernel asks for more than root.
pub fn ordinary_caller(stage: &Stage) -> Result<String, Fault> {
    let stage = stage.of_an_ordinary_caller()?;
    let born = born(&stage, &everything(&stage))?;
    let apart = born.child.apart_from(Process::this())?;
    let shared: Vec<_> = KINDS.iter().map(|(_, file)| *file).filter(|file| !apart.contains(file)).collect();
    if !shared.is_empty() {
        return Err(Fault::new("no namespace is shared", shared.join(" "), "flags-from-the-plan"));
    }
    let setgroups = born.child.read("setgroups")?;
    if setgroups.trim() != "deny" {
        let seen = format!("setgroups: {}", setgroups.trim());
        return Err(Fault::new("setgroups: deny", seen, "setgroups-first"));
    }
    Ok(format!("user {} is root of process {}, and cannot call setgroups", stage.uid, born.child.0))
}

/// A plan that makes nothing.
fn bare(stage: &Stage) -> Value {
    let plan = with(everything(stage), "new", json!([]));
    with(with(plan, "hostname", json!(null)), "domainname", json!(null))
}

/// Into the namespaces of another child. Who is not root needs its user namespace for the right to the other.
pub fn joins(stage: &Stage) -> Result<String, Fault> {
    let other = born(stage, &everything(stage))?;
    let kinds =
        if stage.is_root() { [("UTS", "uts"), ("PID", "pid")] } else { [("USER", "user"), ("UTS", "uts")] };
    let join = |(kind, file): (&str, &str)| json!({ "kind": [kind], "path": format!("/proc/{}/ns/{file}", other.child.0) });
    let second = born(stage, &with(bare(stage), "join", json!(kinds.map(join))))?;
    for (kind, file) in kinds {
        let (seen, expected) = (second.child.namespace(file)?, other.child.namespace(file)?);
        if seen != expected {
            let hint = if kind == "PID" { "before-the-clone" } else { "join-by-path" };
            return Err(Fault::new(format!("{expected}, which the plan joins"), seen, hint));
        }
    }
    Ok(format!("process {} is in the {} and {} of {}", second.child.0, kinds[0].1, kinds[1].1, other.child.0))
}

/// Clocks that are set: by the child, which is root of its user namespace, and, for root, by the parent.
pub fn clocks(stage: &Stage) -> Result<String, Fault> {
    let seconds = 100_000 + i64::from(std::process::id());
    let offsets = json!([{ "clock": "boottime", "seconds": seconds, "nanoseconds": 0 }]);
    let mut plans = vec![(everything(stage), "offsets-before-anybody")];
    if stage.is_root() {
        plans.push((with(bare(stage), "new", json!(["TIME"])), "before-the-clone"));
    }
    for (plan, hint) in plans {
        let born = born(stage, &with(plan, "time_offsets", offsets.clone()))?;
        let text = born.child.read("timens_offsets")?;
        let line = text.lines().find(|line| line.starts_with("boottime")).unwrap_or_default();
        let seen: Vec<&str> = line.split_whitespace().collect();
        if seen.get(1) != Some(&seconds.to_string().as_str()) {
            return Err(Fault::new(format!("boottime {seconds} 0"), seen.join(" "), hint));
        }
    }
    Ok(format!("{seconds} s are added to the time since boot"))
}

/// A group of ours, by its descriptor: the child is born in it, and its namespace ends there.
pub fn group(stage: &Stage) -> Result<String, Fault> {
    let group = Group::make()?;
    let born = born_in(stage, &everything(stage), &group)?;
    let line = |groups: &str| {
        groups.lines().find_map(|line| line.strip_prefix("0::")).unwrap_or_default().to_string()
    };
    let here = line(&born.child.read("cgroup")?);
    if !here.ends_with(&group::name()) {
        return Err(Fault::new(format!("the group …/{}", group::name()), here, "into-the-cgroup"));
    }
    let inside = line(&look::at(born.child.0, "flags-from-the-plan")?.groups);
    if inside != "/" {
        let expected = format!("{here} is / in the child's cgroup namespace");
        return Err(Fault::new(expected, inside, "cgroup-by-the-child"));
    }
    Ok(format!("{here} outside is / inside"))
}
