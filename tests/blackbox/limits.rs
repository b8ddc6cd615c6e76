//! What a container is limited to, as it sees it and as it feels it: root's, on this machine's cgroups, and an ordinary user's
//! in a cgroup that was given to them, which takes v2 alone (`cargo xtask vm test` runs all of it there).

use crate::harness::{Engine, Said, Who, skip, wait_until};
use crate::{needs, test_name};
use std::fs;
use std::path::{Path, PathBuf};

const MOUNT: &str = "/sys/fs/cgroup";

/// Docker's flags, the file of v2 and of v1 that a container finds its limit in, and what is in there.
const LIMITS: &[(&[&str], [&str; 2], [&str; 2])] = &[
    (&["-m", "32m"], ["memory.max", "memory/memory.limit_in_bytes"], ["33554432", "33554432"]),
    (&["--cpus", "0.5"], ["cpu.max", "cpu/cpu.cfs_quota_us"], ["50000 100000", "50000"]),
    (&["--cpu-shares", "512"], ["cpu.weight", "cpu/cpu.shares"], ["20", "512"]),
    (&["--cpuset-cpus", "0"], ["cpuset.cpus", "cpuset/cpuset.cpus"], ["0", "0"]),
    (&["--pids-limit", "20"], ["pids.max", "pids/pids.max"], ["20", "20"]),
];

/// The controllers that these are about.
const CONTROLLERS: [&str; 4] = ["cpu", "cpuset", "memory", "pids"];

#[test]
fn a_container_finds_its_limits() {
    needs!(root);
    needs!("docker");
    with_busybox(Engine::start(), finds_its_limits);
}

#[test]
fn what_is_limited_is_not_to_be_had() {
    needs!(root);
    needs!("docker");
    with_busybox(Engine::start(), |engine| {
        feels_its_limits(engine);
        let said = shell(engine, &[], "mknod /tmp/mem c 1 1; cat /tmp/mem >/dev/null");
        assert!(said.code != 0 && said.stderr.contains("Operation not permitted"), "{said:?}");
    });
}

#[test]
fn memory_that_runs_out_is_told() {
    needs!(root);
    needs!("docker");
    with_busybox(Engine::start(), runs_out_of_memory);
}

#[test]
fn a_paused_container_stands_still_and_can_be_killed() {
    needs!(root);
    needs!("docker");
    with_busybox(Engine::start(), stands_still);
}

/// Why a test of what an ordinary user was given cannot run.
const NOT_DELEGATED: &str =
    "v1 has the controllers here, which are not delegated: cargo xtask vm test runs it";

#[test]
fn an_ordinary_user_limits_by_what_was_delegated() {
    needs!(root);
    needs!("docker");
    if !has_controllers() {
        return skip(test_name!(), NOT_DELEGATED);
    }
    let given = Given::new();
    with_busybox(Engine::start_in(Who::CoracleRootless, &given.0), |engine| {
        let said = engine.docker(&["info", "--format", "{{.CgroupVersion}} {{.CgroupDriver}}"]).expect(0);
        assert_eq!(said.line(), "2 cgroupfs");
        finds_its_limits(engine);
        feels_its_limits(engine);
        runs_out_of_memory(engine);
        stands_still(engine);
    });
    given.assert_nothing_left();
}

#[test]
fn a_daemon_in_a_delegated_group_finds_its_containers_again() {
    needs!(root);
    needs!("docker");
    if !has_controllers() {
        return skip(test_name!(), NOT_DELEGATED);
    }
    let given = Given::new();
    let mut engine = Engine::start_in(Who::CoracleRootless, &given.0);
    engine.import_busybox();
    engine.docker(&["run", "-d", "--name", "stays", "-m", "32m", "busybox", "sleep", "1000"]).expect(0);
    engine.docker(&["pause", "stays"]).expect(0);
    engine.kill_daemon();
    engine.start_daemon();
    let state = engine.docker(&["inspect", "--format", "{{.State.Status}}", "stays"]).expect(0);
    assert_eq!(state.line(), "paused");
    engine.docker(&["unpause", "stays"]).expect(0);
    let said = engine.docker(&["exec", "stays", "cat", "/sys/fs/cgroup/memory.max"]).expect(0);
    assert_eq!(said.line(), "33554432");
    engine.finish();
    given.assert_nothing_left();
}

