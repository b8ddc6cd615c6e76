//! What becomes of a spec, as snapshots.

use super::*;
use crate::ErrorKind;
use serde_json::{Value, json};

fn bundle(spec: Value) -> Bundle {
    Bundle {
        id: "box".into(),
        spec: serde_json::from_value(spec).unwrap(),
        root: chroot::Root::Folder("/bundle/rootfs".into()),
        cgroup: Some("/coracle/box".into()),
        preserved_descriptors: 0,
        folder: "/bundle".into(),
        keeps_keyring: false,
        rootless: false,
    }
}

fn default(rootless: Option<(u32, u32)>) -> Value {
    serde_json::to_value(crate::default_spec(rootless).unwrap()).unwrap()
}

fn unified() -> cgroups::Layout {
    let line = "31 23 0:28 / /sys/fs/cgroup rw,relatime - cgroup2 cgroup2 rw";
    cgroups::Layout::from_mountinfo(line)
}

fn planned(spec: Value) -> Plan {
    plan(&bundle(spec), &unified()).unwrap()
}

#[test]
fn the_plan_of_the_default_spec() {
    insta::assert_debug_snapshot!(planned(default(None)));
}

#[test]
fn the_plan_of_an_ordinary_user() {
    let plan = planned(default(Some((1000, 1000))));
    insta::assert_debug_snapshot!((plan.spawn, plan.root.get(1), plan.process.privileges.additional_gids));
}

/// What the example of config-linux.md asks for.
#[test]
fn limits_that_few_ask_for() {
    let mut spec = default(None);
    spec["linux"]["resources"] = json!({
        "memory": {"kernel": -1, "kernelTCP": -1, "swappiness": 0},
        "cpu": {"realtimeRuntime": 950000, "realtimePeriod": 1000000, "burst": 1000, "quota": 1000, "idle": 0},
        "network": {"classID": 1048577, "priorities": [{"name": "eth0", "priority": 500}, {"name": "eth1", "priority": 1000}]},
        "hugepageLimits": [{"pageSize": "64KB", "limit": 1000000}, {"pageSize": "2MB", "limit": 209715200}],
        "rdma": {"mlx5_1": {"hcaHandles": 3, "hcaObjects": 10000}, "rxe3": {"hcaObjects": 10000}},
        "unified": {"misc.max": "sev 5"},
    });
    insta::assert_debug_snapshot!(planned(spec).limits);
}

#[test]
fn limits_and_the_view_of_cgroups() {
    let mut spec = default(None);
    spec["linux"]["resources"] = json!({
        "memory": {"limit": 67108864, "swap": 67108864, "reservation": 0, "disableOOMKiller": false},
        "cpu": {"shares": 0, "quota": 50000, "period": 100000, "cpus": "0"},
        "pids": {"limit": 10},
        "blockIO": {"weight": 0},
        "devices": [{"allow": false, "access": "rwm"}, {"allow": true, "type": "c", "major": 10, "minor": 200, "access": "rwm"}]
    });
    spec["mounts"] = json!([{
        "destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": ["ro", "nosuid", "noexec", "nodev"]
    }]);
    let plan = planned(spec);
    let mount = plan.root.iter().find(|step| matches!(step, MountOp::Mount(_))).cloned();
    insta::assert_debug_snapshot!((plan.limits, mount));
}

#[test]
fn what_is_mounted_is_labelled_once_there_is_a_root() {
    let mut spec = default(None);
    let label = "system_u:object_r:container_file_t:s0:c1,c2";
    spec["linux"]["mountLabel"] = json!(label);
    spec["process"]["selinuxLabel"] = json!("system_u:system_r:container_t:s0:c1,c2");
    spec["process"]["apparmorProfile"] = json!("");
    let plan = planned(spec);
    assert!(plan.is_confined() && matches!(plan.root[1], MountOp::Root { .. }));
    assert_eq!(plan.root[2], MountOp::Label(label.into()));
    insta::assert_debug_snapshot!(plan.process.privileges.confinement);
}

#[test]
fn labels_that_are_empty_ask_for_nothing() {
    let mut spec = default(None);
    spec["linux"]["mountLabel"] = json!("");
    spec["process"]["selinuxLabel"] = json!("");
    spec["process"]["apparmorProfile"] = json!("");
    assert!(!planned(spec).is_confined());
}

