//! Every system call of `create`, `start` and `delete` fails in turn, with EIO, ENOMEM and EINTR, by strace's fault injection: whatever
//! the verb makes of it, `delete --force` afterwards leaves nothing.
//!
//! The short tier draws some of them by `CORACLE_SEED`; with `CORACLE_INJECT=all` (`cargo xtask long --only inject`) it is all.

use super::site::{Site, ends_within, is_installed, skip};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::process::{Command, Stdio};
use std::time::Duration;

const VERBS: [&str; 3] = ["create", "start", "delete"];
const ERRORS: [&str; 3] = ["EIO", "ENOMEM", "EINTR"];
/// Calls that cannot fail, and the one by which strace begins.
const NEVER: [&str; 5] = ["exit", "exit_group", "rt_sigreturn", "umask", "execve"];
/// How many kinds of calls there are at least, and how many points: fewer mean that some are not looked at any more. (There are 75 and
/// 2,400; a machine without v1 has fewer points, since there is one group to make instead of a dozen.)
const LEAST_CALLS: usize = 65;
const LEAST_POINTS: usize = 1200;
/// How many are drawn where not all are tried.
const DRAWN: usize = 90;

/// A call that fails: the `number`th of this name, of the runtime's own process or of one that it makes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Point {
    verb: &'static str,
    in_child: bool,
    call: String,
    number: usize,
    error: &'static str,
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Point { verb, in_child, call, number, error } = self;
        write!(f, "{verb}, {call} {number}{}: {error}", if *in_child { " of a child" } else { "" })
    }
}

#[test]
fn whatever_call_fails_nothing_is_left() {
    if !is_installed("strace") {
        return skip("whatever_call_fails_nothing_is_left", "needs strace");
    }
    let Some(site) = Site::new("inject", "true") else { return };
    let all: Vec<Point> = VERBS.iter().flat_map(|verb| points_of(&site, verb)).collect();
    let calls: BTreeSet<&str> = all.iter().map(|point| point.call.as_str()).collect();
    let chosen = chosen(&all);
    let failures: Vec<String> = chosen.iter().filter_map(|point| try_point(&site, point).err()).collect();
    println!(
        "{} of {} points were tried, which are {} calls of {} kinds with {} errors each",
        chosen.len(),
        all.len(),
        all.len() / ERRORS.len(),
        calls.len(),
        ERRORS.len()
    );
    assert!(calls.len() >= LEAST_CALLS && all.len() >= LEAST_POINTS, "fewer than there were: {calls:?}");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// The calls of a verb that goes well, each with each error.
fn points_of(site: &Site, verb: &'static str) -> Vec<Point> {
    prepare(site, verb);
    let trace = site.folder.join("trace");
    let run = strace(site, &["-f", "-qq", "-o", "trace"], verb);
    assert_eq!(run, Ok(true), "{verb} without a fault");
    clear(site).unwrap();
    let text = std::fs::read_to_string(trace).unwrap();
    let mut own = BTreeMap::new();
    let mut of_children: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    let first = text.split(' ').next().unwrap();
    for line in text.lines() {
        let (pid, rest) = line.split_once(' ').unwrap();
        let Some((call, _)) = rest.trim_start().split_once('(') else { continue };
        if NEVER.contains(&call) || !call.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            continue;
        }
        let counts = if pid == first { &mut own } else { of_children.entry(pid).or_default() };
        *counts.entry(call).or_insert(0) += 1;
    }
    let mut places: BTreeSet<(bool, &str, usize)> = BTreeSet::new();
    for (call, count) in &own {
        places.extend((1..=*count).map(|number| (false, *call, number)));
    }
    // strace counts in each process by itself. What the parent has called as often would fail there, and the child never be made.
    for (call, count) in of_children.values().flatten() {
        let first = own.get(call).copied().unwrap_or_default() + 1;
        places.extend((first..=*count).map(|number| (true, *call, number)));
    }
    let with_errors = |(in_child, call, number): (bool, &str, usize)| {
        ERRORS.map(|error| Point { verb, in_child, call: call.into(), number, error })
    };
    places.into_iter().flat_map(with_errors).collect()
}

/// All of them, or some by a seed.
fn chosen(all: &[Point]) -> Vec<Point> {
    if std::env::var("CORACLE_INJECT").is_ok_and(|word| word == "all") {
        return all.to_vec();
    }
    let mut state: u64 = std::env::var("CORACLE_SEED").map_or(1, |text| text.parse().expect("a number"));
    let mut drawn = BTreeSet::new();
    while drawn.len() < DRAWN.min(all.len()) {
        // Knuth's MMIX generator; its upper bits are the better ones.
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        drawn.insert((state >> 33) as usize % all.len());
    }
    drawn.into_iter().map(|index| all[index].clone()).collect()
}

/// Brings the container to where the verb begins.
fn prepare(site: &Site, verb: &str) {
    for before in VERBS.iter().take_while(|before| **before != verb) {
        site.ok(&[before, "ID"]);
    }
    if verb == "delete" {
        super::site::eventually("it has ended", || site.status() == "stopped");
    }
}

fn try_point(site: &Site, point: &Point) -> Result<(), String> {
    prepare(site, point.verb);
    let Point { call, number, error, .. } = point;
    let inject = format!("inject={call}:error={error}:when={number}");
    let follow: &[&str] = if point.in_child { &["-f"] } else { &[] };
    let trace = format!("trace={call}");
    let flags = [follow, &["-qq", "-o", "/dev/null", "-e", &trace, "-e", &inject]].concat();
    let ran = strace(site, &flags, point.verb);
    let cleared = clear(site);
    ran.map_err(|why| format!("{point}: {why}"))?;
    cleared.map_err(|why| format!("{point}: {why}"))
}

/// Whether the verb went well. strace is a grandchild (`-D`), since with `-f` it lives as long as the container that was made.
fn strace(site: &Site, flags: &[&str], verb: &str) -> Result<bool, String> {
    let mut command = Command::new("strace");
    command.arg("-D").args(flags).arg(&site.executable).arg("--root").arg(site.folder.join("state"));
    command.args([verb, &site.id]).current_dir(&site.folder);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let in_time = ends_within(child.id() as i32, Duration::from_secs(20));
    if !in_time {
        let _ = child.kill();
    }
    let status = child.wait().unwrap();
    if in_time { Ok(status.success()) } else { Err("it hangs".into()) }
}

/// `delete --force`, and a look at what may be left: a state, a mount, a group, a process.
fn clear(site: &Site) -> Result<(), String> {
    let (code, _, stderr) = site.run(&["delete", "--force", "ID"]);
    if code != 0 {
        return Err(format!("delete --force: {stderr}"));
    }
    site.what_is_left().map_or(Ok(()), Err)?;
    site.processes_end()
}
