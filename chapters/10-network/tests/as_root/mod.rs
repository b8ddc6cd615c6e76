//! An ordinary user is root, too, in a user namespace of their own, and may there do with networks whatever root may.

use std::process::Command;

/// `unshare` with what an ordinary user needs besides, and a PATH on which the system's programs are.
pub fn unshare() -> Command {
    let mut command = Command::new("unshare");
    if !nix::unistd::geteuid().is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{path}:/usr/sbin:/sbin"));
    command
}

/// Runs a test of this program again as root, if we are not; true: it was, and held.
#[allow(dead_code)] // Each test program that has this module uses what it needs.
pub fn again(test: &str) -> bool {
    if nix::unistd::geteuid().is_root() {
        return false;
    }
    let program = std::env::current_exe().unwrap();
    let output = unshare().arg(program).args(["--exact", test, "--nocapture"]).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
    true
}
