//! Stage: what a container has when nobody says otherwise, for the chapters' binaries.

use crate::{Failure, FailureKind, IdMap, Join, Namespaces, SpawnPlan};
use chroot::{Attributes, Mount, MountOptions, What};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{Pid, getegid, geteuid};
use std::ffi::OsStr;
use std::process::ExitCode;

/// Every namespace new but the clocks' and those that are joined; an ordinary user is root inside, and root needs no user
/// namespace: where it has one, all users are the same inside.
pub fn everything_new(join: Vec<Join>) -> SpawnPlan {
    let joined: Namespaces = join.iter().map(|join| join.kind).collect();
    let mut new = Namespaces::all() - Namespaces::TIME - joined;
    let (uid, gid) = (geteuid(), getegid());
    if uid.is_root() {
        new -= Namespaces::USER;
    }
    let map = |id: u32| {
        if uid.is_root() { IdMap::ALL } else { IdMap::root_is(id) }
    };
    let (uid_map, gid_map) = (vec![map(uid.as_raw())], vec![map(gid.as_raw())]);
    SpawnPlan { new, join, uid_map, gid_map, ..SpawnPlan::default() }
}

/// A /proc of the new PID namespace.
pub fn fresh_proc() -> Mount {
    fresh("proc", "/proc", 0)
}

/// A /sys of the new network namespace.
pub fn fresh_sys() -> Mount {
    fresh("sysfs", "/sys", Attributes::RDONLY)
}

fn fresh(fstype: &str, destination: &str, more: u64) -> Mount {
    let set = Attributes::NOSUID | Attributes::NOEXEC | Attributes::NODEV | more;
    Mount {
        destination: destination.into(),
        what: What::Filesystem { fstype: fstype.into(), source: fstype.into() },
        options: MountOptions { attributes: Attributes { set, clear: 0 }, ..MountOptions::default() },
    }
}

/// Why a command could not be executed, as a shell says it.
pub fn failed_command(command: &OsStr, error: &std::io::Error) -> Failure {
    let kind = match error.kind() {
        std::io::ErrorKind::NotFound => FailureKind::NotFound,
        _ => FailureKind::NotExecutable,
    };
    let why = kernel::AsErrno::as_errno(error).desc();
    Failure::new(kind, format_args!("{}: {why}", command.display()))
}

/// The exit code of a command that did not come to run: 127 if there is none, 126 if it is no program, else 1.
pub fn exit_code_of_failure(failure: &Failure) -> ExitCode {
    ExitCode::from(match failure.kind {
        FailureKind::NotFound => 127,
        FailureKind::NotExecutable => 126,
        FailureKind::PermissionDenied | FailureKind::Invalid | FailureKind::System => 1,
    })
}

/// Waits for a process, and returns its exit code as a shell does: 128 + n for signal n.
pub fn exit_code_of(pid: Pid) -> ExitCode {
    match waitpid(pid, None) {
        Ok(WaitStatus::Exited(_, code)) => ExitCode::from(code as u8),
        Ok(WaitStatus::Signaled(_, signal, _)) => ExitCode::from(128 + signal as u8),
        _ => ExitCode::FAILURE,
    }
}
