//! Groups on the real kernel: on this machine's hierarchies, on v2 alone, and as an ordinary user.
//!
//! Each test makes groups below a name of its own and counts at its end that none is left. v2 alone is a mount namespace in
//! which nothing but v2 is mounted: the test runs itself again in there.
#![cfg(target_os = "linux")]
#![forbid(unsafe_code)]

use cgroups::{Cgroup, DeviceRule, ErrorKind, Layout, Limits, default_device_rules};
use skipped::skip;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Who runs tests as an ordinary user: nobody, who has no groups either.
const NOBODY: u32 = 65534;

/// Whether the test goes on; says so when not.
fn is_root() -> bool {
    let is_root = nix::unistd::geteuid().is_root();
    if !is_root {
        skip("cgroups::kernel", "groups are made by root");
    }
    is_root
}

/// A name that no other test has.
fn name(test: &str) -> String {
    format!("/coracle-{test}-{}", std::process::id())
}

fn sleeper(cgroup: &Cgroup) -> Child {
    let child = Command::new("sleep").arg("60").stdin(Stdio::null()).spawn().expect("sleep");
    enter(cgroup, child.id() as i32);
    child
}

/// What clone3 and the parent do for a container.
fn enter(cgroup: &Cgroup, pid: i32) {
    cgroup.add(pid).expect("the groups of v1");
    if let Some(folder) = cgroup.unified_fd() {
        let procs = format!("/proc/self/fd/{}/cgroup.procs", std::os::fd::AsRawFd::as_raw_fd(&folder));
        fs::write(procs, pid.to_string()).expect("the group of v2");
    }
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}: not within ten seconds");
        std::thread::sleep(Duration::from_millis(2)); // poll
    }
}

/// The folders that a group has in every hierarchy.
fn folders(layout: &Layout, group: &str) -> Vec<PathBuf> {
    let mounts = layout.v1.iter().map(|hierarchy| &hierarchy.mount).chain(&layout.unified);
    mounts.map(|mount| mount.join(&group[1..])).filter(|folder| folder.exists()).collect()
}

fn assert_nothing_left(layout: &Layout, group: &str) {
    assert_eq!(folders(layout, group), Vec::<PathBuf>::new());
}

/// Set where a test runs once more, as another user or in another mount namespace, by the test of the same name.
const INSIDE: &str = "CORACLE_TEST_INSIDE";

fn is_inside() -> bool {
    std::env::var_os(INSIDE).is_some()
}

