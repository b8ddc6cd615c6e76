//! Who gets the processor, and who is killed when memory runs out: real groups, with processes that want both.

use crate::random::Random;
use cgroups::{Cgroup, Layout, Limits, Op};
use models::{Group, Memory, Shortage, shares, shortage};
use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::AsRawFd;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// How long busy processes are watched.
const WATCHED: Duration = Duration::from_secs(1);
/// By how many thousandths a share may differ: somebody else may want the processor, too.
const TOLERANCE: u32 = 60;
/// How often a tree is watched anew before it counts as different.
const TRIES: usize = 4;
/// How many trees of random limits of memory.
const SHORTAGES: u64 = 150;
const MEGABYTE: u64 = 1 << 20;

/// In a process of its own: waits until it is told, and then is busy on one processor until it is killed.
pub fn busy() -> ExitCode {
    let mut one = CpuSet::new();
    one.set(0).expect("the first processor");
    sched_setaffinity(Pid::from_raw(0), &one).expect("it is ours");
    println!("!");
    let _ = std::io::stdin().read(&mut [0]);
    loop {
        std::hint::spin_loop();
    }
}

/// Holds as many bytes as each line says, and tells so; it ends with its input.
pub fn hold() -> ExitCode {
    let mut held: Vec<Vec<u8>> = Vec::new();
    println!("!");
    for line in std::io::stdin().lines().map_while(Result::ok) {
        // Written, so that each page is there.
        held.push(vec![1; line.parse().expect("a number of bytes")]);
        println!("!");
    }
    ExitCode::SUCCESS
}

/// Who is not root makes no groups here, and says so.
fn makes_groups(test: &str) -> bool {
    let is_root = nix::unistd::geteuid().is_root();
    if !is_root {
        println!("{test}: groups are made by root, who runs it as well");
    }
    is_root
}

/// Groups below one of our own, with a process in each leaf.
struct Tree {
    top: Cgroup,
    groups: Vec<Cgroup>,
    children: Vec<Option<(Child, BufReader<std::process::ChildStdout>)>>,
}

impl Tree {
    fn new(name: &str, layout: &Layout, parents: &[Option<usize>], limits: &[Limits], mode: &str) -> Tree {
        let path = format!("/coracle-model-{}-{name}", std::process::id());
        // As much as there is: what else runs on this machine shall not count.
        let everything = Limits { cpu_shares: Some(262_144), ..Limits::default() };
        let top = Cgroup::create(layout, &path, &everything).expect("a group");
        let mut tree = Tree { top, groups: Vec::new(), children: Vec::new() };
        let mut paths = Vec::<String>::new();
        for (one, parent) in parents.iter().enumerate() {
            paths.push(format!("{}/{one}", parent.map_or(path.as_str(), |parent| &paths[parent])));
            tree.groups.push(Cgroup::create(layout, &paths[one], &limits[one]).expect("a group below"));
        }
        for one in 0..parents.len() {
            let is_leaf = !parents.contains(&Some(one));
            tree.children.push(is_leaf.then(|| process(&tree.groups[one], mode)));
        }
        tree
    }

    fn pid(&self, one: usize) -> u32 {
        self.children[one].as_ref().expect("a leaf").0.id()
    }

    fn tell(&mut self, one: usize, line: &str) {
        let (child, _) = self.children[one].as_mut().expect("a leaf");
        child.stdin.as_mut().expect("a pipe").write_all(line.as_bytes()).expect("it waits");
    }

    /// Whether the process says that it has done it, or is killed.
    fn answers(&mut self, one: usize) -> bool {
        let (_, answers) = self.children[one].as_mut().expect("a leaf");
        answers.read_line(&mut String::new()).expect("a pipe") > 0
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        for (child, _) in self.children.iter_mut().flatten() {
            let _ = child.kill();
            child.wait().expect("our child");
        }
        self.groups.iter().rev().chain([&self.top]).for_each(|group| group.remove().expect("it is empty"));
    }
}

fn process(group: &Cgroup, mode: &str) -> (Child, BufReader<std::process::ChildStdout>) {
    let mut command = Command::new("/proc/self/exe");
    let mut child =
        command.arg(mode).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("ourselves");
    group.add(child.id() as i32).expect("the groups of v1");
    if let Some(folder) = group.unified_fd() {
        let procs = format!("/proc/self/fd/{}/cgroup.procs", folder.as_raw_fd());
        std::fs::write(procs, child.id().to_string()).expect("the group of v2");
    }
    let mut answers = BufReader::new(child.stdout.take().expect("a pipe"));
    answers.read_line(&mut String::new()).expect("it begins");
    (child, answers)
}

