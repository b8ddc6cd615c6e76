//! What cannot be made is told, and leaves nothing.

use super::machine::{nothing_is_left, nothing_will_be_left, show, site, unit};
use serde_json::json;

#[test]
fn a_path_that_is_no_unit_is_refused() {
    let Some(mut site) = site("paths", "true") else { return };
    for (path, why) in [
        ("/a/b", r#""/a/b" is not slice:prefix:name, as "system.slice:docker:box""#),
        ("a.scope:b:c", r#""a.scope" is no slice: it does not end with .slice"#),
    ] {
        site.spec["linux"]["cgroupsPath"] = json!(path);
        site.write();
        let said = site.refused(&["--systemd-cgroup", "run", "-d", "ID"]);
        assert_eq!(said, format!("coracle-oci: error: linux.cgroupsPath with --systemd-cgroup: {why}"));
    }
}

#[test]
fn a_limit_that_cannot_be_set_leaves_no_unit() {
    let Some(mut site) = site("no-limit", "sleep 100") else { return };
    site.spec["linux"]["resources"]["unified"] = json!({"memory.nosuch": "1"});
    site.write();
    let said = site.refused(&["--systemd-cgroup", "run", "-d", "ID"]);
    assert!(said.contains("this kernel has no memory.nosuch"), "{said}");
    nothing_is_left(&site);
    site.spec["linux"]["resources"]["unified"] = json!({"cpu.weight": "20000"});
    site.write();
    let said = site.refused(&["--systemd-cgroup", "run", "-d", "ID"]);
    assert!(said.contains("systemd: SetUnitProperties(") && said.contains("CPUWeight"), "{said}");
    nothing_is_left(&site);
}

#[test]
fn a_unit_that_is_there_is_its_makers() {
    let Some(site) = site("taken", "sleep 100") else { return };
    site.ok(&["--systemd-cgroup", "run", "-d", "ID"]);
    // Another container, of the same path.
    let other = format!("{}-other", site.id);
    let said = site.refused(&["--systemd-cgroup", "run", "-d", &other]);
    assert!(said.contains("systemd: StartTransientUnit("), "{said}");
    assert_eq!(show(&unit(&site), "ActiveState"), "ActiveState=active", "it lives on");
    assert_eq!(site.status(), "running");
    site.ok(&["delete", "--force", "ID"]);
    nothing_is_left(&site);
}

/// A scope goes with its last process, and its name is free. Whoever had it before has nothing to stop any more.
#[test]
fn a_unit_of_the_same_name_is_not_the_old_containers() {
    let Some(mut site) = site("again", "true") else { return };
    site.ok(&["--systemd-cgroup", "run", "-d", "ID"]);
    nothing_will_be_left(&site);
    site.spec["process"]["args"] = json!(["sh", "-c", "sleep 100"]);
    site.write();
    let other = format!("{}-other", site.id);
    site.ok(&["--systemd-cgroup", "run", "-d", &other]);
    site.ok(&["delete", "ID"]);
    assert_eq!(show(&unit(&site), "ActiveState"), "ActiveState=active");
    site.ok(&["delete", "--force", &other]);
    nothing_is_left(&site);
}
