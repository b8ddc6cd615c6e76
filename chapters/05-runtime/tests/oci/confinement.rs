//! AppArmor and SELinux: the real thing where the kernel has one of them, the refusal by the field's name where it has not.
//!
//! `cargo xtask vm test` boots a kernel with each of them.

use super::site::{Site, is_installed, skip};
use serde_json::json;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// A profile under which two files cannot be read, and what else there is can be.
const PROFILE: &str = "profile coracle-test flags=(attach_disconnected,mediate_deleted) {
    file, capability, network, umount, mount, signal, ptrace,
    deny /secret r,
    deny /tmp/** w,
}
profile coracle-test-exec flags=(attach_disconnected,mediate_deleted) {
    file, capability, network, umount, signal, ptrace,
}
";

/// Loads the profiles; None where there is no AppArmor to load them into.
fn with_apparmor(test: &str) -> Option<()> {
    if !privileges::has_apparmor() || !Path::new("/sys/kernel/security/apparmor/profiles").exists() {
        skip(&format!("oci::{test}"), "needs a kernel with AppArmor: cargo xtask vm test");
        return None;
    }
    if !is_installed("apparmor_parser") {
        skip(&format!("oci::{test}"), "apparmor_parser is not installed");
        return None;
    }
    let mut parser = Command::new("apparmor_parser")
        .args(["--replace", "--skip-cache"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    parser.stdin.take().unwrap().write_all(PROFILE.as_bytes()).unwrap();
    assert!(parser.wait().unwrap().success());
    Some(())
}

#[test]
fn without_a_module_its_fields_are_refused_by_name_and_nothing_is_made() {
    let Some(mut site) = Site::new("no-module", "cat /proc/self/attr/current") else { return };
    let plain = site.spec.clone();
    let label = "system_u:system_r:container_t:s0:c1,c2";
    let cases = [
        ("/process/apparmorProfile", "docker-default", "apparmor", privileges::has_apparmor()),
        ("/process/selinuxLabel", label, "selinux", privileges::has_selinux()),
        ("/linux/mountLabel", label, "selinux", privileges::has_selinux()),
    ];
    for (field, value, module, _) in cases.into_iter().filter(|(.., is_there)| !is_there) {
        site.spec = plain.clone();
        let (folder, name) = field.rsplit_once('/').unwrap();
        site.spec.pointer_mut(folder).unwrap()[name] = value.into();
        site.write();
        for verb in ["create", "run"] {
            let refused = site.refused(&[verb, "ID"]);
            let start =
                format!("{} {value:?}: {module} is not enabled on this system", field[1..].replace('/', "."));
            assert!(refused.contains(&start), "{refused}");
            assert!(refused.ends_with(", or leave the field out"), "{refused}");
        }
        site.nothing_is_left();
    }
    site.spec = plain;
    site.spec["process"]["apparmorProfile"] = "unconfined".into();
    site.write();
    site.run(&["run", "ID"]);
    site.nothing_is_left();
}

#[test]
fn without_a_module_exec_refuses_its_flags() {
    let Some(site) = Site::new("no-module-exec", "sleep 100") else { return };
    site.ok(&["run", "-d", "ID"]);
    if !privileges::has_apparmor() {
        let refused = site.refused(&["exec", "--apparmor", "x", "ID", "true"]);
        assert!(refused.contains("process.apparmorProfile \"x\": apparmor is not enabled"), "{refused}");
    }
    if !privileges::has_selinux() {
        let refused = site.refused(&["exec", "--process-label", "u:r:t", "ID", "true"]);
        assert!(refused.contains("process.selinuxLabel \"u:r:t\": selinux is not enabled"), "{refused}");
    }
    // As callers pass them that have none.
    site.ok(&["exec", "--apparmor", "", "--process-label", "", "ID", "true"]);
    site.ok(&["delete", "-f", "ID"]);
}

#[test]
fn a_profile_denies_and_so_it_does_to_an_added_process() {
    let Some(()) = with_apparmor("profile") else { return };
    let script = "cat /proc/self/attr/current; cat /secret; echo w >/tmp/w";
    let Some(mut site) = Site::new("profile", script) else { return };
    std::fs::write(site.folder.join("rootfs/secret"), "secret\n").unwrap();
    site.spec["process"]["apparmorProfile"] = "coracle-test".into();
    site.write();
    let (code, stdout, stderr) = site.run(&["run", "ID"]);
    assert_eq!((code, stdout.as_str()), (1, "coracle-test (enforce)\n"), "{stderr}");
    assert_eq!(stderr.matches("ermission denied").count(), 2, "{stderr}");
    site.spec["process"]["args"] = json!(["sleep", "100"]);
    site.write();
    site.ok(&["run", "-d", "ID"]);
    let denied = site.run(&["exec", "ID", "cat", "/proc/self/attr/current", "/secret"]);
    assert_eq!((denied.0, denied.1.as_str()), (1, "coracle-test (enforce)\n"), "{}", denied.2);
    assert!(denied.2.contains("/secret"), "{}", denied.2);
    let other =
        ["exec", "--apparmor", "coracle-test-exec", "ID", "cat", "/proc/self/attr/current", "/secret"];
    assert_eq!(site.ok(&other), "coracle-test-exec (enforce)\nsecret\n");
    let free = ["exec", "--apparmor", "unconfined", "ID", "cat", "/proc/self/attr/current", "/secret"];
    assert_eq!(site.ok(&free), "unconfined\nsecret\n");
    // With no way to more privileges and as another user, the profile is written all the same.
    site.ok(&["exec", "--no-new-privs", "--user", "1000:1000", "ID", "true"]);
    site.ok(&["delete", "-f", "ID"]);
    site.nothing_is_left();
}

#[test]
fn a_profile_that_is_not_loaded_is_an_error_and_nothing_is_left() {
    let Some(()) = with_apparmor("no-profile") else { return };
    let Some(mut site) = Site::new("no-profile", "true") else { return };
    site.spec["process"]["apparmorProfile"] = "nosuch".into();
    site.write();
    let refused = site.refused(&["run", "ID"]);
    assert!(refused.contains("the AppArmor profile \"nosuch\""), "{refused}");
    assert!(refused.contains("ENOENT"), "{refused}");
    site.nothing_is_left();
}

/// CVE-2019-16884: the image has files where the profile would be written, and is asked for no /proc of the kernel's.
#[test]
fn an_images_own_proc_turns_no_profile_off() {
    let Some(()) = with_apparmor("own-proc") else { return };
    let Some(mut site) = Site::new("own-proc", "cat /secret; cat /proc/thread-self/attr/apparmor/exec")
    else {
        return;
    };
    std::fs::write(site.folder.join("rootfs/secret"), "secret\n").unwrap();
    for process in ["self", "thread-self"] {
        let folder = site.folder.join("rootfs/proc").join(process).join("attr/apparmor");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("exec"), "untouched\n").unwrap();
        std::fs::write(folder.with_file_name("exec"), "untouched\n").unwrap();
    }
    site.spec["mounts"].as_array_mut().unwrap().retain(|mount| mount["destination"] != "/proc");
    site.spec["process"]["apparmorProfile"] = "coracle-test".into();
    site.write();
    let (_, stdout, stderr) = site.run(&["run", "ID"]);
    assert_eq!(stdout, "untouched\n", "{stderr}");
    assert!(stderr.contains("/secret") && stderr.contains("ermission denied"), "{stderr}");
}