/// The weight that chapter 03 writes for these limits, or the kernel's own.
fn weight(layout: &Layout, limits: &Limits) -> u64 {
    let steps = cgroups::plan(layout, limits).expect("it can be limited");
    let written = steps.iter().find_map(|step| match step {
        Op::Write(write) if ["cpu.weight", "cpu.shares"].contains(&write.file.as_str()) => {
            write.value.parse().ok()
        }
        _ => None,
    });
    written.unwrap_or(if layout.hierarchy("cpu").is_some() { 1024 } else { 100 })
}

/// A tree: the group above, shares, and the quota in thousandths, of each.
type Wanted = &'static [(Option<usize>, Option<u64>, Option<u32>)];

const TREES: &[Wanted] = &[
    &[(None, Some(1024), None), (None, Some(3072), None)],
    &[
        (None, Some(2048), None),
        (None, Some(2048), None),
        (Some(1), Some(1024), None),
        (Some(1), Some(4096), None),
    ],
    &[(None, Some(4096), Some(200)), (None, Some(1024), None), (None, Some(2048), None)],
    &[
        (None, None, None),
        (None, None, Some(500)),
        (Some(1), Some(9000), Some(100)),
        (Some(1), Some(1000), None),
    ],
];

pub fn processors_are_divided_as_the_model_says(_: &Path) {
    if !makes_groups("processors_are_divided_as_the_model_says") {
        return;
    }
    let layout = Layout::detect().expect("the hierarchies are told");
    for (index, wanted) in TREES.iter().enumerate() {
        let parents: Vec<_> = wanted.iter().map(|(parent, ..)| *parent).collect();
        let limits: Vec<Limits> = wanted
            .iter()
            .map(|(_, cpu_shares, quota)| Limits {
                cpu_shares: *cpu_shares,
                cpu_quota: quota.map(|quota| i64::from(quota) * 100),
                cpu_period: quota.map(|_| 100_000),
                ..Limits::default()
            })
            .collect();
        let group = |(one, (parent, _, quota)): (usize, &(Option<usize>, _, Option<u32>))| Group {
            parent: *parent,
            weight: weight(&layout, &limits[one]),
            quota: *quota,
            is_busy: !parents.contains(&Some(one)),
        };
        let model = shares(&wanted.iter().enumerate().map(group).collect::<Vec<_>>());
        let mut seen = Vec::new();
        for _ in 0..TRIES {
            let mut tree = Tree::new(&format!("cpu-{index}"), &layout, &parents, &limits, "--busy");
            seen = watched(&mut tree);
            if is_near(&seen, &model) {
                break;
            }
        }
        assert!(is_near(&seen, &model), "tree {index}: the kernel gave {seen:?}, the model says {model:?}");
    }
}

fn is_near(seen: &[Option<u32>], model: &[u32]) -> bool {
    let is_near =
        |(seen, model): (&Option<u32>, &u32)| seen.is_none_or(|seen| seen.abs_diff(*model) <= TOLERANCE);
    seen.iter().zip(model).all(is_near)
}

/// Lets them run for at least this long, and says how long it was.
fn run_for(tree: &mut Tree, time: Duration) -> Duration {
    let begin = Instant::now();
    while begin.elapsed() < time {
        let leaves = tree.children.iter_mut().flatten();
        leaves.for_each(|(child, _)| assert!(child.try_wait().expect("our child").is_none(), "it is busy"));
        std::thread::sleep(Duration::from_millis(20)); // poll: the time is what is measured
    }
    begin.elapsed()
}

fn ran(pid: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/schedstat")).expect("our child");
    text.split(' ').next().and_then(|word| word.parse().ok()).expect("nanoseconds")
}

/// What each leaf's process got of the processor, in thousandths of the time (proc(5), schedstat: nanoseconds).
fn watched(tree: &mut Tree) -> Vec<Option<u32>> {
    let leaves: Vec<usize> = (0..tree.children.len()).filter(|one| tree.children[*one].is_some()).collect();
    leaves.iter().for_each(|one| tree.tell(*one, "\n"));
    // The quota's first periods, in which everybody begins.
    let _ = run_for(tree, WATCHED / 5);
    let before: Vec<u64> = leaves.iter().map(|one| ran(tree.pid(*one))).collect();
    let time = run_for(tree, WATCHED).as_nanos() as u64;
    let after: Vec<u64> = leaves.iter().map(|one| ran(tree.pid(*one))).collect();
    let mut shares = vec![None; tree.children.len()];
    for (at, one) in leaves.iter().enumerate() {
        shares[*one] = Some(((after[at] - before[at]) * 1000 / time) as u32);
    }
    shares
}

