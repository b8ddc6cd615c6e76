//! The container so far: a command in a root and in namespaces of its own.
#![forbid(unsafe_code)]

use chroot::{RootSpec, hello};
use namespaces::{Child, Failure, Namespaces, SpawnPlan, failed_command, spawn};
use std::convert::Infallible;
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

/// Chapter 02: namespaces. Runs a command in a root, and in namespaces of its own of all eight kinds, made by one clone3.
///
/// /proc is fresh, so that it shows only the processes inside; the loopback device is up; whoever calls is root inside.
#[derive(clap::Parser)]
#[command(name = "namespaces", override_usage = "namespaces [ROOTFS] [COMMAND [ARGUMENT]...]")]
struct Arguments {
    /// A folder with a root file system (the built-in one if it is left out), then the command (/hello)
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ROOTFS, COMMAND, ARGUMENT")]
    words: Vec<OsString>,
}

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
    let spawned = spawn(&plan, None, |_| Ok(()), |_| inside(&arguments.words, &caller));
    match spawned.map_err(Failure::from).and_then(Child::executed) {
        Ok((pid, _)) => namespaces::exit_code_of(pid),
        Err(failure) => {
            eprintln!("namespaces: {failure}");
            namespaces::exit_code_of_failure(&failure)
        }
    }
}

/// In the child: a root with a fresh /proc, and the command.
fn inside(words: &[OsString], caller: &str) -> Result<Infallible, Failure> {
    let (rootfs, command) = chroot::root_and_command(words);
    let root = RootSpec {
        mounts: vec![namespaces::fresh_proc()],
        ..RootSpec::folder(rootfs.map_or_else(chroot::built_in_root, Ok)?)
    };
    chroot::apply(&chroot::plan(&root))?;
    let mut program = Command::new(&command[0]);
    let error = program.args(&command[1..]).env(hello::CALLER, caller).exec();
    Err(failed_command(&command[0], &error))
}
