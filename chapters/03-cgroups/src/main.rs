//! The container so far: a command in a root, in namespaces, and in a group whose limits it cannot exceed.
#![forbid(unsafe_code)]

mod flags;

use cgroups::{Cgroup, Layout};
use chroot::{RootSpec, hello};
use flags::Arguments;
use namespaces::{Child, Failure, FailureKind, failed_command, spawn};
use std::convert::Infallible;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    if hello::is_face(&std::env::args_os().next().unwrap_or_default()) {
        print!("{}", hello::report());
        return ExitCode::SUCCESS;
    }
    let arguments: Arguments = clap::Parser::parse();
    limited(&arguments).unwrap_or_else(|failure| {
        eprintln!("cgroups: {failure}");
        namespaces::exit_code_of_failure(&failure)
    })
}

/// The process is born into its group of v2; into those of v1 it is moved before it does anything.
fn limited(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let failed = |error: cgroups::Error| Failure::new(FailureKind::System, error);
    let (limits, layout) = (arguments.limits()?, Layout::detect().map_err(failed)?);
    cgroups::warnings(&layout, &limits).iter().for_each(|warning| eprintln!("cgroups: warning: {warning}"));
    let parent = layout.delegated().unwrap_or_else(|| "/coracle".into());
    let group = format!("{parent}/{}", std::process::id());
    let cgroup = Cgroup::create(&layout, &group, &limits).map_err(failed)?;
    let caller = hello::own_namespaces();
    let enter = |pid: nix::unistd::Pid| cgroup.add(pid.as_raw()).map_err(namespaces::Error::other);
    let child = |_: std::os::fd::BorrowedFd<'_>| inside(arguments, &layout, &group, &caller);
    let spawned = spawn(&arguments.namespaces(), cgroup.unified_fd(), enter, child).map_err(Failure::from);
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

/// In the child: a root in which /sys/fs/cgroup shows its own group and can only be read, and the command.
fn inside(words: &Arguments, layout: &Layout, group: &str, caller: &str) -> Result<Infallible, Failure> {
    let (rootfs, command) = chroot::root_and_command(&words.words);
    let root = RootSpec {
        mounts: words.mounts(layout, group),
        ..RootSpec::folder(rootfs.map_or_else(chroot::built_in_root, Ok)?)
    };
    chroot::apply(&chroot::plan(&root))?;
    let mut program = Command::new(&command[0]);
    let error = program.args(&command[1..]).env(hello::CALLER, caller).exec();
    Err(failed_command(&command[0], &error))
}
