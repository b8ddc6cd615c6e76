//! The calls of a spawn as strace sees them, beside those that the diagram draws: the same ones, in the same order.

use crate::processes::plan_of;
use diagrams::{Caller, Diagram, Spawn};
use namespaces::{Failure, FailureKind, spawn};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode};

/// Names the state whose plan this program spawns, once, while it is traced.
pub const SPAWNS: &str = "DIAGRAM_SPAWNS";

/// What is compared, and little more.
const CALLS: &str = "trace=clone3,unshare,openat,read,write,setresgid,setresuid,sethostname,ioctl,execve";

pub fn calls_are_made_in_the_order_that_is_drawn(folder: &Path) {
    let is_root = nix::unistd::geteuid().is_root();
    // The diagram begins with new user, mount and PID namespaces; a word takes its kind out, or adds it.
    let links = [
        "",
        "user.mnt.pid",
        "net.uts.ipc.cgroup.time",
        "map-range",
        "map-all.net.uts",
        "user",
        "user.time",
        "mnt.pid",
        "net",
        "pid.uts",
        "mnt.time",
        "cgroup",
        "net.uts.cgroup.time",
        "ipc",
    ];
    let mut seen = 0;
    for link in links {
        let link = if is_root { format!("root.{link}") } else { link.to_owned() };
        let state = Spawn::from_link(&link);
        assert_eq!(state.caller == Caller::Root, is_root);
        let drawn = |who: &str| {
            let calls = state.calls().into_iter().filter(|(other, _)| *other == who);
            calls.map(|(_, call)| with_own_ids(&call)).collect::<Vec<_>>()
        };
        let (parent, child) = traced(folder, &link);
        assert_eq!(parent, drawn("parent"), "the parent of {link:?}");
        assert_eq!(child, drawn("child"), "the child of {link:?}");
        seen += parent.len() + child.len();
    }
    assert!(seen > 60, "{seen} calls");
}

/// The diagram's ordinary user is 1000; here it is whoever runs this.
fn with_own_ids(call: &str) -> String {
    let own = nix::unistd::geteuid();
    if call.contains("map: ") { call.replace(" 1000 ", &format!(" {own} ")) } else { call.to_owned() }
}

/// This program, traced.
pub fn spawn_one(link: &str) -> ExitCode {
    let child = |_: std::os::fd::BorrowedFd<'_>| {
        let error = Command::new("/bin/true").exec();
        Err::<Infallible, _>(Failure::new(FailureKind::NotFound, error))
    };
    let spawned = spawn(&plan_of(&Spawn::from_link(link)), None, |_| Ok(()), child);
    if let Some(pid) = spawned.ok().and_then(|child| child.executed().ok()).map(|(pid, _)| pid) {
        let _ = nix::sys::wait::waitpid(pid, None);
    }
    ExitCode::SUCCESS
}

/// The calls of the parent and of the child, in the diagram's words.
fn traced(folder: &Path, link: &str) -> (Vec<String>, Vec<String>) {
    let traces = folder.join("trace");
    std::fs::create_dir(&traces).unwrap();
    let mut strace = Command::new("strace");
    strace.args(["-ff", "-qq", "-s", "400", "-e", "signal=none", "-e", CALLS, "-o"]).arg(traces.join("of"));
    let program = std::env::current_exe().unwrap();
    assert!(strace.arg(&program).env(SPAWNS, link).status().unwrap().success(), "strace");
    let files = std::fs::read_dir(&traces)
        .unwrap()
        .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap());
    let (mut parent, mut child, mut helpers) = (None, Vec::new(), Vec::new());
    for text in files {
        // The parent was executed; of a plan that is refused at once there is no child.
        match helper(&text) {
            Some(words) => helpers.push(words),
            None if text.contains(&program.display().to_string()) => parent = Some(in_words(&text)),
            None => child = in_words(&text),
        }
    }
    std::fs::remove_dir_all(&traces).unwrap();
    let mut parent = parent.expect("the parent's calls");
    // A helper is made by a clone without a namespace.
    parent.retain(|call| helpers.is_empty() || call != "clone3()");
    parent.extend(helpers);
    (parent, child)
}

/// `newuidmap: 0 1000 1, 1 100000 65536`, of a process that was made to execute it, wherever it was looked for first.
fn helper(text: &str) -> Option<String> {
    let line = text.lines().find(|line| line.starts_with("execve(") && line.contains("/newuidmap\""))?;
    let words: Vec<&str> = line.split('[').nth(1)?.split(']').next()?.split(", ").collect();
    let numbers: Vec<&str> = words.iter().skip(2).map(|word| word.trim_matches('"')).collect();
    let lines: Vec<String> = numbers.chunks(3).map(|line| line.join(" ")).collect();
    Some(format!("newuidmap: {}", lines.join(", ")))
}

fn in_words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut files: BTreeMap<&str, &str> = BTreeMap::new();
    for line in text.lines() {
        let Some((name, rest)) = line.split_once('(') else { continue };
        let result =
            line.rsplit_once(" = ").map_or("", |(_, result)| result.split(' ').next().unwrap_or_default());
        let arguments: Vec<&str> = rest.split(", ").collect();
        let quoted = || rest.split('"').nth(1).unwrap_or_default();
        match name {
            "unshare" => words.push(format!("unshare({})", kinds(rest))),
            "clone3" => {
                words.push(format!("clone3({})", kinds(rest.split("flags=").nth(1).unwrap_or_default())))
            }
            "openat" => drop(files.insert(result, quoted().rsplit('/').next().unwrap_or_default())),
            "write" if quoted() == "\\1" => words.push("write: the byte".to_owned()),
            "write" => words.extend(files.get(arguments[0]).and_then(|file| written(file, quoted()))),
            // One byte is asked for; none comes from a parent that gave up.
            "read" if arguments.get(2).is_some_and(|count| count.starts_with("1)")) => {
                words.push("read: waits for a byte".to_owned());
            }
            "setresgid" => words.push("setresgid(0)".to_owned()),
            "setresuid" => words.push("setresuid(0)".to_owned()),
            "sethostname" => words.push(format!("sethostname(\"{}\")", quoted())),
            "ioctl" if rest.contains("SIOCSIFFLAGS") => words.push("ioctl: lo is up".to_owned()),
            "execve" if quoted() == "/bin/true" => words.push("execve closes the pipe".to_owned()),
            _ => {}
        }
    }
    both_ids_in_one(words)
}

/// The diagram draws the two calls that make root in one line.
fn both_ids_in_one(words: Vec<String>) -> Vec<String> {
    let mut joined: Vec<String> = Vec::new();
    for word in words {
        match joined.last_mut() {
            Some(last) if word == "setresuid(0)" && last == "setresgid(0)" => last.push_str(", setresuid(0)"),
            _ => joined.push(word),
        }
    }
    joined
}

/// `CLONE_PIDFD|CLONE_NEWNS|CLONE_NEWPID, …` is `MNT|PID`.
fn kinds(flags: &str) -> String {
    let flags = flags.split([',', ')']).next().unwrap_or_default().split('|');
    let names = flags.filter_map(|flag| flag.strip_prefix("CLONE_NEW"));
    names.map(|name| if name == "NS" { "MNT" } else { name }).collect::<Vec<_>>().join("|")
}

fn written(file: &str, text: &str) -> Option<String> {
    let text = text.trim_end_matches("\\n").replace("\\n", ", ");
    ["uid_map", "gid_map", "setgroups"].contains(&file).then(|| format!("{file}: {text}"))
}
