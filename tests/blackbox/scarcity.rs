//! What is not there: room on the disk, a cgroup that can be written, a record that can be.

use crate::harness::{Engine, Who, wait_until};
use crate::needs;
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Every cgroup hierarchy, read-only for the daemon alone.
const READ_ONLY_CGROUPS: &str = "awk '$3 ~ /^cgroup/ { print $2 }' /proc/mounts | while read mount; do mount -o remount,bind,ro $mount; done";

/// A small disk as the data root, with a file on it that can be deleted to make room.
const SMALL_DISK: &str =
    "mkdir data; mount -t tmpfs -o size=10m tmpfs data; dd if=/dev/zero of=data/ballast bs=1M count=2 2>&1";

/// Writes more than the small disk holds, lives on, and says one thing more when it is told to end.
const TALKS_ON: &str = "yes 0123456789012345678901234567890123456789 | head -c 4100000; echo full > /dev/shm/full; \
                        trap 'echo again; exit 9' TERM; while :; do sleep 0.01; done";

#[test]
fn a_cgroup_that_cannot_be_written_is_named() {
    needs!(root);
    needs!("docker");
    let engine = Engine::start_after(Who::Coracle, READ_ONLY_CGROUPS);
    engine.import_busybox();
    for client in [Engine::docker, Engine::coracle] {
        for flags in [&["--rm"][..], &["--rm", "-m", "64m"], &["-d", "--rm"]] {
            let said = client(&engine, &[&["run"], flags, &["busybox", "true"]].concat()).expect(125);
            assert!(said.stderr.contains("read-only: as root, mount -o remount,rw it"), "{}", said.stderr);
            assert!(said.stderr.contains("/sys/fs/cgroup"), "{}", said.stderr);
        }
        let said =
            client(&engine, &["run", "--rm", "--cgroup-parent", "/elsewhere", "busybox", "true"]).expect(125);
        assert!(said.stderr.contains("read-only: as root, mount -o remount,rw it"), "{}", said.stderr);
    }
    assert_eq!(engine.docker(&["ps", "--all", "--quiet"]).expect(0).stdout, "");
    engine.finish();
}

/// A small disk as the data root of an engine.
struct SmallDisk {
    engine: Engine,
    /// Its data root as it is seen from here.
    data: PathBuf,
}

impl SmallDisk {
    fn start(who: Who) -> SmallDisk {
        let engine = Engine::start_after(who, SMALL_DISK);
        engine.import_busybox();
        let pid = std::fs::read_to_string(engine.folder().join("pid")).expect("the pid file");
        let folder = engine.folder().strip_prefix("/").expect("an absolute path");
        let data = PathBuf::from(format!("/proc/{}/root", pid.trim())).join(folder).join("data");
        SmallDisk { engine, data }
    }

    /// What the log had no room for is a record; this leaves not a page.
    fn take_the_rest(&self) {
        let ballast = std::fs::File::options().append(true).open(self.data.join("ballast"));
        let mut ballast = ballast.expect("the ballast");
        while ballast.write_all(&[0; 4096]).is_ok() {}
    }

    fn is_full(&self) -> bool {
        let disk = rustix::fs::statvfs(&self.data).expect("the data root");
        disk.f_bavail * disk.f_frsize < 64 * 1024
    }
}

/// Until a container has written more than there was room for, and lives.
fn fill(disk: &SmallDisk) {
    disk.engine.docker(&["run", "-d", "--name", "full", "busybox", "sh", "-c", TALKS_ON]).expect(0);
    wait_until("it has written more than there is room for", || {
        disk.engine.docker(&["exec", "full", "cat", "/dev/shm/full"]).code == 0
    });
    assert!(disk.is_full());
}

