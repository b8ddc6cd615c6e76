//! The chapter's binary, called by root who is a member of further groups.
#![cfg(target_os = "linux")]
#![forbid(unsafe_code)]

use skipped::skip;
use std::fs;
use std::process::{Command, Stdio};

const BUSYBOX: &str = "/usr/bin/busybox";

#[test]
fn the_command_is_in_no_group_of_its_callers() {
    if !nix::unistd::geteuid().is_root() || !fs::exists(BUSYBOX).unwrap() {
        return skip("privileges::groups", "needs root and busybox");
    }
    let rootfs = std::env::temp_dir().join(format!("coracle-groups-{}", std::process::id()));
    fs::create_dir_all(rootfs.join("proc")).unwrap();
    fs::copy(BUSYBOX, rootfs.join("busybox")).unwrap();
    let groups_of = |user: &str| {
        let mut as_a_member = Command::new("setpriv");
        as_a_member.args(["--groups", "0,4,24", env!("CARGO_BIN_EXE_privileges"), "--user", user]);
        as_a_member.arg(&rootfs).args(["/busybox", "id", "-G"]).stderr(Stdio::inherit());
        String::from_utf8(as_a_member.output().unwrap().stdout).unwrap()
    };
    let groups = ["0", "1000"].map(groups_of);
    fs::remove_dir_all(&rootfs).unwrap();
    assert_eq!(groups, ["0\n", "1000\n"]);
}
