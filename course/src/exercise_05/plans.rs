//! What the file asks for, found in the kernel's files of the process that it became.

use super::site::Site;
use crate::checks::chance::some;
use crate::checks::process::Process;
use crate::checks::stage::no_ordinary_caller;
use crate::checks::{Fault, Stage};
use serde_json::json;
use std::fs;

/// The kinds that may be left out: the file's word, and the name below /proc/PID/ns.
const KINDS: [(&str, &str); 4] = [("uts", "uts"), ("ipc", "ipc"), ("network", "net"), ("cgroup", "cgroup")];

/// Exactly those that are listed.
pub fn namespaces(stage: &Stage) -> Result<String, Fault> {
    // Neither none nor all of the four.
    let choice = some(1, 14);
    let chosen =
        || KINDS.iter().enumerate().filter(|(index, _)| choice >> index & 1 == 1).map(|(_, kind)| *kind);
    let mut words = vec!["pid"];
    words.extend(chosen().map(|(word, _)| word));
    let mut site = Site::new(stage, &words)?;
    let process = site.started()?;
    let mut expected = vec!["mnt", "pid"];
    expected.extend(chosen().map(|(_, name)| name));
    if !stage.has_many_ids {
        expected.push("user");
    }
    expected.sort_unstable();
    let seen = process.apart_from(Process::this())?;
    if seen != expected {
        let seen = format!("of its own are {}", seen.join(", "));
        return Err(Fault::new(format!("of its own are {}", expected.join(", ")), seen, "made-or-joined"));
    }
    each_once(&mut site)?;
    Ok(format!("of its own are {}", expected.join(", ")))
}

/// A kind that is listed two times is refused, whichever of the two is made and whichever is joined.
fn each_once(site: &mut Site) -> Result<(), Fault> {
    let list = site.spec["linux"]["namespaces"].as_array().cloned().unwrap_or_default();
    let [made, joined] = [json!({ "type": "uts" }), json!({ "type": "uts", "path": "/proc/self/ns/uts" })];
    for two in [[&made, &made], [&made, &joined], [&joined, &made], [&joined, &joined]] {
        let others = list.iter().filter(|one| one["type"] != "uts");
        site.spec["linux"]["namespaces"] = others.chain(two).cloned().collect();
        site.id.push('2');
        site.refused(&["create", "ID"], "linux.namespaces", "each-once")?;
    }
    Ok(())
}

/// Why nobody may join another's namespaces, if so. (A user namespace that is joined has no room for new ones beside it.)
pub fn no_joining(stage: &Stage) -> Option<String> {
    (!stage.has_many_ids)
        .then(|| "it takes root to join namespaces without the user namespace that owns them".into())
}

/// Two of another container's; an empty path is none.
pub fn joined(stage: &Stage) -> Result<String, Fault> {
    let one = Site::new(stage, &["pid", "uts", "network"])?;
    let first = one.started()?;
    let mut two = Site::new(stage, &[])?;
    let path = |kind: &str| format!("/proc/{}/ns/{kind}", first.0);
    two.spec["linux"]["namespaces"] = json!([
        { "type": "uts", "path": path("uts") },
        { "type": "mount" },
        { "type": "network", "path": path("net") },
        { "type": "pid", "path": "" },
    ]);
    let second = two.started_or("made-or-joined")?;
    let apart = second.apart_from(first)?;
    if apart != ["mnt", "pid"] {
        let seen = format!("apart are {}", apart.join(", "));
        return Err(Fault::new("apart from the other container are mnt, pid", seen, "made-or-joined"));
    }
    Ok("uts and net are the other container's".into())
}

/// A line of /proc/PID/mountinfo: the file system's type, its source, and whether it is read-only.
struct Mounted {
    root: String,
    fstype: String,
    source: String,
}

/// What is mounted at a path, as the process sees it.
fn mounted(process: Process, point: &str) -> Result<Option<Mounted>, Fault> {
    let text = process.read("mountinfo")?;
    let mut found = text.lines().filter_map(|line| line.split_once(" - ")).filter_map(|(mount, system)| {
        let fields: Vec<&str> = mount.split(' ').collect();
        let mut system = system.split(' ');
        (fields.get(4) == Some(&point)).then(|| Mounted {
            root: fields[3].to_string(),
            fstype: system.next().unwrap_or_default().to_string(),
            source: system.next().unwrap_or_default().to_string(),
        })
    });
    Ok(found.next_back())
}

