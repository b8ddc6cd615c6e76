//! systemd as `systemctl` shows it, and a site whose containers it holds.

use super::site::{Site, eventually, skip};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A site, if systemd is this machine's first process. Its container is in the scope `box-ID.scope` of `coracle-test.slice`.
pub fn site(name: &str, script: &str) -> Option<Site> {
    if !Path::new("/run/systemd/system").exists() {
        skip(&format!("systemd::{name}"), "systemd is not this machine's first process");
        return None;
    }
    let mut site = Site::new(name, script)?;
    site.spec["linux"]["cgroupsPath"] = json!(format!("coracle-test.slice:box:{}", site.id));
    site.write();
    Some(site)
}

/// The scope's name.
pub fn unit(site: &Site) -> String {
    format!("box-{}.scope", site.id)
}

/// Where its group is.
pub fn group(site: &Site) -> PathBuf {
    Path::new("/sys/fs/cgroup/coracle.slice/coracle-test.slice").join(unit(site))
}

/// What a file of the group says.
pub fn file(site: &Site, name: &str) -> String {
    let path = group(site).join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.trim().to_string()
}

/// What systemd says of a unit: `NAME=value`, a line each.
pub fn show(unit: &str, properties: &str) -> String {
    systemctl(&["show", unit, "--property", properties])
}

/// Runs systemctl, which must succeed.
pub fn systemctl(words: &[&str]) -> String {
    let output = Command::new("systemctl").args(words).output().unwrap();
    assert!(output.status.success(), "systemctl {words:?}: {output:?}");
    String::from_utf8_lossy(&output.stdout).trim().to_string()
}

/// Neither the unit nor its group is there.
pub fn nothing_is_left(site: &Site) {
    assert!(!is_loaded(&unit(site)), "{}", systemctl(&["status", "--no-pager", &unit(site)]));
    assert!(!group(site).exists());
}

/// The same, when systemd has seen that the last process has ended.
pub fn nothing_will_be_left(site: &Site) {
    eventually("the unit goes with its last process", || !is_loaded(&unit(site)) && !group(site).exists());
}

fn is_loaded(unit: &str) -> bool {
    show(unit, "LoadState") != "LoadState=not-found"
}

/// The process of the site's container.
pub fn pid(site: &Site) -> i64 {
    let state: Value = serde_json::from_str(&site.ok(&["state", "ID"])).unwrap();
    state["pid"].as_i64().unwrap()
}