/// Runs a test of this file in a mount namespace where v2 is all there is, perhaps as another user, in this group of v2.
fn run_on_v2_alone(test: &str, user: Option<u32>, group: Option<&Path>) {
    let enter = group.map_or(String::new(), |group| format!("echo $$ > {}/cgroup.procs;", group.display()));
    let become_user =
        user.map_or(String::new(), |id| format!("setpriv --reuid {id} --regid {id} --clear-groups"));
    // The target folder is not everybody's to read, so a copy is run.
    let copy = std::env::temp_dir().join(format!("coracle-{test}-{}", std::process::id()));
    // By another process: while we had it open for writing, a child that a thread beside us makes would hold it too (ETXTBSY).
    let copied = Command::new("cp").arg(std::env::current_exe().expect("this test")).arg(&copy).status();
    assert!(copied.expect("cp").success());
    let script = format!(
        "{enter} umount -R /sys/fs/cgroup; mount -t cgroup2 none /sys/fs/cgroup || exit 99; \
         exec {become_user} {} --exact {test} --nocapture",
        copy.display()
    );
    let mut unshare = Command::new("unshare");
    let output = unshare.args(["-m", "sh", "-c", &script]).env(INSIDE, "1").output().expect("unshare");
    fs::remove_file(&copy).expect("the copy");
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
fn limits_are_in_the_files_and_nothing_is_left() {
    if !is_root() {
        return;
    }
    let (layout, group) = (Layout::detect().expect("the hierarchies are told"), name("limits"));
    let limits = Limits {
        memory: Some(64 << 20),
        memory_swap: Some(128 << 20),
        cpu_quota: Some(50_000),
        cpu_period: Some(100_000),
        cpu_burst: Some(20_000),
        cpu_idle: Some(1),
        pids: Some(20),
        devices: default_device_rules(),
        ..Limits::default()
    };
    let cgroup = Cgroup::create(&layout, &group, &limits).expect("a group");
    // Where v1 has the controller, and otherwise in v2.
    let value = |controller: &str, [v1, v2]: [&str; 2]| {
        let hierarchy = layout.hierarchy(controller).map(|hierarchy| (&hierarchy.mount, v1));
        let (mount, file) =
            hierarchy.or(layout.unified.as_ref().map(|mount| (mount, v2))).expect("a hierarchy");
        fs::read_to_string(mount.join(&group[1..]).join(file)).expect(file).trim().to_string()
    };
    assert_eq!(value("memory", ["memory.limit_in_bytes", "memory.max"]), (64 << 20).to_string());
    assert_eq!(value("pids", ["pids.max", "pids.max"]), "20");
    assert_eq!(value("cpu", ["cpu.cfs_burst_us", "cpu.max.burst"]), "20000");
    assert_eq!(value("cpu", ["cpu.idle", "cpu.idle"]), "1");
    assert_ne!(value("cpuset", ["cpuset.cpus", "cpuset.cpus.effective"]), "");
    if layout.is_unified() {
        assert_eq!(value("memory", ["", "memory.swap.max"]), (64 << 20).to_string(), "swap by itself");
        assert_eq!(value("cpu", ["", "cpu.max"]), "50000 100000");
    } else {
        assert_eq!(value("cpu", ["cpu.cfs_quota_us", ""]), "50000");
        assert!(value("devices", ["devices.list", ""]).contains("c 1:3 rwm"));
    }
    cgroup.remove().expect("removed");
    assert_nothing_left(&layout, &group);
}

#[test]
fn processes_are_listed_frozen_and_killed() {
    if !is_root() {
        return;
    }
    let (layout, group) = (Layout::detect().expect("the hierarchies are told"), name("processes"));
    let cgroup = Cgroup::create(&layout, &group, &Limits::default()).expect("a group");
    let mut child = sleeper(&cgroup);
    assert_eq!(cgroup.pids().expect("pids"), [child.id() as i32]);
    cgroup.freeze().expect("frozen");
    assert!(cgroup.is_frozen());
    cgroup.thaw().expect("thawed");
    assert!(!cgroup.is_frozen());
    cgroup.freeze().expect("frozen again");
    cgroup.kill().expect("killed, though frozen");
    child.wait().expect("wait");
    cgroup.remove().expect("removed");
    assert_nothing_left(&layout, &group);
}

#[test]
fn running_out_of_memory_is_counted() {
    if !is_root() {
        return;
    }
    let (layout, group) = (Layout::detect().expect("the hierarchies are told"), name("oom"));
    let limits = Limits { memory: Some(16 << 20), memory_swap: Some(16 << 20), ..Limits::default() };
    let cgroup = match Cgroup::create(&layout, &group, &limits) {
        Err(error) if error.kind() == ErrorKind::NotSupported => {
            skip("cgroups::running_out_of_memory_is_counted", &error.to_string());
            return;
        }
        made => made.expect("a group"),
    };
    assert_eq!(cgroup.oom_kills(), 0);
    // It doubles a string once it is in the group, which it learns by its standard input.
    let script = "read go; a=0123456789; while true; do a=$a$a; done";
    let mut child = Command::new("sh").args(["-c", script]).stdin(Stdio::piped()).spawn().expect("sh");
    enter(&cgroup, child.id() as i32);
    std::io::Write::write_all(&mut child.stdin.take().expect("a pipe"), b"go\n").expect("go");
    assert!(!child.wait().expect("wait").success());
    wait_until("the kill is counted", || cgroup.oom_kills() > 0);
    cgroup.remove().expect("removed");
    assert_nothing_left(&layout, &group);
}

#[test]
fn groups_that_processes_made_are_removed_and_a_used_parent_stays() {
    if !is_root() {
        return;
    }
    let (layout, parent) = (Layout::detect().expect("the hierarchies are told"), name("nested"));
    let group = format!("{parent}/inner");
    let cgroup = Cgroup::create(&layout, &group, &Limits::default()).expect("a group");
    for folder in folders(&layout, &group) {
        fs::create_dir_all(folder.join("made/by/them")).expect("a group in it");
    }
    let above = Cgroup::open(&layout, &parent).expect("the parent");
    above.remove_if_empty().expect("the parent stays");
    assert!(!folders(&layout, &group).is_empty());
    cgroup.remove().expect("removed");
    above.remove_if_empty().expect("the parent goes");
    above.remove_if_empty().expect("twice is no error");
    assert_nothing_left(&layout, &parent);
}

#[test]
fn a_refused_value_leaves_nothing() {
    if !is_root() {
        return;
    }
    let (layout, group) = (Layout::detect().expect("the hierarchies are told"), name("refused"));
    let limits = Limits { cpuset_cpus: Some("4000".into()), ..Limits::default() };
    let error = Cgroup::create(&layout, &group, &limits).expect_err("no such processor");
    assert!(error.to_string().contains("cpuset"), "{error}");
    assert_nothing_left(&layout, &group);
}

#[test]
fn a_hierarchy_that_cannot_be_written_is_named() {
    if is_inside() {
        read_only();
    } else if is_root() {
        let test = "a_hierarchy_that_cannot_be_written_is_named";
        let script = "mount -o remount,bind,ro /sys/fs/cgroup; for m in /sys/fs/cgroup/*; do mount -o remount,bind,ro $m; done";
        let exe = std::env::current_exe().expect("this test");
        let script = format!("{script} 2>/dev/null; exec {} --exact {test} --nocapture", exe.display());
        let mut unshare = Command::new("unshare");
        let output = unshare.args(["-m", "sh", "-c", &script]).env(INSIDE, "1").output().expect("unshare");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("1 passed"), "{said}");
    }
}

