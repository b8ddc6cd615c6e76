//! Limits that few machines have, in the kernel's own files; and what is said where it has none of these.

use super::site::{Site, skip};
use cgroups::Layout;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::{Command, Stdio};

fn layout() -> Layout {
    Layout::detect().expect("the hierarchies are told")
}

/// The container's group in the hierarchy of a controller of v1.
fn v1_folder(site: &Site, controller: &str) -> Option<PathBuf> {
    let layout = layout();
    layout.hierarchy(controller).map(|hierarchy| hierarchy.mount.join(format!("coracle-oci-{}", site.id)))
}

fn refusal(site: &mut Site, resources: Value) -> String {
    site.spec["linux"]["resources"] = resources;
    site.write();
    let said = site.refused(&["run", "ID"]);
    site.nothing_is_left();
    said
}

/// Since the specification's 1.3 a limit of 0 is one; before, it was none.
#[test]
fn no_processes_are_a_limit_by_the_specification_that_says_so() {
    let Some(mut site) = Site::new("no-processes", "echo one; (echo two); exit 0") else { return };
    site.spec["linux"]["resources"] = json!({"pids": {"limit": 0}});
    for (version, lines) in [("1.2.1", "one\ntwo\n"), ("1.3.0", "one\n")] {
        site.spec["ociVersion"] = version.into();
        site.write();
        let (_, stdout, stderr) = site.run(&["run", "ID"]);
        assert_eq!(stdout, lines, "{version}: {stderr}");
    }
    assert_eq!(site.run(&["run", "ID"]).2, "sh: can't fork: Resource temporarily unavailable");
    site.nothing_is_left();
}

#[test]
fn real_time_processes_have_the_time_that_they_are_given() {
    let Some(mut site) = Site::new("real-time", "sleep 100") else { return };
    let policy = json!({"policy": "SCHED_RR", "priority": 3, "flags": ["SCHED_FLAG_RESET_ON_FORK"]});
    site.spec["process"]["scheduler"] = policy;
    site.write();
    let resources = json!({"cpu": {"realtimeRuntime": 20_000, "realtimePeriod": 500_000}});
    let folder = v1_folder(&site, "cpu");
    let Some(folder) = folder.filter(|folder| folder.with_file_name("cpu.rt_runtime_us").exists()) else {
        let said = refusal(&mut site, resources);
        let is_named = said.contains("linux.resources.cpu.realtimeRuntime, realtimePeriod: cgroup v2")
            || said.contains("this kernel has no cpu.rt_period_us");
        return assert!(is_named, "{said}");
    };
    let said = site.refused(&["run", "ID"]);
    assert!(said.contains("sched_setattr"), "it has no time: {said}");
    site.spec["linux"]["resources"] = resources;
    site.write();
    site.ok(&["create", "ID"]);
    let times = || ["cpu.rt_runtime_us", "cpu.rt_period_us"].map(|file| read(&folder.join(file)));
    assert_eq!(times(), ["20000", "500000"]);
    let pid: Value = serde_json::from_str(&site.ok(&["state", "ID"])).unwrap();
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid["pid"])).unwrap();
    // Field 40 is the priority, 41 the policy (proc_pid_stat(5)).
    let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    assert_eq!((fields[40 - 3], fields[41 - 3]), ("3", "2"), "{stat}");
    // Either order of the two files would be wrong for one of these.
    for [runtime, period] in [["5000", "20000"], ["90000", "100000"], ["900", "1000"]] {
        site.ok(&["update", "--cpu-rt-runtime", runtime, "--cpu-rt-period", period, "ID"]);
        assert_eq!(times(), [runtime, period]);
    }
    let said = site.refused(&["update", "--cpu-rt-runtime", "2000", "ID"]);
    assert!(said.contains("cpu.rt_runtime_us"), "more than a period has: {said}");
    assert_eq!(times(), ["900", "1000"]);
    site.ok(&["delete", "-f", "ID"]);
}

fn read(path: &std::path::Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).trim().into()
}

