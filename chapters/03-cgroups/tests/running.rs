//! Groups with processes in them: limits that change, what was used, and the news that memory ran out.
#![cfg(target_os = "linux")]
#![forbid(unsafe_code)]

use cgroups::{Cgroup, ErrorKind, Layout, Limits};
use skipped::skip;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::process::{Child, Command, Stdio};

/// A group with a shell in it that does what it is told; None where there can be none.
struct Site {
    cgroup: Cgroup,
    layout: Layout,
    name: String,
    shell: Child,
}

impl Site {
    fn new(test: &str, limits: &Limits, script: &str) -> Option<Site> {
        if !nix::unistd::geteuid().is_root() {
            skip(&format!("cgroups::{test}"), "groups are made by root");
            return None;
        }
        let (layout, name) = (
            Layout::detect().expect("the hierarchies are told"),
            format!("/coracle-{test}-{}", std::process::id()),
        );
        let cgroup = match Cgroup::create(&layout, &name, limits) {
            Err(error) if error.kind() == ErrorKind::NotSupported => {
                skip(&format!("cgroups::{test}"), &error.to_string());
                return None;
            }
            made => made.expect("a group"),
        };
        let script = format!("read go; {script}");
        let shell = Command::new("sh").args(["-c", &script]).stdin(Stdio::piped()).spawn().expect("sh");
        cgroup.add(shell.id() as i32).expect("the groups of v1");
        if let Some(folder) = cgroup.unified_fd() {
            let procs = format!("/proc/self/fd/{}/cgroup.procs", folder.as_raw_fd());
            std::fs::write(procs, shell.id().to_string()).expect("the group of v2");
        }
        Some(Site { cgroup, layout, name, shell })
    }

    fn go(&mut self) {
        self.shell.stdin.take().expect("a pipe").write_all(b"go\n").expect("go");
    }

    /// Whether the shell had an end of its own.
    fn ended_well(mut self) -> bool {
        let status = self.shell.wait().expect("wait");
        self.cgroup.remove().expect("removed");
        let mounts = self.layout.v1.iter().map(|hierarchy| &hierarchy.mount).chain(&self.layout.unified);
        for mount in mounts {
            assert!(!mount.join(&self.name[1..]).exists(), "a group is left in {}", mount.display());
        }
        status.success()
    }
}

fn memory(memory: i64, both: i64) -> Limits {
    Limits { memory: Some(memory), memory_swap: Some(both), ..Limits::default() }
}

#[test]
fn limits_change_in_either_direction() {
    let Some(mut site) = Site::new("update", &memory(32 << 20, 64 << 20), "true") else { return };
    let limits = |site: &Site| {
        let statistics = site.cgroup.statistics();
        (statistics.memory.limit, statistics.memory_and_swap.limit, statistics.pids.limit)
    };
    let accounts_swap = site.layout.accounts_swap;
    let swap = |both: u64| if accounts_swap { both } else { u64::MAX };
    assert_eq!(limits(&site), (32 << 20, swap(64 << 20), u64::MAX));
    // Above the old limit of both together, and back below the old limit of memory.
    for (memory_bytes, both) in [(128 << 20, 256 << 20), (16 << 20, 24 << 20)] {
        let changed = Limits { pids: Some(7), ..memory(memory_bytes, both) };
        site.cgroup.update(&site.layout, &changed).expect("changed");
        assert_eq!(limits(&site), (memory_bytes as u64, swap(both as u64), 7));
    }
    let refused = Limits { cpuset_cpus: Some("4000".into()), ..Limits::default() };
    let error = site.cgroup.update(&site.layout, &refused).expect_err("no such processor");
    assert!(error.to_string().contains("cpuset.cpus"), "{error}");
    site.go();
    assert!(site.ended_well());
}

#[test]
fn what_was_used_is_counted() {
    // What it had before it came into the group is not counted there, so it takes a megabyte now.
    let script = "i=0; while [ $i -lt 50000 ]; do i=$((i+1)); done; \
                  a=0123456789; while [ ${#a} -lt 1000000 ]; do a=$a$a; done";
    let Some(mut site) = Site::new("statistics", &memory(64 << 20, 64 << 20), script) else { return };
    let before = site.cgroup.statistics();
    assert_eq!(before.pids.usage, 1);
    site.go();
    site.shell.wait().expect("wait");
    let after = site.cgroup.statistics();
    let worked = after.cpu.total - before.cpu.total;
    assert!(worked > 5_000_000, "fifty thousand rounds took {worked} ns");
    assert!(after.cpu.user + after.cpu.kernel > 0 && after.memory.peak > 0, "{after:?}");
    assert!(after.memory_details.contains_key("anon") || after.memory_details.contains_key("rss"));
    assert_eq!(after.pids.usage, 0);
    assert!(site.ended_well());
}

#[test]
fn who_waits_for_a_processor_is_under_pressure() {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let script = format!("for i in $(seq {}); do (while true; do true; done) & done; wait", 2 * processors);
    let limits = Limits { pids: Some(1000), ..Limits::default() };
    let Some(mut site) = Site::new("pressure", &limits, &script) else { return };
    let lost = |site: &Site| site.cgroup.statistics().pressure.get("cpu").map(|cpu| cpu.some.total);
    let Some(before) = lost(&site) else {
        skip("cgroups::pressure", "this kernel does not count pressure (CONFIG_PSI, psi=1)");
        site.go();
        site.cgroup.kill().expect("killed");
        assert!(!site.ended_well());
        return;
    };
    site.go();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while lost(&site) <= Some(before) {
        assert!(
            std::time::Instant::now() < deadline,
            "twice as many loops as processors, and none has waited"
        );
        std::thread::sleep(std::time::Duration::from_millis(50)); // poll
    }
    site.cgroup.kill().expect("killed");
    assert!(!site.ended_well());
}

#[test]
fn the_end_of_memory_is_told() {
    let script = "a=0123456789; while true; do a=$a$a; done";
    let Some(mut site) = Site::new("watch", &memory(16 << 20, 16 << 20), script) else { return };
    let mut watch = site.cgroup.watch_oom().expect("a watch");
    assert_eq!(watch.shortages(), 0);
    site.go();
    while watch.shortages() == 0 {
        let (file, events) = watch.poll_for();
        let mut polled = [nix::poll::PollFd::new(file, events)];
        let told = nix::poll::poll(&mut polled, 10_000u16).expect("poll");
        assert_ne!(told, 0, "nothing was told in ten seconds");
    }
    assert!(!site.ended_well());
}

#[test]
fn the_chapters_binary_limits_a_command() {
    if !nix::unistd::geteuid().is_root() {
        return println!("SKIPPED: groups are made by root");
    }
    // Its built-in root is in memory and holds the binary itself, which counts.
    let mut binary = Command::new(env!("CARGO_BIN_EXE_cgroups"));
    binary.args(["--memory", "64m", "--cpus", "0.5", "--pids", "20"]).stdout(Stdio::piped());
    let binary = binary.spawn().expect("the chapter's binary");
    let group = format!("coracle/{}", binary.id());
    let output = binary.wait_with_output().expect("wait");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("memory 64.0 MiB, cpu 0.50 of one, processes 20"),
        "{said}"
    );
    let layout = Layout::detect().expect("the hierarchies are told");
    for mount in layout.v1.iter().map(|hierarchy| &hierarchy.mount).chain(&layout.unified) {
        assert!(!mount.join(&group).exists(), "a group is left in {}", mount.display());
    }
}
