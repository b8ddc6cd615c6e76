//! The container so far: a command in a root, in namespaces, and in a group whose limits it cannot exceed.
#![forbid(unsafe_code)]

mod flags;

use cgroups::{Cgroup, Layout};
use chroot::hello;
use flags::Arguments;
use namespaces::{Child, Failure, FailureKind, spawn};
use std::process::ExitCode;

fn main() -> ExitCode {
    if hello::is_face(&std::env::args_os().next().unwrap_or_default()) {
        print!("{}", hello::report());
        return ExitCode::SUCCESS;
    }
    let arguments: Arguments = clap::Parser::parse();
    match limited(&arguments) {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("cgroups: {failure}");
            ExitCode::from(if failure.kind == FailureKind::NotFound { 127 } else { 1 })
        }
    }
}

/// The process is born into its group of v2; into those of v1 it is moved before it does anything.
fn limited(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let invalid = |error: String| Failure::new(FailureKind::Invalid, error);
    let limits = arguments.limits().map_err(invalid)?;
    let layout = Layout::detect();
    for warning in cgroups::warnings(&layout, &limits) {
        eprintln!("cgroups: warning: {warning}");
    }
    let parent = layout.delegated().unwrap_or_else(|| "/coracle".into());
    let group = format!("{parent}/{}", std::process::id());
    let cgroup = Cgroup::create(&layout, &group, &limits).map_err(failed)?;
    let (plan, caller) = (arguments.namespaces(), hello::own_namespaces());
    let enter = |pid: nix::unistd::Pid| cgroup.add(pid.as_raw()).map_err(namespaces::Error::other);
    let run = |_: std::os::fd::BorrowedFd<'_>| arguments.run(&layout, &group, &caller);
    let spawned = spawn(&plan, cgroup.unified_fd(), enter, run).map_err(Failure::from);
    let ended = spawned.and_then(Child::executed).map(|(pid, _)| namespaces::exit_code_of(pid));
    if cgroup.oom_kills() > 0 {
        eprintln!("cgroups: a process was killed because memory ran out");
    }
    cgroup.remove().map_err(failed)?;
    if layout.delegated().is_none() {
        Cgroup::open(&layout, &parent).and_then(|parent| parent.remove_if_empty()).map_err(failed)?;
    }
    ended
}

fn failed(error: cgroups::Error) -> Failure {
    Failure::new(FailureKind::System, error)
}
