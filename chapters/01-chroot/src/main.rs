//! The container so far: a command in a root of its own.
#![forbid(unsafe_code)]

use chroot::{RootSpec, apply, hello, plan};
use std::error::Error;
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

/// Chapter 01: a root of its own. Runs a command in a folder as if there were nothing else: a plan of mounts, and pivot_root.
///
/// The user and mount namespaces are borrowed from chapter 02 by one unshare; everything else is still the host's.
#[derive(clap::Parser)]
#[command(
    name = "chroot",
    override_usage = "chroot [ROOTFS] [COMMAND [ARGUMENT]...]\n       chroot --make-rootfs DIR"
)]
struct Arguments {
    /// Make a root file system in this folder, and do nothing else
    #[arg(long, value_name = "DIR")]
    make_rootfs: Option<PathBuf>,
    /// A folder with a root file system (the built-in one if it is left out), then the command (/hello)
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ROOTFS, COMMAND, ARGUMENT")]
    words: Vec<OsString>,
}

fn main() -> ExitCode {
    if hello::is_face(&std::env::args_os().next().unwrap_or_default()) {
        print!("{}", hello::report());
        return ExitCode::SUCCESS;
    }
    let Err(error) = run(&clap::Parser::parse()) else {
        return ExitCode::SUCCESS;
    };
    eprintln!("chroot: {error}");
    ExitCode::FAILURE
}

fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    if let Some(directory) = &arguments.make_rootfs {
        return Ok(chroot::built_in_rootfs(directory)?);
    }
    let (rootfs, command) = chroot::root_and_command(&arguments.words);
    let caller = hello::own_namespaces();
    chroot::borrow_namespaces()?;
    let rootfs = rootfs.map_or_else(chroot::built_in_root, Ok)?;
    apply(&plan(&RootSpec::folder(rootfs)))?;
    let error = Command::new(&command[0]).args(&command[1..]).env(hello::CALLER, caller).exec();
    Err(format!("{}: {error}", command[0].display()).into())
}
