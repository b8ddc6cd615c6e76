//! The container so far: a command in a root, in namespaces, and with few privileges.
#![forbid(unsafe_code)]

mod flags;

use chroot::{RootSpec, hello};
use flags::Arguments;
use namespaces::{Child, Failure, FailureKind, Namespaces, SpawnPlan, failed_command, spawn};
use privileges::{CapSet, Capabilities, Plan, default_profile, seccomp};
use std::convert::Infallible;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    if hello::is_face(&std::env::args_os().next().unwrap_or_default()) {
        print!("{}", hello::report());
        return ExitCode::SUCCESS;
    }
    let arguments: Arguments = clap::Parser::parse();
    let plan = SpawnPlan {
        new: Namespaces::all(),
        hostname: Some("coracle".into()),
        ..namespaces::everything_new(Vec::new())
    };
    let caller = hello::own_namespaces();
    let spawned = spawn(&plan, None, |_| Ok(()), |_| inside(&arguments, &caller));
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
    let invalid = |error: String| Failure::new(FailureKind::Invalid, error);
    let capabilities = arguments.capabilities().map_err(invalid)?;
    let (rootfs, command) = chroot::root_and_command(&arguments.words);
    let root = RootSpec {
        mounts: vec![namespaces::fresh_proc()],
        ..RootSpec::folder(rootfs.map_or_else(chroot::built_in_root, Ok)?)
    };
    chroot::apply(&chroot::plan(&root))?;
    let refused = |error| Failure::new(FailureKind::PermissionDenied, error);
    privileges::apply(&plan(arguments, capabilities)).map_err(refused)?;
    let mut program = Command::new(&command[0]);
    let error = program.args(&command[1..]).env(hello::CALLER, caller).exec();
    Err(failed_command(&command[0], &error))
}

/// Root has what is left at once; another user may only have it by executing a file that gives it.
fn plan(arguments: &Arguments, bounding: CapSet) -> Plan {
    let own = if arguments.user == 0 { bounding } else { CapSet::default() };
    let sets = Capabilities { bounding, effective: own, permitted: own, ..Capabilities::default() };
    Plan {
        capabilities: Some(sets),
        no_new_privs: true,
        seccomp: (!arguments.no_filter).then(|| seccomp::compile(&default_profile(bounding))),
        rlimits: arguments.ulimit.clone(),
        uid: arguments.user,
        gid: arguments.user,
        keyring: Some("coracle".into()),
        ..Plan::default()
    }
}
