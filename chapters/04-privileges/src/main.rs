//! The container so far: a command in a root, in namespaces, and with few privileges.
#![forbid(unsafe_code)]

mod flags;

use chroot::{RootSpec, hello};
use flags::Arguments;
use namespaces::{Child, Failure, FailureKind, failed_command, spawn};
use privileges::{Plan, default_profile, seccomp};
use std::convert::Infallible;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    if hello::is_face(&std::env::args_os().next().unwrap_or_default()) {
        print!("{}", hello::report());
        return ExitCode::SUCCESS;
    }
    let arguments: Arguments = clap::Parser::parse();
    let caller = hello::own_namespaces();
    let spawned = spawn(&arguments.namespaces(), None, |_| Ok(()), |_| inside(&arguments, &caller));
    match spawned.map_err(Failure::from).and_then(Child::executed) {
        Ok((pid, _)) => namespaces::exit_code_of(pid),
        Err(failure) => {
            eprintln!("privileges: {failure}");
            namespaces::exit_code_of_failure(&failure)
        }
    }
}

/// In the child: a root with a fresh /proc, few privileges, and the command.
fn inside(arguments: &Arguments, caller: &str) -> Result<Infallible, Failure> {
    let plan = plan(arguments)?;
    let (rootfs, command) = chroot::root_and_command(&arguments.words);
    let root = RootSpec {
        mounts: vec![namespaces::fresh_proc()],
        ..RootSpec::folder(rootfs.map_or_else(chroot::built_in_root, Ok)?)
    };
    chroot::apply(&chroot::plan(&root))?;
    privileges::apply(&plan).map_err(|error| Failure::new(FailureKind::PermissionDenied, error))?;
    let mut program = Command::new(&command[0]);
    let error = program.args(&command[1..]).env(hello::CALLER, caller).exec();
    Err(failed_command(&command[0], &error))
}

/// What the command shall be allowed.
fn plan(arguments: &Arguments) -> Result<Plan, Failure> {
    let sets = arguments.sets()?;
    Ok(Plan {
        capabilities: Some(sets),
        no_new_privs: true,
        seccomp: (!arguments.no_filter).then(|| seccomp::compile(&default_profile(sets.bounding))),
        rlimits: arguments.ulimit.clone(),
        uid: arguments.user,
        gid: arguments.user,
        additional_gids: flags::groups()?,
        keyring: Some("coracle".into()),
        ..Plan::default()
    })
}