/// A cgroup that was given to the ordinary user, as systemd gives one with `Delegate=yes` (cgroups(7), "Delegation").
struct Given(PathBuf);

impl Given {
    fn new() -> Given {
        let all = CONTROLLERS.map(|name| format!("+{name}")).join(" ");
        // They stay passed on: others may rely on it by the end.
        fs::write(Path::new(MOUNT).join("cgroup.subtree_control"), all).expect("controllers");
        let group = tempfile::Builder::new().prefix("given-").tempdir_in(MOUNT).expect("a group").keep();
        let user = Who::CoracleRootless.user();
        for file in ["", "cgroup.procs", "cgroup.subtree_control", "cgroup.threads"] {
            std::os::unix::fs::chown(group.join(file), Some(user.uid.as_raw()), Some(user.gid.as_raw()))
                .expect("given away");
        }
        Given(group)
    }

    /// The daemon and its clients have stepped aside into a group of theirs, which is empty when they have ended.
    fn assert_nothing_left(&self) {
        let entries = fs::read_dir(&self.0).expect("the group").flatten();
        let groups = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        let groups: Vec<_> = groups.map(|entry| entry.file_name()).collect();
        assert_eq!(groups, ["callers"], "what is left in the group that was given");
        wait_until("nobody is in it", || fs::remove_dir(self.0.join("callers")).is_ok());
        fs::remove_dir(&self.0).expect("nobody is in it");
    }
}

fn is_unified() -> bool {
    Path::new(MOUNT).join("cgroup.controllers").exists()
}

/// Whether v2 has the controllers here.
fn has_controllers() -> bool {
    let all = fs::read_to_string(Path::new(MOUNT).join("cgroup.controllers")).unwrap_or_default();
    CONTROLLERS.iter().all(|name| all.split_whitespace().any(|own| own == *name))
}

#[track_caller]
fn with_busybox(engine: Engine, test: impl FnOnce(&Engine)) {
    engine.import_busybox();
    test(&engine);
    engine.finish();
}

/// `run --rm` of a shell's script.
#[track_caller]
fn shell(engine: &Engine, flags: &[&str], script: &str) -> Said {
    engine.coracle(&[&["run", "--rm"], flags, &["busybox", "sh", "-c", script]].concat())
}

fn finds_its_limits(engine: &Engine) {
    let which = usize::from(!is_unified());
    let script: String =
        LIMITS.iter().map(|(_, files, _)| format!("cat {MOUNT}/{};", files[which])).collect();
    let flags: Vec<&str> = LIMITS.iter().flat_map(|(flags, ..)| flags.iter().copied()).collect();
    let wanted: Vec<&str> = LIMITS.iter().map(|(.., values)| values[which]).collect();
    let said = shell(engine, &flags, &script).expect(0);
    assert_eq!(said.stdout.lines().collect::<Vec<_>>(), wanted);
}

fn feels_its_limits(engine: &Engine) {
    // The shell itself and nine others; that there is no tenth is the shell's end.
    let script = "i=0; while [ $i -lt 9 ]; do sleep 100 & i=$((i+1)); done; echo nine; sleep 100 & echo ten";
    let said = shell(engine, &["--pids-limit", "10"], script);
    assert_eq!(said.stdout, "nine\n", "{said:?}");
    assert!(said.stderr.contains("can't fork: Resource temporarily unavailable"), "{said:?}");
    // A tenth of a processor's time is used up soon, and then there is none until the next period.
    let stat = if is_unified() { "cpu.stat" } else { "cpu/cpu.stat" };
    let script = format!("until grep -q 'nr_throttled [1-9]' {MOUNT}/{stat}; do :; done; echo waited");
    assert_eq!(shell(engine, &["--cpus", "0.1"], &script).expect(0).line(), "waited");
}

