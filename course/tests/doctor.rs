//! The doctor says what is in the way, and the exact command that mends it.
#![forbid(unsafe_code)]

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

/// What the doctor says at the end of this shell's script, in which `$0` is the course.
fn doctor(script: &str) -> (bool, String) {
    said(Command::new("sh").args(["-c", script, env!("CARGO_BIN_EXE_course")]))
}

fn said(command: &mut Command) -> (bool, String) {
    let output = command.output().expect("sh and util-linux are everywhere");
    (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn a_machine_that_has_everything_is_well() {
    let (well, said) = doctor("exec \"$0\" doctor");
    assert!(well && said.contains("well  namespaces of all eight kinds can be made"), "{said}");
    assert!(said.contains("well  exercises can be built without a network"), "{said}");
}

/// Each user namespace has its own limit; the host's is left alone.
#[test]
fn a_closed_knob_is_named_with_the_command_that_opens_it() {
    let script = "echo 0 > /proc/sys/user/max_user_namespaces; exec \"$0\" doctor";
    let mut inside = Command::new("unshare");
    inside.args(["--user", "--map-root-user", "sh", "-c", script, env!("CARGO_BIN_EXE_course")]);
    let (well, said) = said(&mut inside);
    let line = said.lines().find(|line| line.starts_with("BAD")).expect("it is in the way");
    assert!(!well && line.contains("as root: sysctl -w user.max_user_namespaces=15000"), "{said}");
}

#[test]
fn what_was_not_fetched_is_fetched_by_a_command() {
    let empty = tempfile::tempdir().expect("a temporary folder");
    let (well, said) = doctor(&format!("CARGO_HOME={} exec \"$0\" doctor", empty.path().display()));
    let line = said.lines().find(|line| line.starts_with("BAD")).expect("it is in the way");
    assert!(!well && line.contains("cargo fetch --locked --manifest-path /"), "{said}");
}

#[test]
fn a_missing_rust_analyzer_is_only_a_note() {
    let toolchain = Path::new(env!("CARGO")).parent().expect("a program lies in a folder");
    let folder = tempfile::tempdir().expect("a temporary folder");
    for program in ["cargo", "rustc"] {
        symlink(toolchain.join(program), folder.path().join(program)).expect("our own folder");
    }
    let (well, said) = doctor(&format!("PATH={} exec \"$0\" doctor", folder.path().display()));
    assert!(well && said.contains("note  rust-analyzer is absent"), "{said}");
    assert!(said.contains("rustup component add rust-analyzer"), "{said}");
    for package in ["busybox-static", "strace", "procps", "util-linux", "bsdutils"] {
        let line = said.lines().find(|line| line.ends_with(&format!("apt install {package}")));
        assert!(line.is_some_and(|line| line.starts_with("note  ")), "{said}");
    }
}

#[test]
fn an_old_rust_is_in_the_way() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let rustc = folder.path().join("rustc");
    std::fs::write(&rustc, "#!/bin/sh\necho 'rustc 1.70.0 (90c541806 2023-05-31)'\n")
        .expect("our own folder");
    std::fs::set_permissions(&rustc, std::fs::Permissions::from_mode(0o755)).expect("our own file");
    let (well, said) = doctor(&format!("PATH={}:$PATH exec \"$0\" doctor", folder.path().display()));
    let line = said.lines().find(|line| line.starts_with("BAD")).expect("it is in the way");
    assert!(!well && line.contains("Rust 1.70.0 is older than") && line.contains("rustup update"), "{said}");
}