/// Each with the least that makes it ask for something that is not done here.
#[test]
fn what_is_not_supported_is_refused_by_its_path() {
    let cases =
        [("/vm", json!({"kernel": {"path": "/vmlinuz"}})), ("/linux/intelRdt", json!({"closID": "x"}))];
    let mut refusals = String::new();
    for (path, value) in cases {
        let mut spec = default(None);
        let (folder, name) = path.rsplit_once('/').unwrap();
        spec.pointer_mut(folder).unwrap()[name] = value;
        let error = plan(&bundle(spec), &unified()).expect_err(path);
        assert_eq!(error.kind(), ErrorKind::NotSupported, "{path}");
        refusals += &format!("{path}: {error}\n");
    }
    insta::assert_snapshot!(refusals);
}

#[test]
fn what_contradicts_itself_is_refused() {
    let without = |field: &str| {
        let mut spec = default(None);
        spec.as_object_mut().unwrap().remove(field);
        spec
    };
    let with_namespaces = |kinds: &[&str]| {
        let mut spec = default(None);
        spec["linux"]["namespaces"] = kinds.iter().map(|kind| json!({"type": kind})).collect();
        spec
    };
    let mapped = |names: &[&str], kinds: &[&str]| {
        let mut spec = with_namespaces(kinds);
        for name in names {
            spec["linux"][*name] = json!([{"containerID": 0, "hostID": 0, "size": 1}]);
        }
        spec
    };
    let own = ["mount", "uts", "user"];
    let mut grouped = default(Some((1000, 1000)));
    grouped["process"]["user"]["additionalGids"] = json!([0, 5]);
    let specs = [
        without("linux"),
        without("process"),
        with_namespaces(&["mount", "mount"]),
        with_namespaces(&["mount"]),
        with_namespaces(&["uts"]),
        mapped(&[], &own),
        mapped(&["uidMappings"], &own),
        mapped(&["gidMappings"], &own),
        mapped(&["uidMappings", "gidMappings"], &["mount", "uts"]),
        mapped(&["uidMappings"], &["mount", "uts"]),
        mapped(&["gidMappings"], &["mount", "uts"]),
        grouped,
    ];
    let refusal = |spec: Value| plan(&bundle(spec), &unified()).unwrap_err().to_string() + "\n";
    insta::assert_snapshot!(specs.map(refusal).concat());
}

