//! What is true of a child that has come to its closure.

use super::plans::{KINDS, bare, born, domain, everything, name, outside, with};
use crate::checks::process::Process;
use crate::checks::socket::Heard;
use crate::checks::trial::{PATIENCE, Trial};
use crate::checks::{Fault, Stage, look};
use serde_json::json;

/// Three ranges that change from run to run.
pub fn map_text(stage: &Stage) -> Result<String, Fault> {
    let seed = std::process::id();
    let ranges: Vec<[u32; 3]> = (1..4).map(|index| [index * 1000, seed * 10 + index, index + 1]).collect();
    let maps: Vec<_> =
        ranges.iter().map(|[a, b, c]| json!({ "inside": a, "outside": b, "count": c })).collect();
    let trial = Trial::start(stage, &["map-text", &json!(maps).to_string()])?;
    let expected: String = ranges.iter().map(|[a, b, c]| format!("{a} {b} {c}\n")).collect();
    match trial.inner.hear(&[""], PATIENCE)? {
        Heard::Message(message) if message.text == expected => Ok(format!("{:?}", message.text)),
        Heard::Message(message) => {
            Err(Fault::new(format!("{expected:?}"), format!("{:?}", message.text), "inside-first"))
        }
        Heard::End | Heard::Silence => Err(trial.silent(&format!("{expected:?}"), "inside-first")),
    }
}

/// Seen by /proc/PID/ns, of the process that the kernel names.
pub fn all_namespaces(stage: &Stage) -> Result<String, Fault> {
    let born = born(stage, &everything(stage))?;
    let apart = born.child.apart_from(Process::this())?;
    let shared: Vec<_> = KINDS.iter().map(|(_, file)| *file).filter(|file| !apart.contains(file)).collect();
    let hint = match shared.as_slice() {
        [] => return Ok(format!("process {} is apart in {}", born.child.0, apart.join(" "))),
        ["cgroup"] => "cgroup-by-the-child",
        ["time_for_children"] => "time-for-children",
        ["pid"] => "pid-by-the-clone",
        _ => "flags-from-the-plan",
    };
    let seen = format!("process {} shares with us: {}", born.child.0, shared.join(" "));
    Err(Fault::new("no namespace is shared", seen, hint))
}

/// Few kinds, and, for those who may, none that gives rights.
pub fn only_what_is_asked(stage: &Stage) -> Result<String, Fault> {
    let mut plans = vec![(vec!["UTS", "USER"], vec!["user", "uts"])];
    if stage.is_root() {
        plans.push((vec!["IPC"], vec!["ipc"]));
        plans.push((vec!["CGROUP", "NET", "PID"], vec!["cgroup", "net", "pid"]));
    }
    for (new, expected) in plans {
        let plan = with(everything(stage), "new", json!(new));
        let plan = with(with(plan, "hostname", json!(null)), "domainname", json!(null));
        let born = born(stage, &plan)?;
        let apart = born.child.apart_from(Process::this())?;
        if apart != expected {
            let seen = format!("apart in {}", apart.join(" "));
            let hint = if is_but_for_the_cgroup(&apart, &expected) {
                "cgroup-by-the-child"
            } else {
                "flags-from-the-plan"
            };
            return Err(Fault::new(format!("apart in {}", expected.join(" ")), seen, hint));
        }
        let uids = born.child.status("Uid")?;
        if !expected.contains(&"user") && uids != [i64::from(stage.uid); 4] {
            return Err(Fault::new(
                "the child's user is its caller's",
                format!("{uids:?}"),
                "only-a-new-root",
            ));
        }
    }
    Ok("the other kinds are ours".into())
}

/// The one kind that the child makes for itself, whoever it is.
fn is_but_for_the_cgroup(apart: &[&str], expected: &[&str]) -> bool {
    expected.contains(&"cgroup") && expected.iter().filter(|kind| **kind != "cgroup").eq(apart)
}

/// Seen by /proc/PID/uid_map, gid_map and setgroups.
pub fn id_maps(stage: &Stage) -> Result<String, Fault> {
    let plan = everything(stage);
    let child = born(stage, &plan)?;
    let numbers = |map: &str| {
        ["inside", "outside", "count"].map(|field| plan[map][0][field].as_u64().unwrap_or(0) as u32)
    };
    for map in ["uid_map", "gid_map"] {
        let (seen, expected) = (child.child.map(map)?, [numbers(map)]);
        if seen != expected {
            return Err(Fault::new(format!("{map}: {expected:?}"), format!("{seen:?}"), "inside-first"));
        }
    }
    let mut seen = vec![child.child.read("setgroups")?.trim().to_string()];
    drop(child);
    // Root's child has what root has.
    let ours = Process::this().read("setgroups")?;
    let (expected, hint) =
        if stage.is_root() { (ours.trim(), "setgroups-of-root") } else { ("deny", "setgroups-first") };
    if stage.is_root() {
        // The case that an ordinary user is in, for root: one group.
        let single = json!([{ "inside": 0, "outside": 0, "count": 1 }]);
        let one = born(stage, &with(with(plan, "uid_map", single.clone()), "gid_map", single))?;
        seen.push(one.child.read("setgroups")?.trim().to_string());
    }
    match seen.iter().find(|seen| *seen != expected) {
        None => Ok(format!("both maps are the plan's; setgroups: {expected}")),
        Some(seen) => Err(Fault::new(format!("setgroups: {expected}"), format!("setgroups: {seen}"), hint)),
    }
}