/// Binds by their type and by their options; file systems with a source and without; and the mount that is neither.
pub fn mounts(stage: &Stage) -> Result<String, Fault> {
    let mut site = Site::new(stage, &["pid"])?;
    let theirs = site.folder.join("theirs");
    fs::create_dir(&theirs)?;
    let name = format!("source-{}", site.id);
    site.spec["mounts"] = json!([
        { "destination": "/by-type", "type": "bind", "source": theirs },
        { "destination": "/by-type-alone", "type": "bind", "source": theirs, "options": ["nosuid"] },
        { "destination": "/by-option", "type": "tmpfs", "source": theirs, "options": ["rbind"] },
        { "destination": "/by-another", "type": "tmpfs", "source": theirs, "options": ["bind"] },
        { "destination": "/devices", "source": "/dev", "options": ["rbind"] },
        { "destination": "/named", "type": "tmpfs", "source": name },
        { "destination": "/unnamed", "type": "tmpfs" },
    ]);
    let process = site.started_or("options-win")?;
    for point in ["/by-type", "/by-type-alone", "/by-option", "/by-another"] {
        let found = mounted(process, point)?;
        if !found.as_ref().is_some_and(|one| one.root.ends_with("/theirs")) {
            let seen = found
                .map_or("nothing".into(), |one| format!("{} {} of {}", one.fstype, one.source, one.root));
            return Err(Fault::new(format!("{point} is {}", theirs.display()), seen, "options-win"));
        }
    }
    for (point, source) in [("/named", name.as_str()), ("/unnamed", "tmpfs")] {
        let found = mounted(process, point)?;
        if !found.as_ref().is_some_and(|one| one.fstype == "tmpfs" && one.source == source) {
            let seen = found.map_or("nothing".into(), |one| format!("{} {}", one.fstype, one.source));
            return Err(Fault::new(format!("{point} is tmpfs {source}"), seen, "a-source-or-its-type"));
        }
    }
    beneath(process)?;
    drop(site);
    beside_the_file(stage)?;
    alone(stage)?;
    neither(stage)?;
    Ok("four binds, two file systems, and /dev with what is beneath it".into())
}

/// The mounts below /dev, of which the host has at least that of its terminals.
fn beneath(process: Process) -> Result<(), Fault> {
    let own = Process::this().read("mountinfo")?;
    let points = own.lines().filter_map(|line| line.split(' ').nth(4));
    for point in points.filter_map(|point| point.strip_prefix("/dev/")) {
        if mounted(process, &format!("/devices/{point}"))?.is_none() {
            let seen = format!("/devices/{point} is no mount");
            return Err(Fault::new("with rbind come the mounts beneath", seen, "options-win"));
        }
    }
    Ok(())
}

/// A relative source is one of the bundle's, wherever we are called.
fn beside_the_file(stage: &Stage) -> Result<(), Fault> {
    let mut site = Site::new(stage, &["pid"])?;
    fs::create_dir(site.folder.join("theirs"))?;
    site.place = "/".into();
    site.spec["mounts"] =
        json!([{ "destination": "/beside", "type": "bind", "source": "theirs", "options": ["bind"] }]);
    let process = site.started_or("beside-the-file")?;
    match mounted(process, "/beside")? {
        Some(one) if one.root.ends_with("/theirs") => Ok(()),
        found => {
            let seen = found.map_or("nothing".into(), |one| one.root);
            Err(Fault::new("/beside is the bundle's theirs", seen, "beside-the-file"))
        }
    }
}

/// Without rbind they do not. (In a user namespace the kernel does not uncover what lies below them.)
fn alone(stage: &Stage) -> Result<(), Fault> {
    if !stage.has_many_ids {
        return Ok(());
    }
    let mut site = Site::new(stage, &["pid"])?;
    site.spec["mounts"] =
        json!([{ "destination": "/devices", "type": "none", "source": "/dev", "options": ["bind"] }]);
    let process = site.started_or("options-win")?;
    let lines = process.read("mountinfo")?;
    match lines.lines().find(|line| line.contains(" /devices/")) {
        Some(line) => Err(Fault::new("with bind nothing comes that is mounted beneath", line, "options-win")),
        None if mounted(process, "/devices")?.is_none() => {
            Err(Fault::new("/devices is /dev", "nothing", "options-win"))
        }
        None => Ok(()),
    }
}

