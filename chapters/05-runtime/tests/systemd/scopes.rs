//! A container in a scope: what systemd says of it, from its creation to its end.

use super::machine::{file, group, nothing_is_left, nothing_will_be_left, pid, show, site, systemctl, unit};
use super::site::{Site, eventually};
use serde_json::json;

/// Limits, as systemd says that it has them; of a quota it keeps whole percents, rounded up.
const SAID: [&str; 10] = [
    "AllowedCPUs=0",
    "AllowedMemoryNodes=0",
    "CPUQuotaPerSecUSec=670ms",
    "CPUQuotaPeriodUSec=50ms",
    "CPUWeight=20",
    "MemoryHigh=58720256",
    "MemoryLow=33554432",
    "MemoryMax=67108864",
    "MemorySwapMax=33554432",
    "TasksMax=50",
];

/// The same in the group's files, and two that systemd does not know.
const WRITTEN: [(&str, &str); 11] = [
    ("memory.max", "67108864"),
    ("memory.low", "33554432"),
    ("memory.high", "58720256"),
    ("memory.swap.max", "33554432"),
    ("pids.max", "50"),
    ("cpu.weight", "20"),
    ("cpuset.cpus", "0"),
    ("cpuset.mems", "0"),
    ("cpu.max", "33333 50000"),
    ("cpu.max.burst", "1000"),
    ("memory.oom.group", "1"),
];

/// What systemd says of these properties, in the order of their names.
fn said(site: &Site, properties: &[&str]) -> Vec<String> {
    let names: Vec<&str> = properties.iter().filter_map(|property| property.split('=').next()).collect();
    let mut lines: Vec<String> = show(&unit(site), &names.join(",")).lines().map(String::from).collect();
    lines.sort_unstable();
    lines
}

/// What the files have that should have these values.
fn written<'a>(site: &Site, files: &[(&'a str, &str)]) -> Vec<(&'a str, String)> {
    files.iter().map(|(name, _)| (*name, file(site, name))).collect()
}

fn owned<'a>(files: &[(&'a str, &str)]) -> Vec<(&'a str, String)> {
    files.iter().map(|(name, value)| (*name, value.to_string())).collect()
}

#[test]
fn limits_are_what_systemd_says() {
    let Some(mut site) = site("limits", "sleep 100") else { return };
    let resources = &mut site.spec["linux"]["resources"];
    resources["memory"] = json!({"limit": 64 << 20, "reservation": 32 << 20, "swap": 96 << 20});
    resources["cpu"] =
        json!({"shares": 512, "quota": 33_333, "period": 50_000, "cpus": "0", "mems": "0", "burst": 1000});
    resources["pids"] = json!({"limit": 50});
    resources["unified"] = json!({"memory.high": "58720256", "memory.oom.group": "1"});
    site.write();
    site.ok(&["--systemd-cgroup", "run", "-d", "ID"]);
    assert_eq!(said(&site, &SAID), SAID);
    assert_eq!(written(&site, &WRITTEN), owned(&WRITTEN));
    let path = format!("ControlGroup=/coracle.slice/coracle-test.slice/{}", unit(&site));
    let description = format!("Description=Container {}", site.id);
    let scope = ["ActiveState=active", &path, "Delegate=yes", &description];
    assert_eq!(said(&site, &scope), scope);
    assert_eq!(said(&site, &["Slice=", "Transient="]), ["Slice=coracle-test.slice", "Transient=yes"]);
    assert_eq!(file(&site, "cgroup.procs"), pid(&site).to_string());
    // Reloaded, systemd writes anew what it knows.
    systemctl(&["daemon-reload"]);
    let of_systemd = &WRITTEN[..8];
    assert_eq!(written(&site, of_systemd), owned(of_systemd));
    assert_eq!(said(&site, &SAID), SAID);
    site.ok(&["delete", "--force", "ID"]);
    nothing_is_left(&site);
}

#[test]
fn limits_change_and_stay_changed() {
    let Some(site) = site("update", "sleep 100") else { return };
    site.ok(&["--systemd-cgroup", "run", "-d", "ID"]);
    site.ok(&["update", "--memory", "128M", "--pids-limit", "20", "--cpu-quota", "25000", "ID"]);
    let properties = ["CPUQuotaPerSecUSec=250ms", "MemoryMax=134217728", "TasksMax=20"];
    let values = [("memory.max", "134217728"), ("pids.max", "20"), ("cpu.max", "25000 100000")];
    assert_eq!(said(&site, &properties), properties);
    assert_eq!(written(&site, &values), owned(&values));
    systemctl(&["daemon-reload"]);
    assert_eq!(written(&site, &values), owned(&values));
    // What is refused is as it was, for both.
    let refused = site.refused(&["update", "--pids-limit", "30", "--cpuset-cpus", "0-", "ID"]);
    assert!(refused.contains("cpuset.cpus"), "{refused}");
    assert_eq!(said(&site, &properties), properties);
    assert_eq!(written(&site, &values), owned(&values));
    site.ok(&["delete", "--force", "ID"]);
    nothing_is_left(&site);
}

