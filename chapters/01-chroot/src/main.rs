//! The container so far: a command in a root of its own.
#![forbid(unsafe_code)]

use chroot::{RootSpec, apply, hello, plan};
use std::error::Error;
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

/// Chapter 01: runs a command in a root of its own: a plan of mounts, and pivot_root.
///
/// The user and mount namespaces are borrowed from chapter 02 by one unshare; everything else is still the host's.
#[derive(clap::Parser)]
#[command(name = "chroot")]
struct Arguments {
    /// Make a root file system in this folder, and do nothing else
    #[arg(long, value_name = "DIR")]
    make_rootfs: Option<PathBuf>,
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
    chroot::borrow_namespaces()?;
    let rootfs = match &arguments.rootfs {
        Some(rootfs) => std::path::absolute(rootfs)?,
        None => chroot::built_in_root()?,
    };
    apply(&plan(&RootSpec::folder(rootfs)))?;
    let mut command = Command::new(&arguments.command[0]);
    Err(command
        .args(&arguments.command[1..])
        .env(hello::CALLER, "")
        .exec()
        .into())
}