/// Refused, before anything is there.
fn neither(stage: &Stage) -> Result<(), Fault> {
    let mut site = Site::new(stage, &["pid"])?;
    site.spec["mounts"] = json!([{ "destination": "/neither", "source": "/dev" }]);
    site.refused(&["create", "ID"], "/neither", "neither-nor")?;
    // Who mounts makes the folder on which it is mounted.
    if site.file("neither").exists() {
        let seen = "there is a folder for it in the root";
        return Err(Fault::new("/neither is refused before anything is made", seen, "neither-nor"));
    }
    site.nothing_is_left("nothing-is-left")
}

/// A remount changes what was mounted before.
pub fn remounted(stage: &Stage) -> Result<String, Fault> {
    let mut site = Site::new(stage, &["pid"])?;
    site.spec["mounts"] = json!([
        { "destination": "/again", "type": "tmpfs" },
        { "destination": "/again", "options": ["remount", "ro"] },
        { "destination": "/bound", "type": "tmpfs" },
        { "destination": "/bound", "source": "/bound", "options": ["remount", "bind", "ro"] },
    ]);
    let process = site.started_or("a-remount-is-none")?;
    let text = process.read("mountinfo")?;
    for point in ["/again", "/bound"] {
        let lines: Vec<&str> = text.lines().filter(|line| line.split(' ').nth(4) == Some(point)).collect();
        let is_it = |line: &str| line.split(' ').nth(5).is_some_and(|flags| flags.starts_with("ro"));
        if !matches!(lines.as_slice(), [line] if is_it(line)) {
            let expected = format!("one mount on {point}, read-only");
            return Err(Fault::new(expected, lines.join("; "), "a-remount-is-none"));
        }
    }
    Ok("/again and /bound are read-only".into())
}

/// What only the machine can tell is asked before anything is made: whether a file is that of such a namespace.
pub fn asked_first(stage: &Stage) -> Result<String, Fault> {
    let mut site = Site::new(stage, &["pid"])?;
    let list = site.spec["linux"]["namespaces"].as_array_mut();
    list.into_iter().for_each(|list| list.insert(0, json!({ "type": "uts", "path": "/proc/self/ns/net" })));
    let (done, why) = (site.run(&["create", "ID"], "as-far-as-the-gate")?, "linux.namespaces[0].path");
    if done.code != 1 || !done.err.contains(why) {
        // Who makes it meant that nothing is to be joined.
        let hint = if done.code == 0 { "made-or-joined" } else { "the-machine-is-asked" };
        return Err(Fault::new(format!("`create` fails with code 1: {why}"), done.spelled(), hint));
    }
    site.nothing_is_left("nothing-is-left")?;
    Ok(done.err.trim().to_string())
}

/// Why no user can be had who is not root and joins what another has mapped, if so.
pub fn no_joining_user(stage: &Stage) -> Option<String> {
    let why = "it takes root to map a group for an ordinary user who may change theirs";
    (!stage.has_many_ids).then(|| why.into()).or_else(|| no_ordinary_caller(stage))
}

/// An ordinary user has no rights over a network but by the user namespace that owns it, wherever the file names that.
pub fn owner_first(stage: &Stage) -> Result<String, Fault> {
    let stage = stage.of_an_ordinary_caller()?;
    let mut site = Site::new(&stage, &[])?;
    let holder = site.hold()?;
    let first = match site.heard("held", "not-our-fault") {
        Ok(first) => first,
        Err(silence) => {
            return Err(Fault::new(
                silence.expected,
                holder.wait("not-our-fault")?.spelled(),
                "not-our-fault",
            ));
        }
    };
    // By root, who need not forbid setgroups(2) for that.
    for (file, id) in [("uid_map", stage.uid), ("gid_map", stage.gid)] {
        fs::write(format!("/proc/{}/{file}", first.0), format!("0 {id} 1"))?;
    }
    let entry =
        |word: &str, name: &str| json!({ "type": word, "path": format!("/proc/{}/ns/{name}", first.0) });
    site.spec["linux"] =
        json!({ "namespaces": [entry("network", "net"), entry("mount", "mnt"), entry("user", "user")] });
    let second = site.started_or("the-owner-first")?;
    let apart = second.apart_from(first)?;
    if !apart.is_empty() {
        let seen = format!("apart are {}", apart.join(", "));
        return Err(Fault::new("all of them are joined", seen, "the-owner-first"));
    }
    Ok("net and mnt were joined by the right that their owner gives".into())
}