fn runs_out_of_memory(engine: &Engine) {
    let flags = ["run", "--name", "grows", "-m", "16m", "--memory-swap", "16m"];
    let grow = "a=0123456789; while true; do a=$a$a; done";
    engine.docker(&[&flags[..], &["busybox", "sh", "-c", grow]].concat()).expect(137);
    let format = "{{.State.OOMKilled}} {{.State.ExitCode}}";
    assert_eq!(engine.docker(&["inspect", "--format", format, "grows"]).expect(0).line(), "true 137");
}

fn stands_still(engine: &Engine) {
    let count = "i=0; while true; do i=$((i+1)); echo $i > /count; done";
    engine.docker(&["run", "-d", "--name", "counts", "busybox", "sh", "-c", count]).expect(0);
    let pid = engine.docker(&["inspect", "--format", "{{.State.Pid}}", "counts"]).expect(0);
    let file = format!("/proc/{}/root/count", pid.line());
    let number = || fs::read_to_string(&file).unwrap_or_default();
    wait_until("it counts", || !number().is_empty());
    engine.docker(&["pause", "counts"]).expect(0);
    let (before, ticks) = (number(), processor_time(pid.line()));
    std::thread::sleep(std::time::Duration::from_millis(100)); // poll: what is observed is standing still
    assert_eq!((number(), processor_time(pid.line())), (before.clone(), ticks));
    engine.docker(&["unpause", "counts"]).expect(0);
    wait_until("it goes on", || number() != before);
    engine.docker(&["pause", "counts"]).expect(0);
    engine.docker(&["rm", "--force", "counts"]).expect(0);
}

/// User and system time of a process, in ticks: fields 14 and 15 of its `stat` (proc_pid_stat(5)).
fn processor_time(pid: &str) -> Vec<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("it lives");
    stat.rsplit_once(") ").expect("a name").1.split(' ').skip(11).take(2).map(String::from).collect()
}

#[test]
fn a_parent_that_cannot_be_made_is_named_and_nothing_is_left() {
    needs!(root);
    needs!("docker");
    // Both are files: one of each hierarchy, one of one, so that the others come to have a folder of this name for a while.
    let parents = ["/cgroup.procs/below", "/memory.limit_in_bytes/below"];
    with_busybox(Engine::start(), |engine| {
        for parent in parents.iter().filter(|parent| parent.starts_with("/cgroup") || !is_unified()) {
            for client in [Engine::docker, Engine::coracle] {
                let flags = ["run", "--rm", "--cgroup-parent", parent, "busybox", "true"];
                let said = client(engine, &flags).expect(125);
                let beginning = "runc create failed: unable to start container process: \
                                 unable to apply cgroup configuration: mkdir(";
                assert!(said.stderr.contains(beginning), "{}", said.stderr);
                assert!(said.stderr.contains(parent) && said.stderr.contains("ENOTDIR"), "{}", said.stderr);
            }
            assert_eq!(groups_named(parent), Vec::<PathBuf>::new(), "what was made before it failed");
        }
        assert_eq!(engine.docker(&["ps", "--all", "--quiet"]).expect(0).stdout, "");
    });
}

/// The groups of any hierarchy that a path begins with.
fn groups_named(path: &str) -> Vec<PathBuf> {
    let top = path.split('/').find(|name| !name.is_empty()).expect("a name");
    let hierarchies = fs::read_dir(MOUNT).expect("hierarchies").flatten().map(|entry| entry.path().join(top));
    hierarchies.chain([Path::new(MOUNT).join(top)]).filter(|path| path.is_dir()).collect()
}
