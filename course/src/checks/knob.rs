//! A caller in a user namespace of its own, in which nobody may make another: the host's setting is left alone.

use crate::Result;
use crate::checks::{Fault, Stage};
use nix::sched::{CloneFlags, setns, unshare};
use nix::unistd::{getegid, geteuid};
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// Why there is nobody with root's privileges, if so: an ordinary user has them in a user namespace.
pub fn no_root(stage: &Stage) -> Option<String> {
    if stage.is_root() {
        return None;
    }
    let own = std::env::current_exe().ok()?;
    let mut command = Command::new(&own);
    command.arg("within").arg(&own).args(["--", "list"]).stdout(Stdio::null()).stderr(Stdio::null());
    let why = "you cannot make a user namespace here: cargo course doctor";
    (!command.status().is_ok_and(|status| status.success())).then(|| why.into())
}

/// Becomes root of a user namespace with one id, and then another program; if it is closed, no further user or UTS namespace
/// may be made in it.
pub fn within(program: &Path, words: &[String], is_closed: bool) -> Result<()> {
    let (uid, gid) = (geteuid(), getegid());
    unshare(CloneFlags::CLONE_NEWUSER).map_err(|error| format!("unshare(CLONE_NEWUSER): {error}"))?;
    for (file, text) in
        [("setgroups", "deny".into()), ("uid_map", format!("0 {uid} 1")), ("gid_map", format!("0 {gid} 1"))]
    {
        fs::write(format!("/proc/self/{file}"), text).map_err(|error| format!("{file}: {error}"))?;
    }
    for kind in ["user", "uts"].into_iter().filter(|_| is_closed) {
        let path = format!("/proc/sys/user/max_{kind}_namespaces");
        fs::write(&path, "0").map_err(|error| format!("{path}: {error}"))?;
    }
    Err(Command::new(program).args(words).exec().to_string())
}

/// Closes the knob in the user namespace of a process: by another process, which does not come back from there.
pub fn close(pid: i32) -> Result<(), Fault> {
    let output = Command::new(std::env::current_exe()?).args(["close-knob", &pid.to_string()]).output()?;
    let error = String::from_utf8_lossy(&output.stderr).trim().to_string();
    let fault = || Fault::new("the checks can close a setting of their own", error, "not-our-fault");
    output.status.success().then_some(()).ok_or_else(fault)
}

/// In that process.
pub fn close_here(pid: i32) -> Result<()> {
    let path = format!("/proc/{pid}/ns/user");
    let namespace = File::open(&path).map_err(|error| format!("{path}: {error}"))?;
    setns(namespace, CloneFlags::CLONE_NEWUSER).map_err(|error| format!("setns({path}): {error}"))?;
    fs::write("/proc/sys/user/max_user_namespaces", "0").map_err(|error| error.to_string())
}