/// Each value is one that the specification forbids, or that no kernel takes.
#[test]
fn what_is_wrong_is_refused_by_its_path_with_its_value_and_what_it_must_be() {
    let cases = [
        ("/ociVersion", json!("2.0.0")),
        ("/ociVersion", json!("1.0")),
        ("/process/args", json!([])),
        ("/process/cwd", json!("tmp")),
        ("/process/args", json!(["a", "b\0c"])),
        ("/process/env", json!(["A=b", "C=\0"])),
        ("/process/rlimits", json!([{"type": "RLIMIT_CORE", "soft": 2, "hard": 1}])),
        (
            "/process/rlimits",
            json!([
                {"type": "RLIMIT_CORE", "soft": 0, "hard": 1}, {"type": "RLIMIT_CORE", "soft": 0, "hard": 1}
            ]),
        ),
        ("/process/oomScoreAdj", json!(1001)),
        ("/process/user/umask", json!(512)),
        ("/process/apparmorProfile", json!("a profile\n")),
        ("/process/selinuxLabel", json!("container_t")),
        ("/linux/mountLabel", json!("system_u:object_r::s0")),
        ("/mounts/0/destination", json!("")),
        ("/mounts/0/uidMappings", json!([{"containerID": 0, "hostID": 1, "size": 1}])),
        ("/mounts/0/options", json!(["idmap"])),
        ("/linux/namespaces/0/path", json!("proc/1/ns/pid")),
        ("/linux/maskedPaths", json!(["/proc/acpi", "proc/kcore"])),
        ("/linux/readonlyPaths", json!(["proc/sys"])),
        ("/linux/devices", json!([{"path": "dev/x", "type": "c", "major": 1, "minor": 3}])),
        ("/linux/timeOffsets", json!({"realtime": {"secs": 1, "nanosecs": 0}})),
        ("/linux/uidMappings", json!([{"containerID": 0, "hostID": 0, "size": 0}])),
        ("/linux/rootfsPropagation", json!("public")),
        ("/linux/personality", json!({"domain": "LINUX", "flags": ["ADDR_NO_RANDOMIZE"]})),
        ("/hostname", json!("x".repeat(65))),
        ("/annotations", json!({"": "x"})),
        ("/process/scheduler", json!({"policy": "SCHED_OTHER", "flags": ["SCHED_FLAG_UTIL_CLAMP_MIN"]})),
        ("/linux/memoryPolicy", json!({"mode": "MPOL_LOCAL", "nodes": "0"})),
        ("/linux/memoryPolicy", json!({"mode": "MPOL_BIND"})),
        ("/linux/memoryPolicy", json!({"mode": "MPOL_BIND", "nodes": "0-"})),
        (
            "/linux/memoryPolicy",
            json!({"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_STATIC_NODES", "MPOL_F_RELATIVE_NODES"]}),
        ),
        ("/process/user", json!({"uid": u32::MAX, "gid": 0})),
        ("/process/user", json!({"uid": 0, "gid": 0, "additionalGids": [1, u32::MAX]})),
        ("/linux/resources/memory", json!({"kernel": 1000000})),
        ("/linux/resources/memory", json!({"swappiness": 101})),
        ("/linux/resources/memory", json!({"useHierarchy": false})),
        ("/linux/resources/cpu", json!({"idle": 2})),
        ("/linux/resources/cpu", json!({"quota": 5000, "burst": 6000})),
        ("/linux/resources/blockIO", json!({"leafWeight": 10})),
        ("/linux/resources/blockIO", json!({"weightDevice": [{"major": 8, "minor": 0, "leafWeight": 10}]})),
        ("/linux/resources/blockIO", json!({"weightDevice": [{"major": 8, "minor": 0}]})),
        (
            "/linux/resources/blockIO",
            json!({"throttleReadBpsDevice": [{"major": -8, "minor": 0, "rate": 1}]}),
        ),
        ("/linux/resources/hugepageLimits", json!([{"pageSize": "2MB", "limit": -1}])),
        ("/linux/resources/hugepageLimits", json!([{"pageSize": "../2MB", "limit": 1}])),
        ("/linux/resources/network", json!({"priorities": [{"name": "eth0 7", "priority": 1}]})),
        ("/linux/resources/rdma", json!({"mlx5_1": {}})),
        ("/linux/resources/rdma", json!({"mlx5 1": {"hcaHandles": 3}})),
        ("/linux/resources/devices", json!([{"allow": true, "access": "x"}])),
        ("/linux/resources/devices", json!([{"allow": true, "type": "p"}])),
        ("/linux/resources/devices", json!([{"allow": true, "type": "c", "major": -2}])),
        ("/linux/seccomp", json!({"defaultAction": "SCMP_ACT_ALLOW", "defaultErrnoRet": 1})),
        (
            "/linux/seccomp",
            json!({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": [], "action": "SCMP_ACT_ERRNO"}]}),
        ),
        (
            "/linux/seccomp",
            json!({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
                {"names": ["mkdir"], "action": "SCMP_ACT_KILL", "errnoRet": 5}
            ]}),
        ),
        (
            "/linux/seccomp",
            json!({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
                {"names": ["mkdir"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 6, "value": 0, "op": "SCMP_CMP_EQ"}]}
            ]}),
        ),
    ];
    let mut refusals = String::new();
    for (path, value) in cases {
        let mut spec = default(None);
        let (folder, name) = path.rsplit_once('/').unwrap();
        spec.pointer_mut(folder).unwrap()[name] = value;
        let error = plan(&bundle(spec), &unified()).expect_err(path);
        refusals += &format!("{error}\n");
    }
    insta::assert_snapshot!(refusals);
}

#[test]
fn whoever_cannot_mount_cgroups_shows_those_of_the_host_for_reading() {
    let shown = |rootless: bool, kinds: &[&str]| {
        let mut spec = default(None);
        spec["linux"]["namespaces"] = kinds.iter().map(|kind| json!({ "type": kind })).collect();
        spec["mounts"] = json!([{ "destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup" }]);
        let planned = plan(&Bundle { rootless, ..bundle(spec) }, &unified()).unwrap();
        let is_it =
            |step: &&MountOp| matches!(step, MountOp::Mount(m) if m.destination.ends_with("sys/fs/cgroup"));
        format!("{:?}", planned.root.iter().find(is_it).expect("cgroups are shown"))
    };
    let bound = shown(true, &["mount", "pid", "uts"]);
    assert!(bound.contains("Bind") && bound.contains("recursive: true"), "{bound}");
    assert_eq!(bound, shown(true, &["mount", "uts"]));
    let own = shown(true, &["mount", "uts", "cgroup"]);
    assert!(own.contains("cgroup2") && own == shown(false, &["mount", "uts", "cgroup"]), "{own}");
    assert!(shown(false, &["mount", "uts"]).contains("cgroup2"));
}