#[test]
fn buffers_of_tcp_are_limited_on_v1() {
    let Some(mut site) = Site::new("tcp", "sleep 100") else { return };
    let resources = json!({"memory": {"kernel": -1, "kernelTCP": 1 << 20}});
    let Some(folder) = v1_folder(&site, "memory") else {
        let said = refusal(&mut site, resources);
        return assert!(said.contains("linux.resources.memory.kernelTCP: cgroup v2"), "{said}");
    };
    site.spec["linux"]["resources"] = resources;
    site.write();
    site.ok(&["run", "-d", "ID"]);
    assert_eq!(read(&folder.join("memory.kmem.tcp.limit_in_bytes")), (1 << 20).to_string());
    site.ok(&["delete", "-f", "ID"]);
}

#[test]
fn large_pages_are_limited_as_they_are_used_and_as_they_are_reserved() {
    let Some(mut site) = Site::new("pages", "sleep 100") else { return };
    let resources = json!({"hugepageLimits": [{"pageSize": "2MB", "limit": 6 << 20}]});
    let has_it = layout().unified_controllers.iter().any(|own| own == "hugetlb");
    let Some(mount) = layout().unified.filter(|_| has_it) else {
        let said = refusal(&mut site, resources);
        return assert!(said.contains("the hugetlb controller is not available here"), "{said}");
    };
    site.spec["linux"]["resources"] = resources;
    site.write();
    site.ok(&["run", "-d", "ID"]);
    let folder = mount.join(format!("coracle-oci-{}", site.id));
    for file in ["hugetlb.2MB.max", "hugetlb.2MB.rsvd.max"] {
        assert_eq!(read(&folder.join(file)), (6 << 20).to_string(), "{file}");
    }
    site.ok(&["delete", "-f", "ID"]);
    let said = refusal(&mut site, json!({"hugepageLimits": [{"pageSize": "3MB", "limit": 1}]}));
    assert!(said.contains("this kernel has no hugetlb.3MB.max"), "{said}");
}

/// A script in a mount and a network namespace of its own, with `$RUNTIME` and `$ID`; None: it says that this machine cannot.
fn in_namespaces(site: &Site, script: &str) -> Option<String> {
    let mut command = Command::new("unshare");
    command.args(["--mount", "--net", "sh", "-c", script]).current_dir(&site.folder).stdin(Stdio::null());
    command.env("ID", &site.id);
    command.env("RUNTIME", format!("{} --root {}/state", site.executable.display(), site.folder.display()));
    let output = command.output().unwrap();
    if output.status.code() == Some(90) {
        return None;
    }
    let said = String::from_utf8_lossy(&output.stdout).to_string();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    Some(said)
}