fn read_only() {
    let (layout, group) = (Layout::detect().expect("the hierarchies are told"), name("readonly"));
    let error = Cgroup::create(&layout, &group, &Limits::default()).expect_err("read-only");
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    let text = error.to_string();
    assert!(text.contains("/sys/fs/cgroup/") && text.contains("EROFS") && text.contains("remount"), "{text}");
    assert_nothing_left(&layout, &group);
}

#[test]
fn on_v2_alone() {
    if is_inside() {
        v2_as_root();
    } else if is_root() {
        run_on_v2_alone("on_v2_alone", None, None);
    }
}

fn v2_as_root() {
    let (layout, parent) = (Layout::detect().expect("the hierarchies are told"), name("v2"));
    assert!(layout.is_unified());
    let group = format!("{parent}/one");
    let mut devices = default_device_rules();
    devices.push(DeviceRule { allow: false, access: "w".into(), ..DeviceRule::character(1, 5) });
    let limits = Limits { devices, ..Limits::default() };
    let cgroup = Cgroup::create(&layout, &group, &limits).expect("a group with a program for devices");
    // null may be used, zero only be read, and mem (1:1) not at all. A shell that moves itself in can tell.
    let folder = layout.unified.as_ref().expect("v2").join(&group[1..]);
    let script = format!(
        "echo $$ > {}/cgroup.procs; cd /tmp; n=coracle-mem-$$; mknod $n c 1 1 && ! cat $n; r=$?; rm $n; \
         [ $r = 0 ] && echo > /dev/null && head -c1 /dev/zero && ! (echo > /dev/zero)",
        folder.display()
    );
    let output = Command::new("sh").args(["-c", &script]).output().expect("sh");
    assert!(output.status.success(), "{output:?}");
    let mut child = sleeper(&cgroup);
    cgroup.freeze().expect("frozen");
    cgroup.kill().expect("killed");
    child.wait().expect("wait");
    cgroup.remove().expect("removed");
    Cgroup::open(&layout, &parent).and_then(|parent| parent.remove_if_empty()).expect("the parent");
    assert_nothing_left(&layout, &parent);
}

#[test]
fn an_ordinary_user_without_a_group_of_their_own() {
    if is_inside() {
        user_without_group();
    } else if is_root() {
        run_on_v2_alone("an_ordinary_user_without_a_group_of_their_own", Some(NOBODY), None);
    }
}