#[test]
fn a_full_disk_costs_lines_of_the_log_and_nothing_else() {
    needs!(root);
    needs!("docker");
    let disk = SmallDisk::start(Who::Coracle);
    let engine = &disk.engine;
    fill(&disk);
    let before = processor_time(engine);
    let since = Instant::now();
    while since.elapsed() < Duration::from_millis(300) {
        std::thread::sleep(Duration::from_millis(50)); // poll: what is measured is idling
    }
    let spent = processor_time(engine) - before;
    assert!(spent <= 5, "the supervisor spins: {spent} ticks of 10 ms in 300 ms");
    disk.take_the_rest();
    let said = engine.docker(&["run", "--rm", "busybox", "echo", "no room"]).expect(125);
    assert!(said.stderr.to_lowercase().contains("no space left on device"), "{}", said.stderr);
    assert_eq!(engine.docker(&["ps", "--all", "--format", "{{.Names}}"]).expect(0).stdout, "full\n");
    std::fs::remove_file(disk.data.join("ballast")).expect("the ballast");
    engine.docker(&["kill", "--signal", "TERM", "full"]).expect(0);
    assert_eq!(engine.docker(&["wait", "full"]).expect(0).line(), "9");
    let logged = engine.docker(&["logs", "full"]).expect(0).stdout;
    assert!(
        logged.ends_with("\nagain\n"),
        "there was room again: {:?}",
        &logged[logged.len().saturating_sub(100)..]
    );
    assert!(logged.lines().all(|line| line == "again" || line.len() == 40), "a line is not whole");
    engine.docker(&["rm", "full"]).expect(0);
    assert_eq!(engine.docker(&["run", "--rm", "busybox", "echo", "room"]).expect(0).line(), "room");
    disk.engine.finish();
}

#[test]
fn a_container_that_ends_on_a_full_disk_reports_how() {
    needs!(root);
    needs!("docker");
    let disk = SmallDisk::start(Who::Coracle);
    let engine = &disk.engine;
    fill(&disk);
    let said = engine.docker(&["stop", "full"]).expect(0);
    assert_eq!(said.stdout, "full\n");
    assert_eq!(engine.docker(&["wait", "full"]).expect(0).line(), "9");
    engine.docker(&["rm", "full"]).expect(0);
    assert_eq!(engine.docker(&["run", "--rm", "busybox", "echo", "room"]).expect(0).line(), "room");
    disk.engine.finish();
}

/// What the one supervisor has used so far, in ticks of 10 ms (proc_pid_stat(5)).
fn processor_time(engine: &Engine) -> u64 {
    let folder = engine.folder().join("exec").display().to_string();
    for process in std::fs::read_dir("/proc").expect("/proc").flatten() {
        let command = std::fs::read_to_string(process.path().join("cmdline")).unwrap_or_default();
        if command.starts_with("supervise\0") && command.contains(&folder) {
            let stat = std::fs::read_to_string(process.path().join("stat")).expect("it lives");
            let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
            return fields[11].parse::<u64>().expect("utime") + fields[12].parse::<u64>().expect("stime");
        }
    }
    panic!("the supervisor is gone");
}

#[test]
fn an_end_that_cannot_be_recorded_is_found_by_the_next_daemon() {
    needs!(root);
    needs!("docker");
    let mut engine = Engine::start();
    engine.import_busybox();
    let said = engine
        .docker(&["run", "-d", "--name", "unheard", "busybox", "sh", "-c", "sleep 0.3; exit 8"])
        .expect(0);
    // Where the record is written before it is renamed there is a folder: as good as a full disk.
    let obstacle = engine.folder().join("data/containers").join(said.line()).join("container.json.tmp");
    std::fs::create_dir(&obstacle).expect("an obstacle");
    engine.docker(&["pause", "unheard"]).expect(0);
    engine.docker(&["unpause", "unheard"]).expect(0);
    assert_eq!(engine.docker(&["wait", "unheard"]).expect(0).line(), "8");
    engine.kill_daemon();
    std::fs::remove_dir(&obstacle).expect("the obstacle");
    engine.start_daemon();
    let state = ["inspect", "--format", "{{.State.Status}} {{.State.ExitCode}}", "unheard"];
    assert_eq!(engine.docker(&state).expect(0).line(), "exited 8");
    assert_eq!(engine.docker(&["start", "--attach", "unheard"]).expect(8).stdout, "");
    engine.finish();
}
