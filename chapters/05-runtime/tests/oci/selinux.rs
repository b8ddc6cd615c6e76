//! SELinux as it is, under a policy of the test's own: only on a kernel that has none yet, such as that of `cargo xtask vm test`.

use super::site::{Site, skip};
use rustix::fs::{XattrFlags, getxattr, setxattr};
use serde_json::json;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;

const POLICY: &str = include_str!("policy.cil");
/// The labels of the container under test.
const PROCESS: &str = "system_u:system_r:box_t:s0:c1,c2";
const MOUNTS: &str = "system_u:object_r:box_file_t:s0:c1,c2";
/// The type that this policy gives to whoever was there before it.
const HOST: &str = ":host_t:";

/// Loads the policy, once; None where there is no SELinux, or somebody's own policy.
fn with_policy(test: &str) -> Option<()> {
    static LOADING: Mutex<()> = Mutex::new(());
    let _one = LOADING.lock().unwrap();
    let own = std::fs::read_to_string("/proc/self/attr/current").unwrap_or_default();
    if own.contains(HOST) {
        return Some(());
    }
    let load = Path::new("/sys/fs/selinux/load");
    if !load.exists() || own.trim_end_matches(['\0', '\n']) != "kernel" {
        skip(
            &format!("oci::{test}"),
            "needs a kernel with SELinux and without a policy: cargo xtask vm test",
        );
        return None;
    }
    let folder = std::env::temp_dir().join(format!("selinux-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("policy.cil"), POLICY).unwrap();
    let words = ["-c", "33", "-o", "policy", "-f", "/dev/null", "policy.cil"];
    let status = Command::new("secilc").args(words).current_dir(&folder).status();
    assert!(status.expect("secilc, of Debian's package secilc").success());
    std::fs::write(load, std::fs::read(folder.join("policy")).unwrap()).unwrap();
    std::fs::write("/sys/fs/selinux/enforce", "1").unwrap();
    std::fs::remove_dir_all(folder).unwrap();
    Some(())
}

fn labelled(name: &str, script: &str) -> Option<Site> {
    let mut site = Site::new(name, script)?;
    std::fs::write(site.folder.join("rootfs/secret"), "secret\n").unwrap();
    let secret = b"system_u:object_r:secret_t:s0";
    setxattr(site.folder.join("rootfs/secret"), "security.selinux", secret, XattrFlags::empty()).unwrap();
    site.spec["process"]["selinuxLabel"] = PROCESS.into();
    site.spec["linux"]["mountLabel"] = MOUNTS.into();
    site.spec["linux"]["maskedPaths"] = json!(["/sys/firmware"]);
    site.write();
    Some(site)
}

#[test]
fn a_label_denies_what_its_policy_does_not_allow() {
    let Some(()) = with_policy("label") else { return };
    let script = "read -r x </proc/self/attr/current; echo \"$x\"; cat /proc/keys; cat /secret";
    let Some(mut site) = labelled("label", script) else { return };
    let (code, stdout, stderr) = site.run(&["run", "ID"]);
    assert_eq!((code, stdout.lines().next()), (1, Some(PROCESS)), "{stdout} {stderr}");
    assert!(stderr.contains("/secret") && stderr.contains("ermission denied"), "{stderr}");
    // It sees only keys of its own label: that of its keyring is.
    let keyring = format!("_ses.{}", site.id);
    assert!(stdout.contains(&keyring), "{stdout}");
    site.spec["process"]["args"] = json!(["sleep", "100"]);
    site.write();
    site.ok(&["run", "-d", "ID"]);
    let label = ["sh", "-c", "cat /proc/self/attr/current | tr '\\0' '\\n'; cat /secret"];
    let (code, stdout, stderr) = site.run(&[&["exec", "ID"], &label[..]].concat());
    assert_eq!((code, stdout.trim_end()), (1, PROCESS), "{stderr}");
    let other = "system_u:system_r:box_t:s0:c0";
    let (_, stdout, _) = site.run(&[&["exec", "--process-label", other, "ID"], &label[..]].concat());
    assert_eq!(stdout.trim_end(), other);
    let refused = site.refused(&["exec", "--process-label", "nobody:no_r:no_t:s0", "ID", "true"]);
    assert!(
        refused.contains("the SELinux label \"nobody:no_r:no_t:s0\"") || refused.contains("keyring"),
        "{refused}"
    );
    assert!(refused.contains("EINVAL"), "{refused}");
    site.ok(&["delete", "-f", "ID"]);
    site.nothing_is_left();
}

#[test]
fn what_is_mounted_bears_its_label_and_the_kernels_own_does_not() {
    let Some(()) = with_policy("mount-label") else { return };
    let Some(site) = labelled("mount-label", "sleep 100") else { return };
    site.ok(&["run", "-d", "ID"]);
    let mounts = site.ok(&["exec", "ID", "cat", "/proc/self/mounts"]);
    let context = format!("context=\"{MOUNTS}\"");
    for place in ["/dev", "/dev/pts", "/dev/shm", "/sys/firmware"] {
        let is_there = place != "/sys/firmware" || Path::new(place).exists();
        let line = mounts.lines().find(|line| line.split(' ').nth(1) == Some(place)).unwrap_or_default();
        assert_eq!(line.contains(&context), is_there, "{place}: {mounts}");
    }
    for line in
        mounts.lines().filter(|line| ["proc", "sysfs", "mqueue"].contains(&line.split(' ').nth(2).unwrap()))
    {
        assert!(!line.contains("context="), "{line}");
    }
    // That file system takes no such option: its root has the label as an attribute.
    let state: serde_json::Value = serde_json::from_str(&site.ok(&["state", "ID"])).unwrap();
    let mut label = [0; 128];
    let path = format!("/proc/{}/root/dev/mqueue", state["pid"]);
    let length = getxattr(path, "security.selinux", &mut label).unwrap();
    assert_eq!(String::from_utf8_lossy(&label[..length]).trim_end_matches('\0'), MOUNTS);
    site.ok(&["delete", "-f", "ID"]);
}
