//! Long tail: what a container has when nobody says otherwise, for the chapters' binaries.

use crate::{IdMap, Join, Namespaces, SpawnPlan};
use chroot::{Mount, What, parse_options};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{Pid, getegid, geteuid};
use std::process::ExitCode;

/// Every namespace new but the clocks' and those that are joined; an ordinary user is root inside.
pub fn everything_new(join: Vec<Join>) -> SpawnPlan {
    let joined: Namespaces = join.iter().map(|join| join.kind).collect();
    let mut new = Namespaces::all() - Namespaces::TIME - joined;
    let (uid, gid) = (geteuid(), getegid());
    if uid.is_root() {
        new -= Namespaces::USER;
    }
    let (uid_map, gid_map) = (
        vec![IdMap::root_is(uid.as_raw())],
        vec![IdMap::root_is(gid.as_raw())],
    );
    SpawnPlan {
        new,
        join,
        uid_map,
        gid_map,
        ..SpawnPlan::default()
    }
}

/// A /proc of the new PID namespace.
pub fn fresh_proc() -> Mount {
    let options = ["nosuid", "noexec", "nodev"].map(String::from);
    let what = What::Filesystem {
        fstype: "proc".into(),
        source: "proc".into(),
    };
    Mount {
        destination: "/proc".into(),
        what,
        options: parse_options(&options),
    }
}

/// Waits for a process, and returns its exit code as a shell does: 128 + n for signal n.
pub fn exit_code_of(pid: Pid) -> ExitCode {
    match waitpid(pid, None) {
        Ok(WaitStatus::Exited(_, code)) => ExitCode::from(code as u8),
        Ok(WaitStatus::Signaled(_, signal, _)) => ExitCode::from(128 + signal as u8),
        _ => ExitCode::FAILURE,
    }
}