#[test]
fn it_is_paused_and_goes_on_and_processes_are_added() {
    let Some(site) = site("verbs", "sleep 100") else { return };
    site.ok(&["--systemd-cgroup", "create", "ID"]);
    assert_eq!(site.status(), "created");
    site.ok(&["start", "ID"]);
    site.ok(&["pause", "ID"]);
    assert_eq!((site.status(), file(&site, "cgroup.freeze")), ("paused".into(), "1".into()));
    site.ok(&["resume", "ID"]);
    assert_eq!(site.status(), "running");
    // It sees its own group as the topmost, and in it the process that was added.
    assert_eq!(site.ok(&["exec", "ID", "cat", "/proc/self/cgroup"]), "0::/\n");
    site.ok(&["exec", "-d", "ID", "sleep", "100"]);
    assert_eq!(file(&site, "cgroup.procs").lines().count(), 2);
    site.ok(&["kill", "ID", "KILL"]);
    eventually("it has stopped", || site.status() == "stopped");
    nothing_will_be_left(&site);
    site.ok(&["delete", "ID"]);
}

#[test]
fn a_paused_container_is_deleted() {
    let Some(site) = site("frozen", "sleep 100") else { return };
    site.ok(&["--systemd-cgroup", "run", "-d", "ID"]);
    // A group of its own below the scope, as systemd in a container makes them.
    std::fs::create_dir(group(&site).join("below")).unwrap();
    site.ok(&["pause", "ID"]);
    site.ok(&["delete", "--force", "ID"]);
    nothing_is_left(&site);
}

#[test]
fn a_command_is_waited_for() {
    let Some(site) = site("foreground", "echo inside; exit 3") else { return };
    let (code, stdout, stderr) = site.run(&["--systemd-cgroup", "run", "ID"]);
    assert_eq!((code, stdout.as_str(), stderr.as_str()), (3, "inside\n", ""));
    nothing_is_left(&site);
}

#[test]
fn devices_are_those_of_the_rules() {
    let script = "echo x >/dev/null && echo null; cat /tmp/kmsg";
    let Some(mut site) = site("devices", script) else { return };
    site.spec["linux"]["resources"]["devices"] = json!([{"allow": false, "access": "rwm"}]);
    site.write();
    let node = site.folder.join("rootfs/tmp/kmsg");
    let made = std::process::Command::new("busybox").arg("mknod").arg(&node).args(["c", "1", "11"]).status();
    assert!(made.unwrap().success());
    let (code, stdout, stderr) = site.run(&["--systemd-cgroup", "run", "--keep", "ID"]);
    assert_eq!((code, stdout.as_str()), (1, "null\n"), "{stderr}");
    assert!(stderr.contains("Operation not permitted"), "{stderr}");
    site.ok(&["delete", "ID"]);
    site.spec["process"]["args"] = json!(["sleep", "100"]);
    site.write();
    site.ok(&["--systemd-cgroup", "run", "-d", "ID"]);
    let said = show(&unit(&site), "DevicePolicy,DeviceAllow");
    for line in ["DevicePolicy=strict", "DeviceAllow=/dev/char/1:3 rwm", "DeviceAllow=char-136 rwm"] {
        assert!(said.lines().any(|other| other == line), "{line}: {said}");
    }
    site.ok(&["delete", "--force", "ID"]);
    nothing_is_left(&site);
}

#[test]
fn a_container_without_a_path_has_a_scope_of_the_system() {
    let Some(mut site) = site("usual", "sleep 100") else { return };
    site.spec["linux"].as_object_mut().unwrap().remove("cgroupsPath");
    site.write();
    let id = format!("{}+plus", site.id);
    site.ok(&["--systemd-cgroup", "run", "-d", &id]);
    // Written as systemd-escape(1) does it.
    let unit = format!(r"coracle-oci-{}\x2bplus.scope", site.id);
    let said = ["Slice", "ActiveState"].map(|property| show(&unit, property));
    assert_eq!(said, ["Slice=system.slice", "ActiveState=active"]);
    site.ok(&["delete", "--force", &id]);
    assert_eq!(show(&unit, "LoadState"), "LoadState=not-found");
}