/// Controllers that v1 alone has, in a hierarchy that is mounted for this test alone.
#[test]
fn packets_are_marked_where_v1_is_mounted() {
    let Some(mut site) = Site::new("network", "sleep 100") else { return };
    if layout().is_unified() {
        let said = refusal(&mut site, json!({"network": {"classID": 1}}));
        return assert!(
            said.contains("linux.resources.network.classID: the net_cls controller is cgroup v1's"),
            "{said}"
        );
    }
    if layout().hierarchy("net_cls").is_none() {
        let said = refusal(&mut site, json!({"network": {"priorities": [{"name": "lo", "priority": 5}]}}));
        assert!(
            said.contains("linux.resources.network.priorities: the net_prio controller is mounted nowhere"),
            "{said}"
        );
        assert!(said.contains("mount -t cgroup -o net_cls,net_prio"), "{said}");
    }
    if std::env::var_os("CORACLE_HIERARCHIES").is_none() {
        let why =
            "a hierarchy of v1 would be in the way of other containers: cargo xtask long --only hierarchies";
        return skip("packets_are_marked_where_v1_is_mounted", why);
    }
    let _alone = super::site::hierarchies();
    let network = json!({"classID": 0x10_0001, "priorities": [{"name": "lo", "priority": 5}]});
    site.spec["linux"]["resources"] = json!({"network": network});
    site.write();
    let script = "mkdir net; mount -t cgroup -o net_cls,net_prio none net || exit 90; set -e
        $RUNTIME run -d $ID > /dev/null; cat net/*$ID/net_cls.classid net/*$ID/net_prio.ifpriomap
        $RUNTIME delete --force $ID; ls -d net/*$ID 2> /dev/null && exit 1; umount net
        # A hierarchy whose last group is still on its way out stays when it is unmounted, unseen, in the way of others: once more then.
        try=0; while grep -q net_cls /proc/self/cgroup; do
            try=$((try+1)); [ $try -lt 4000 ]; mount -t cgroup -o net_cls,net_prio none net; sleep 0.01; umount net
        done";
    let Some(said) = in_namespaces(&site, script) else {
        return skip("packets_are_marked_where_v1_is_mounted", "this kernel has no net_cls and net_prio");
    };
    // The other file has a line for each device that there is.
    assert!(said.starts_with("1048577\n") && said.lines().any(|line| line == "lo 5"), "{said}");
}

/// "The OCI runtime MUST ensure that the needed cgroup controllers are enabled for the cgroup" (config-linux.md, "Unified").
#[test]
fn a_file_of_v2_has_its_controller() {
    let Some(mut site) = Site::new("unified", "sleep 100") else { return };
    site.spec["linux"]["resources"]["unified"] = json!({"hugetlb.2MB.max": "4194304"});
    site.write();
    let script = "umount -R /sys/fs/cgroup; mount -t cgroup2 none /sys/fs/cgroup || exit 90
        grep -qw hugetlb /sys/fs/cgroup/cgroup.controllers || exit 90; set -e
        $RUNTIME run -d $ID > /dev/null; cat /sys/fs/cgroup/*$ID/hugetlb.2MB.max; $RUNTIME delete --force $ID";
    let Some(said) = in_namespaces(&site, script) else {
        return skip("a_file_of_v2_has_its_controller", "v2 has no controller hugetlb here");
    };
    assert_eq!(said, "4194304\n");
}

#[test]
fn rdma_is_refused_by_its_name_or_its_device() {
    let Some(mut site) = Site::new("rdma", "true") else { return };
    let said = refusal(&mut site, json!({"rdma": {"nosuch0": {"hcaHandles": 3}}}));
    let has_it =
        layout().unified_controllers.iter().any(|own| own == "rdma") || layout().hierarchy("rdma").is_some();
    let expected = if has_it { "rdma.max" } else { "the rdma controller is not available here" };
    assert!(said.contains(expected), "{said}");
}

/// A disk of this machine, and its numbers.
fn disk() -> Option<[u32; 2]> {
    let disks = std::fs::read_dir("/sys/block").ok()?.flatten();
    let mut numbers = disks.filter_map(|disk| std::fs::read_to_string(disk.path().join("dev")).ok());
    let text = numbers.find(|numbers| !["1:", "7:", "11:"].iter().any(|major| numbers.starts_with(major)))?;
    let (major, minor) = text.trim().split_once(':')?;
    Some([major.parse().ok()?, minor.parse().ok()?])
}

#[test]
fn disks_are_slowed_down() {
    let Some(mut site) = Site::new("disks", "sleep 100") else { return };
    let Some([major, minor]) = disk() else { return skip("disks_are_slowed_down", "there is no disk") };
    let rate = |rate: u32| json!([{"major": major, "minor": minor, "rate": rate}]);
    let resources = json!({"blockIO": {
        "throttleReadBpsDevice": rate(1 << 20), "throttleWriteBpsDevice": rate(2 << 20),
        "throttleReadIOPSDevice": rate(30), "throttleWriteIOPSDevice": rate(40),
    }});
    let has_it = layout().unified_controllers.iter().any(|own| own == "io");
    if !has_it && v1_folder(&site, "blkio").is_none() {
        let said = refusal(&mut site, resources);
        return assert!(said.contains("the io controller is not available here"), "{said}");
    }
    site.spec["linux"]["resources"] = resources;
    site.write();
    site.ok(&["run", "-d", "ID"]);
    if let Some(folder) = v1_folder(&site, "blkio") {
        for (file, value) in [
            ("read_bps_device", 1 << 20),
            ("write_bps_device", 2 << 20),
            ("read_iops_device", 30),
            ("write_iops_device", 40),
        ] {
            let expected = format!("{major}:{minor} {value}");
            assert_eq!(read(&folder.join(format!("blkio.throttle.{file}"))), expected, "{file}");
        }
    } else {
        let folder = layout().unified.expect("a hierarchy").join(format!("coracle-oci-{}", site.id));
        let expected = format!("{major}:{minor} rbps=1048576 wbps=2097152 riops=30 wiops=40");
        assert_eq!(read(&folder.join("io.max")), expected);
    }
    site.ok(&["delete", "-f", "ID"]);
}

/// The node is there, and its owner may read it; the rule is the second lock.
#[test]
fn a_device_is_opened_only_if_a_rule_allows_it() {
    let script = "(: < /dev/disk) 2>&1; (: > /dev/disk) 2>&1";
    let Some(mut site) = Site::new("rules", script) else { return };
    let name = "a_device_is_opened_only_if_a_rule_allows_it";
    let Some([major, minor]) = disk() else { return skip(name, "there is no disk") };
    site.spec["linux"]["devices"] =
        json!([{"path": "/dev/disk", "type": "b", "major": major, "minor": minor, "fileMode": 0o600}]);
    let rules = site.spec["linux"]["resources"]["devices"].as_array_mut().unwrap();
    rules.push(json!({"allow": true, "type": "b", "major": major, "minor": minor, "access": "r"}));
    rules.push(json!({"allow": false, "type": "b", "major": major, "minor": minor, "access": "r"}));
    site.write();
    let refused = "sh: can't open /dev/disk: Operation not permitted\n";
    let cannot_write = "sh: can't create /dev/disk: Operation not permitted\n";
    let says = |site: &Site| site.run(&["run", "ID"]).1;
    assert_eq!(says(&site), format!("{refused}{cannot_write}"), "the last rule decides");
    site.spec["linux"]["resources"]["devices"].as_array_mut().unwrap().pop();
    site.write();
    assert_eq!(says(&site), cannot_write, "to read is not to write");
    // What says of either kind less than everything is no rule for everything, which it would be for v1.
    let rules = site.spec["linux"]["resources"]["devices"].as_array_mut().unwrap();
    *rules.last_mut().unwrap() = json!({"allow": true, "major": major, "minor": minor + 1, "access": "rw"});
    site.write();
    assert_eq!(says(&site), format!("{refused}{cannot_write}"), "it is the rule of another device");
}

#[test]
fn memory_is_swapped_and_waited_for_as_v1_can() {
    let Some(mut site) = Site::new("swappiness", "sleep 100") else { return };
    let Some(folder) = v1_folder(&site, "memory") else {
        for (field, why) in
            [("swappiness", "memory swappiness"), ("disableOOMKiller", "disabling the OOM killer")]
        {
            let value = if field == "swappiness" { json!(33) } else { json!(true) };
            let said = refusal(&mut site, json!({"memory": {field: value}}));
            assert!(said.contains(&format!("{why} is not supported by cgroup v2")), "{said}");
        }
        return;
    };
    let memory =
        json!({"swappiness": 33, "disableOOMKiller": true, "useHierarchy": true, "reservation": 8 << 20});
    site.spec["linux"]["resources"] = json!({"memory": memory});
    site.write();
    site.ok(&["run", "-d", "ID"]);
    assert_eq!(read(&folder.join("memory.swappiness")), "33");
    assert_eq!(read(&folder.join("memory.soft_limit_in_bytes")), (8 << 20).to_string());
    assert!(read(&folder.join("memory.oom_control")).starts_with("oom_kill_disable 1"));
    site.ok(&["delete", "-f", "ID"]);
}
