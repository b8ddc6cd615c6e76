//! The container so far, with a network: a bridge of its own as root, the loopback link alone as an ordinary user.
#![forbid(unsafe_code)]

mod alone;

use chroot::hello;
use std::path::PathBuf;
use std::process::ExitCode;

/// Chapter 10: runs a command in a container with a network: as root, with `eth0` on a bridge, through which it reaches this host
/// and, masqueraded, the world; as an ordinary user, with the loopback link alone.
#[derive(clap::Parser)]
#[command(name = "network")]
struct Arguments {
    /// The root file system; the built-in one if it is left out
    #[arg(long, value_name = "DIR")]
    rootfs: Option<PathBuf>,
    /// Only print what would be done, as the commands of `ip` and `nft`
    #[arg(long)]
    plan: bool,
    /// The command and its arguments
    #[arg(trailing_var_arg = true, default_value = "/hello")]
    command: Vec<String>,
}

fn main() -> ExitCode {
    if hello::is_face(&std::env::args_os().next().unwrap_or_default()) {
        print!("{}", hello::report());
        return ExitCode::SUCCESS;
    }
    let arguments: Arguments = clap::Parser::parse();
    if arguments.plan {
        print!("{}", alone::plan());
        return ExitCode::SUCCESS;
    }
    alone::run(arguments.rootfs, arguments.command).unwrap_or_else(|error| {
        eprintln!("network: {error}");
        alone::exit_code(error.as_ref())
    })
}