/// Seen by the four ids of /proc/PID/status: real, effective, saved, and that of files.
pub fn root_inside(stage: &Stage) -> Result<String, Fault> {
    let born = born(stage, &everything(stage))?;
    let (uid, gid) = outside(stage);
    for (line, id) in [("Uid", uid), ("Gid", gid)] {
        let (seen, expected) = (born.child.status(line)?, [i64::from(id); 4]);
        if seen != expected {
            let seen = format!("{line} {seen:?}");
            return Err(Fault::new(format!("{line} {expected:?}, which is 0 inside"), seen, "become-root"));
        }
    }
    Ok(format!("0 inside is user {uid} and group {gid} outside"))
}

/// Seen by NSpid and PPid, and by the descriptor in the caller's hands.
pub fn process_one(stage: &Stage) -> Result<String, Fault> {
    let mut born = born(stage, &everything(stage))?;
    let numbers = born.child.status("NSpid")?;
    if numbers.last() != Some(&1) || numbers.len() < 2 {
        return Err(Fault::new("the last number of NSpid is 1", format!("{numbers:?}"), "pid-by-the-clone"));
    }
    let parent = born.child.status("PPid")?;
    if parent != [i64::from(born.trial.caller.0)] {
        let expected = format!("its parent is the caller, {}", born.trial.caller.0);
        return Err(Fault::new(expected, format!("{parent:?}"), "your-own-child"));
    }
    let told = born.trial.caller_says("spawned", "your-own-child")?.text;
    let mut words = told.split(' ').skip(1);
    let (pid, descriptor) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let information = born.trial.caller.read(&format!("fdinfo/{descriptor}")).unwrap_or_default();
    let stands_for =
        information.lines().find_map(|line| line.strip_prefix("Pid:")).unwrap_or_default().trim();
    let child = born.child.0.to_string();
    if pid != child || stands_for != child {
        let seen = format!("pid {pid}, and a descriptor of {stands_for:?}");
        return Err(Fault::new(format!("`Child` tells of {child}"), seen, "your-own-child"));
    }
    let moved = born.trial.caller.apart_from(Process::this())?;
    if !moved.is_empty() {
        let seen = format!("the caller has left {}", moved.join(" "));
        return Err(Fault::new("the caller stays where it is", seen, "names-in-the-child"));
    }
    Ok(format!("{child} here is 1 inside"))
}

/// Seen by uname(2) of a second process, in the child's namespaces and in ours.
pub fn names(stage: &Stage) -> Result<String, Fault> {
    let ours = || nix::unistd::gethostname().map(|name| name.to_string_lossy().into_owned());
    let before = ours()?;
    let born = born(stage, &everything(stage))?;
    let sight = look::at(born.child.0, "flags-from-the-plan")?;
    let expected = (name(stage), domain(), before);
    let seen = (sight.host_name, sight.domain_name, ours()?);
    if seen != expected {
        let expected = format!("inside, its domain, outside: {expected:?}");
        return Err(Fault::new(expected, format!("{seen:?}"), "names-in-the-child"));
    }
    let (unnamed, ours) = (unnamed(stage)?, own_names()?);
    if unnamed != ours {
        let expected = format!("the host and the domain {ours:?} inside, where the plan's names are empty");
        return Err(Fault::new(expected, format!("{unnamed:?}"), "empty-names"));
    }
    Ok(format!("{}.{} inside, {} outside", seen.0, seen.1, seen.2))
}

/// Of the machine and its domain, as they are to us. A domain that nobody has set is `(none)`.
fn own_names() -> Result<(String, String), Fault> {
    let names = nix::sys::utsname::uname()?;
    let text = |name: &std::ffi::OsStr| name.to_string_lossy().into_owned();
    Ok((text(names.nodename()), text(names.domainname())))
}

/// The names inside of a child that is to have none of its own.
fn unnamed(stage: &Stage) -> Result<(String, String), Fault> {
    let plan = with(with(everything(stage), "hostname", json!("")), "domainname", json!(""));
    let born = born(stage, &plan)?;
    let sight = look::at(born.child.0, "flags-from-the-plan")?;
    Ok((sight.host_name, sight.domain_name))
}

/// Seen by a second process in the child's network, which speaks to itself. Root needs no new user namespace for one.
pub fn loopback(stage: &Stage) -> Result<String, Fault> {
    let mut plans = vec![everything(stage)];
    if stage.is_root() {
        plans.push(with(bare(stage), "new", json!(["NET"])));
    }
    for plan in plans {
        let born = born(stage, &plan)?;
        let sight = look::at(born.child.0, "flags-from-the-plan")?;
        if sight.links != ["lo"] {
            return Err(Fault::new("lo alone", sight.links.join(" "), "flags-from-the-plan"));
        }
        if sight.loopback != "works" {
            let seen = format!("{}, where the plan makes {}", sight.loopback, plan["new"]);
            return Err(Fault::new("127.0.0.1 can be reached", seen, "loopback-up"));
        }
    }
    Ok("lo alone, and it works".into())
}