#[test]
fn the_usual_place_and_the_table_of_mounts_say_the_same() {
    let table = fs::read_to_string("/proc/self/mountinfo").expect("the table of mounts");
    let (told, found) = (Layout::from_mountinfo(&table), Layout::detect().expect("the hierarchies are told"));
    assert_eq!(told.unified, found.unified);
    if !is_inside() && is_root() {
        run_on_v2_alone("the_usual_place_and_the_table_of_mounts_say_the_same", None, None);
    }
}

fn user_without_group() {
    let layout = Layout::detect().expect("the hierarchies are told");
    assert_eq!(layout.delegated(), None);
    let cgroup = Cgroup::create(&layout, "/any", &Limits::default()).expect("a group that does nothing");
    assert!(cgroup.unified_fd().is_none() && cgroup.pids().expect("pids").is_empty());
    cgroup.remove().expect("nothing to remove");
    let limits = Limits { memory: Some(1 << 20), ..Limits::default() };
    let error = Cgroup::create(&layout, "/any", &limits).expect_err("refused by name");
    assert_eq!(error.kind(), ErrorKind::NotSupported);
    let text = error.to_string();
    assert!(
        text.starts_with("the memory controller is not available here: memory cannot be limited. "),
        "{text}"
    );
    for way in ["systemd-run --user --scope -p Delegate=yes", "user@.service.d/delegate.conf", "chown USER"] {
        assert!(text.contains(way), "{text}");
    }
}

#[test]
fn an_ordinary_user_with_a_group_of_their_own() {
    if is_inside() {
        return user_with_group();
    }
    if !is_root() {
        return;
    }
    let mount = Layout::detect().expect("the hierarchies are told").unified.expect("v2 is mounted somewhere");
    // hugetlb is what v2 has to give even where v1 has all else. Whoever passes it on from the top takes it back.
    let passed = fs::read_to_string(mount.join("cgroup.subtree_control")).expect("v2");
    let passes_on = passed.split_whitespace().any(|name| name == "hugetlb");
    fs::write(mount.join("cgroup.subtree_control"), "+hugetlb").expect("hugetlb");
    let group = mount.join(&name("delegated")[1..]);
    fs::create_dir(&group).expect("a group");
    for path in ["", "cgroup.procs", "cgroup.subtree_control", "cgroup.threads"] {
        std::os::unix::fs::chown(group.join(path), Some(NOBODY), Some(NOBODY)).expect("given away");
    }
    run_on_v2_alone("an_ordinary_user_with_a_group_of_their_own", Some(NOBODY), Some(&group));
    wait_until("the user's processes are gone", || fs::remove_dir(group.join("callers")).is_ok());
    fs::remove_dir(&group).expect("nothing else is left in the user's group");
    if !passes_on {
        fs::write(mount.join("cgroup.subtree_control"), "-hugetlb").expect("taken back");
    }
}

fn user_with_group() {
    let layout = Layout::detect().expect("the hierarchies are told");
    let own = layout.delegated().expect("delegated");
    let group = format!("{own}/one");
    let sizes = fs::read_dir("/sys/kernel/mm/hugepages").expect("sizes of large pages").count();
    let limits = Limits {
        hugetlb: if sizes > 0 { [("2MB".to_string(), 2 << 20)].into() } else { [].into() },
        devices: default_device_rules(),
        ..Limits::default()
    };
    let cgroup = Cgroup::create(&layout, &group, &limits).expect("a group with a limit");
    let folder = layout.unified.as_ref().expect("v2").join(&group[1..]);
    if sizes > 0 {
        assert_eq!(fs::read_to_string(folder.join("hugetlb.2MB.max")).expect("a limit").trim(), "2097152");
    }
    // Having stepped aside, we still have the same group to give from.
    assert_eq!(Layout::detect().expect("the hierarchies are told").delegated(), Some(own));
    let mut child = sleeper(&cgroup);
    cgroup.kill().expect("killed");
    child.wait().expect("wait");
    cgroup.remove().expect("removed");
    assert_nothing_left(&layout, &group);
}