/// A parent with two leaves and one beside it; random limits and random amounts that are held, and then one of them asks for more.
pub fn memory_runs_out_as_the_model_says(_: &Path) {
    if !makes_groups("memory_runs_out_as_the_model_says") {
        return;
    }
    let layout = Layout::detect().expect("the hierarchies are told");
    let parents = [None, None, Some(1), Some(1)];
    let (mut killed, mut others) = (0, 0);
    for seed in 1..=SHORTAGES {
        let random = &mut Random::new(seed);
        let limits: Vec<Option<u64>> = (0..4).map(|_| [None, Some(40), Some(64)][random.below(3)]).collect();
        // Far enough apart that what else a process holds does not decide.
        let held = [Some(10), None, Some(6), Some([20, 44][random.below(2)])];
        let memory = |one: usize| Memory { parent: parents[one], limit: limits[one], held: held[one] };
        let groups: Vec<Memory> = (0..4).map(memory).collect();
        let order = [0, 2, 3];
        // Only trees that hold what they begin with.
        let begins = |one: usize| shortage(&groups, one, 4).is_some();
        if order.iter().any(|one| begins(*one)) {
            continue;
        }
        let asks = order[random.below(3)];
        let more = [8, 40][random.below(2)];
        let model = shortage(&groups, asks, more);
        if is_close(&groups, asks, more) {
            continue;
        }
        let limited: Vec<Limits> = limits
            .iter()
            .map(|limit| {
                limit.map_or(Limits::default(), |megabytes| {
                    let bytes = Some((megabytes * MEGABYTE) as i64);
                    Limits { memory: bytes, memory_swap: bytes, ..Limits::default() }
                })
            })
            .collect();
        let mut tree = Tree::new(&format!("memory-{seed}"), &layout, &parents, &limited, "--hold");
        for one in order {
            tree.tell(one, &format!("{}\n", held[one].expect("a leaf") * MEGABYTE));
            assert!(tree.answers(one), "{groups:?}: {one} cannot hold what it begins with");
        }
        tree.tell(asks, &format!("{}\n", more * MEGABYTE));
        let lives = tree.answers(asks);
        let expected: Vec<usize> = model.iter().map(|shortage| shortage.killed).collect();
        let deadline = Instant::now() + WATCHED;
        let mut dead = Vec::new();
        // Who is killed is on its way for a moment.
        while dead != expected && Instant::now() < deadline {
            dead = order.into_iter().filter(|one| is_dead(&mut tree, *one)).collect();
        }
        assert_eq!(dead, expected, "{groups:?}: {asks} asks for {more} more, {model:?}");
        assert_eq!(lives, !expected.contains(&asks));
        killed += usize::from(model.is_some());
        others += usize::from(model.is_some_and(|Shortage { killed, .. }| killed != asks));
    }
    assert!(killed > 5 && others > 1, "{killed} were killed, {others} of them did not ask");
}

/// Whether the few megabytes that a process holds besides would change the outcome; or whether one who is killed does not make
/// room enough.
fn is_close(groups: &[Memory], asks: usize, more: u64) -> bool {
    let outcome = shortage(groups, asks, more);
    let is_other = shortage(groups, asks, more + 5) != outcome;
    let Some(Shortage { killed, .. }) = outcome else { return is_other };
    let changed = |by: i64| {
        let change = |(one, group): (usize, &Memory)| Memory {
            held: group.held.map(|held| if one == asks { held } else { held.saturating_add_signed(by) }),
            ..*group
        };
        groups.iter().enumerate().map(change).collect::<Vec<_>>()
    };
    if [-3, 3].iter().any(|by| shortage(&changed(*by), asks, more) != outcome) {
        return true;
    }
    let mut without = groups.to_vec();
    without[killed].held = None;
    is_other || killed != asks && shortage(&without, asks, more + 5).is_some()
}

fn is_dead(tree: &mut Tree, one: usize) -> bool {
    let (child, _) = tree.children[one].as_mut().expect("a leaf");
    child.try_wait().expect("our child").is_some()
}
