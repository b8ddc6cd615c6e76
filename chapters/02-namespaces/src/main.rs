//! The container so far: a command in a root and in namespaces of its own.
#![forbid(unsafe_code)]

use chroot::{RootSpec, hello};
use namespaces::{Child, Failure, FailureKind, SpawnPlan, spawn};
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

/// Chapter 02: runs a command in a root, and in user, mount, PID, network, host name, IPC and cgroup namespaces of its own.
///
/// /proc is fresh, so that it shows only the processes inside; the loopback device is up.
#[derive(clap::Parser)]
#[command(name = "namespaces")]
struct Arguments {
    /// The root file system; the built-in one if it is left out
    #[arg(long, value_name = "DIR")]
    rootfs: Option<PathBuf>,
    /// The command and its arguments
    #[arg(trailing_var_arg = true, default_value = "/hello")]
    command: Vec<OsString>,
}

fn main() -> ExitCode {
    if hello::is_face(&std::env::args_os().next().unwrap_or_default()) {
        print!("{}", hello::report());
        return ExitCode::SUCCESS;
    }
    let arguments = clap::Parser::parse();
    let plan = SpawnPlan {
        hostname: Some("coracle".into()),
        ..namespaces::everything_new(Vec::new())
    };
    let caller = hello::own_namespaces();
    let spawned = spawn(&plan, None, |_| Ok(()), || inside(&arguments, &caller)).map_err(Failure::from);
    match spawned.and_then(Child::executed) {
        Ok((pid, _)) => namespaces::exit_code_of(pid),
        Err(failure) => {
            eprintln!("namespaces: {failure}");
            ExitCode::from(if failure.kind == FailureKind::NotFound {
                127
            } else {
                1
            })
        }
    }
}

fn inside(arguments: &Arguments, caller: &str) -> Result<std::convert::Infallible, Failure> {
    let rootfs = arguments.rootfs.clone().map_or_else(chroot::built_in_root, Ok)?;
    let root = RootSpec {
        mounts: vec![namespaces::fresh_proc()],
        ..RootSpec::folder(rootfs)
    };
    chroot::apply(&chroot::plan(&root))?;
    let error = Command::new(&arguments.command[0])
        .args(&arguments.command[1..])
        .env(hello::CALLER, caller)
        .exec();
    Err(Failure::new(
        FailureKind::NotFound,
        format_args!("{}: {error}", arguments.command[0].display()),
    ))
}
