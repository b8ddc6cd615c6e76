//! Records sessions in a terminal: commands as a reader types them, and what the chapters' binaries said.
//!
//! The commands run in one shell, in an empty folder that stands for the workspace. In its PATH `cargo` is a script that executes what
//! `cargo run` and `cargo xtask` would, built by the real cargo before; everything else is what the machine has.
#![forbid(unsafe_code)]

mod redact;

use nix::errno::Errno;
use nix::sys::signal::killpg;
use nix::unistd::Pid;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// `cargo run -q -p PACKAGE [--example NAME] -- ARGUMENT…`, `cargo build -q -p PACKAGE` and `cargo xtask rootfs FOLDER`, without
/// compiling. The last one runs the real command, which calls this script in turn.
const CARGO: &str = r#"#!/bin/sh
set -e
case "$1 $2 $3" in
"run -q -p")
    name="$4"; shift 4
    # The one package whose binary has another name than it.
    if [ "$name" = runtime ]; then name=coracle-oci; fi
    binary="$BUILT/$name"
    if [ "$1" = --example ]; then binary="$BUILT/examples/$2"; shift 2; fi
    if [ "$1" = -- ]; then shift; fi
    exec "$binary" "$@" ;;
"build -q -p")
    exec test -x "$BUILT/$4" ;;
"run --quiet --locked")
    binary="$BUILT/$5"; shift 6
    exec "$binary" "$@" ;;
"xtask rootfs "*)
    shift
    exec "$BUILT/xtask" "$@" ;;
*)
    echo "a session runs chapters by: cargo run -q -p PACKAGE" >&2
    exit 2 ;;
esac
"#;

/// Between what two sessions said: no program prints it.
const SESSION_ENDS: &str = "\u{1e}\n";

/// Types the commands of several sessions, one after the other into one shell, and returns what a terminal would have shown of
/// each, redacted so that it is the same on every machine.
///
/// # Panics
/// When the packages cannot be built, a session leaves a process behind, or the shell ends before it was told everything.
pub fn record(packages: &[&str], sessions: &[&[&str]]) -> Vec<String> {
    let built = build(packages);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let workspace = folder.path().join("coracle");
    prepare(folder.path(), &workspace, &built);
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap_or_default());
    // A session that waits for what does not come ends, and is then found to have left processes behind.
    let mut shell = Command::new("timeout");
    shell
        .args(["--foreground", &(240 + 60 * sessions.len()).to_string(), "sh", "-c"])
        .arg(script(sessions))
        .current_dir(&workspace)
        .process_group(0);
    shell
        .env("PATH", path)
        .env("BUILT", &built)
        .env("LC_ALL", "C")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = shell.spawn().expect("sh and timeout are everywhere");
    // As at a terminal, nothing more is typed, and yet the input has no end while the shell runs.
    let _keyboard = child.stdin.take();
    let group = Pid::from_raw(child.id() as i32);
    let output = child.wait_with_output().expect("the shell was started");
    assert!(is_gone_soon(group), "the session left a process behind");
    let text = String::from_utf8_lossy(&output.stdout);
    let said: Vec<String> =
        text.split_terminator(SESSION_ENDS).map(|text| redact::redact(text, &workspace)).collect();
    assert_eq!(said.len(), sessions.len(), "the shell ended early: {text}");
    said
}

/// Says each command before it is run, and where a session ends.
fn script(sessions: &[&[&str]]) -> String {
    let mut script = String::from("exec 2>&1\n");
    for commands in sessions {
        for command in *commands {
            let quoted = command.replace('\'', r"'\''");
            script.push_str(&format!("printf '%s\\n' '$ {quoted}'\n{command}\n"));
        }
        script.push_str("printf '\\036\\n'\n");
    }
    script + "exec >/dev/null 2>&1\nwait\n"
}

/// Whether the group has no process left: what ended a moment ago may still be on its way.
fn is_gone_soon(group: Pid) -> bool {
    let deadline = Instant::now() + Duration::from_secs(5);
    while killpg(group, None) != Err(Errno::ESRCH) {
        if Instant::now() > deadline {
            return false;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    true
}

/// Set where there is no compiler, and what sessions run lies beside the test already.
const IS_BUILT: &str = "CORACLE_SESSIONS_ARE_BUILT";

/// Builds what the session runs, beside this test: the same folder, the same profile.
fn build(packages: &[&str]) -> PathBuf {
    let test = std::env::current_exe().expect("a test has a file");
    let beside = test.ancestors().nth(2).expect("tests lie in deps/").to_path_buf();
    if std::env::var_os(IS_BUILT).is_some() {
        return beside;
    }
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--locked", "--bins", "--examples", "--package", "xtask"]);
    for package in packages {
        cargo.args(["--package", package]);
    }
    let status = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).status().expect("cargo runs this test");
    assert!(status.success(), "the chapters do not compile");
    beside
}

fn prepare(folder: &Path, workspace: &Path, built: &Path) {
    std::fs::create_dir_all(workspace.join("target")).expect("an empty folder can be filled");
    // As cargo lays it out where a target is named: target/TRIPLE/debug.
    let triple = built.parent().and_then(Path::file_name).expect("the test lies in target/TRIPLE/debug/deps");
    symlink(built.parent().unwrap_or(built), workspace.join("target").join(triple))
        .expect("an empty folder can be filled");
    let cargo = folder.join("cargo");
    std::fs::write(&cargo, CARGO).expect("an empty folder can be filled");
    std::fs::set_permissions(&cargo, std::fs::Permissions::from_mode(0o755)).expect("our own file");
}
