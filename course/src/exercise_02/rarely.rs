//! What root's usual container does not show: an ordinary caller, namespaces that are joined, clocks, a group.

use super::plans::{Born, KINDS, bare, born, everything, go_on, held_in, of_an_ordinary_caller, with};
use super::words::fails_by;
use crate::checks::group::Group;
use crate::checks::process::Process;
use crate::checks::trial::Trial;
use crate::checks::{Fault, Stage, look};
use serde_json::{Value, json};

/// Root has nobody call, whom the kernel asks for more than root.
pub fn ordinary_caller(stage: &Stage) -> Result<String, Fault> {
    let stage = of_an_ordinary_caller(stage)?;
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

/// Into the namespaces of another child. Who is not root needs its user namespace for the right to the other.
pub fn joins(stage: &Stage) -> Result<String, Fault> {
    let mut other = born(stage, &everything(stage))?;
    // Its new network is as the kernel makes it: lo is down.
    other.trial.inner.say("leave the network");
    other.trial.child_says("inside", "not-our-fault")?;
    let first =
        if stage.is_root() { [("UTS", "uts"), ("PID", "pid")] } else { [("USER", "user"), ("UTS", "uts")] };
    let kinds = [first[0], first[1], ("CGROUP", "cgroup"), ("NET", "net")];
    let join = |(kind, file): (&str, &str)| json!({ "kind": [kind], "path": format!("/proc/{}/ns/{file}", other.child.0) });
    let joining = with(bare(stage), "join", json!(kinds.map(join)));
    let second = born(stage, &with(joining, "hostname", json!("renamed"))).map_err(unless_it_may_name)?;
    for (kind, file) in kinds {
        let (seen, expected) = (second.child.namespace(file)?, other.child.namespace(file)?);
        if seen != expected {
            let hint = match kind {
                "PID" => "before-the-clone",
                "CGROUP" => "joined-is-not-new",
                _ => "join-by-path",
            };
            return Err(Fault::new(format!("{expected}, which the plan joins"), seen, hint));
        }
    }
    let renamed = look::at(other.child.0, "join-by-path")?.host_name;
    if renamed != "renamed" {
        let expected = "the name is given to the UTS namespace that is joined: renamed";
        return Err(Fault::new(expected, renamed, "join-by-path"));
    }
    if look::at(second.child.0, "join-by-path")?.loopback == "works" {
        let expected = "lo of the network that is joined stays down, as whoever made it has left it";
        return Err(Fault::new(expected, "127.0.0.1 can be reached", "joined-is-not-new"));
    }
    beside_a_joined_user(stage, &other)?;
    let joined = kinds.map(|(_, file)| file).join(" ");
    let told = format!("process {} is in the {joined} of {}", second.child.0, other.child.0);
    // Last: with its run the others end as well.
    nothing_to_join(stage).map(|()| told)
}

/// The parent joins a PID namespace for its children; where that fails, there is no child.
fn nothing_to_join(stage: &Stage) -> Result<(), Fault> {
    let path = format!("/nonexistent/{}/pid", std::process::id());
    let plan = with(bare(stage), "join", json!([{ "kind": ["PID"], "path": path }]));
    let mut trial = Trial::start(stage, &["spawn", &plan.to_string()])?;
    let refused = trial.caller_says("refused", "before-the-clone")?.text;
    let is_told = refused.contains(&path);
    let fault = || Fault::new(format!("an error that names {path}"), refused, "before-the-clone");
    is_told.then_some(()).ok_or_else(fault)
}

/// A machine's name may be given by who is root of the user namespace that its UTS namespace belongs to.
fn beside_a_joined_user(stage: &Stage, other: &Born) -> Result<(), Fault> {
    let plan = beside(stage, other);
    let by_usher =
        |fault: Fault| if fault.hint == "a-hole" { fault } else { Fault { hint: "the-usher", ..fault } };
    let born = born(stage, &with(plan, "hostname", json!("beside"))).map_err(by_usher)?;
    let (seen, expected) = (born.child.namespace("user")?, other.child.namespace("user")?);
    if seen != expected {
        return Err(Fault::new(format!("{expected}, which the plan joins"), seen, "the-usher"));
    }
    let (name, numbers) = (look::at(born.child.0, "the-usher")?.host_name, born.child.status("NSpid")?);
    if name != "beside" || numbers.last() != Some(&1) {
        let seen = format!("{name:?}, and the numbers {numbers:?}");
        return Err(Fault::new("\"beside\", and process 1 of new namespaces", seen, "the-usher"));
    }
    Ok(())
}

/// What keeps the child from its closure, if it gives a name before it is where it may.
fn unless_it_may_name(fault: Fault) -> Fault {
    if fault.seen.contains("sethostname") { Fault { hint: "join-by-path", ..fault } } else { fault }
}

/// Clocks that are set: by the child, which is root of its user namespace, and, for root, by the parent. Then one that cannot be.
pub fn clocks(stage: &Stage) -> Result<String, Fault> {
    let seconds = 100_000 + i64::from(std::process::id());
    let offsets = json!([{ "clock": "boottime", "seconds": seconds, "nanoseconds": 0 }]);
    let mut plans = vec![(everything(stage), "offsets-before-anybody")];
    if stage.is_root() {
        plans.push((with(bare(stage), "new", json!(["TIME"])), "before-the-clone"));
    }
    for (plan, hint) in plans {
        let born =
            born(stage, &with(plan, "time_offsets", offsets.clone())).map_err(unless_it_owns_its_files)?;
        let text = born.child.read("timens_offsets")?;
        let line = text.lines().find(|line| line.starts_with("boottime")).unwrap_or_default();
        let seen: Vec<&str> = line.split_whitespace().collect();
        if seen.get(1) != Some(&seconds.to_string().as_str()) {
            return Err(Fault::new(format!("boottime {seconds} 0"), seen.join(" "), hint));
        }
        let [own, childrens] = ["time", "time_for_children"].map(|kind| born.child.namespace(kind));
        if own? != childrens? {
            let seen = "a child with the caller's clocks, whose own children only would have others";
            return Err(Fault::new("a child that is in its time namespace", seen, "into-its-own-clocks"));
        }
    }
    // It would stand before the boot.
    let impossible = json!([{ "clock": "boottime", "seconds": -1_000_000_000, "nanoseconds": 0 }]);
    let plan = with(everything(stage), "time_offsets", impossible);
    fails_by(stage, &plan, ("timens_offsets", "ERANGE"), "System")?;
    Ok(format!("{seconds} s are added to the time since boot"))
}

/// What keeps the child from its closure, if it is its own offsets that it may not write.
fn unless_it_owns_its_files(fault: Fault) -> Fault {
    let is_it = fault.seen.contains("timens_offsets") && fault.seen.contains("EACCES");
    if is_it { Fault { hint: "clocks-before-another-user", ..fault } } else { fault }
}

/// Two groups of ours. The child is born in one, by its descriptor; while it waits it is moved to the other, as on hosts where a
/// group cannot be given to the clone. Its namespace begins where it is then.
pub fn group(stage: &Stage) -> Result<String, Fault> {
    let (first, second) = (Group::make("born")?, Group::make("moved")?);
    let (trial, child) = held_in(stage, &everything(stage), &first)?;
    is_born_in(&first, child)?;
    second.add(child)?;
    let born = go_on(trial)?;
    let here = of_v2(&born.child.read("cgroup")?);
    let inside = of_v2(&look::at(born.child.0, "flags-from-the-plan")?.groups);
    if inside != "/" {
        let expected = format!("{here}, into which the child was moved, is / in its cgroup namespace");
        return Err(Fault::new(expected, inside, "cgroup-by-the-child"));
    }
    Ok(format!("{here} outside is / inside"))
}

/// The group of v2 among the groups of a process.
fn of_v2(groups: &str) -> String {
    groups.lines().find_map(|line| line.strip_prefix("0::")).unwrap_or_default().to_string()
}

fn is_born_in(group: &Group, child: Process) -> Result<(), Fault> {
    let seen = of_v2(&child.read("cgroup")?);
    if seen.ends_with(&group.name()) {
        return Ok(());
    }
    Err(Fault::new(format!("the group …/{}", group.name()), seen, "into-the-cgroup"))
}

/// Beside a user namespace that is joined another process makes the child, and in the same group.
pub fn group_by_the_usher(stage: &Stage) -> Result<String, Fault> {
    let other = born(stage, &everything(stage))?;
    let group = Group::make("beside")?;
    let (trial, child) = held_in(stage, &beside(stage, &other), &group)?;
    is_born_in(&group, child)?;
    drop(trial);
    Ok(format!("{} is in the group …/{}", child.0, group.name()))
}

/// New namespaces, and another child's user namespace.
fn beside(stage: &Stage, other: &Born) -> Value {
    let user = json!([{ "kind": ["USER"], "path": format!("/proc/{}/ns/user", other.child.0) }]);
    with(with(bare(stage), "join", user), "new", json!(["UTS", "PID"]))
}
