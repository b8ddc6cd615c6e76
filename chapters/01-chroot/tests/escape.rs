//! The exhibit escapes from chroot(2), and does not escape from what the plan made.
#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::process::Command;

fn ends(way: &str) -> String {
    // Exhibits are built beside the tests: target/…/deps/escape-… and target/…/examples/chroot_escape.
    let deps = std::env::current_exe().unwrap();
    let exhibit = deps.ancestors().nth(2).unwrap().join("examples/chroot_escape");
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("escape-{way}"));
    std::fs::create_dir_all(&folder).unwrap();
    let output = Command::new(exhibit).arg(way).arg(&folder).output().unwrap();
    std::fs::remove_dir_all(folder).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn chroot_alone_is_escaped() {
    assert_eq!(ends("chroot"), "outside\n");
}

#[test]
fn the_plan_is_not() {
    assert_eq!(ends("plan"), "inside\n");
}
