//! What a contributor runs: `cargo xtask setup | test | long | bench | book | dist | tidy | rootfs | vm`.
#![forbid(unsafe_code)]

mod bench;
mod book;
mod dist;
mod long;
mod rootfs;
mod setup;
mod steps;
mod test;
mod tidy;
mod users;
mod vm;

use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// The errors of a contributor's command are for reading, not for matching.
pub type Result<T, E = String> = std::result::Result<T, E>;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Everything a contributor runs")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Install what the tests need, saying what and why
    Setup,
    /// The short tier: style, invariants, unit tests, and the engine driven from outside
    Test(test::Arguments),
    /// The long tier: seeded kills, races and evil archives in large numbers
    Long(long::Arguments),
    /// Measure against peers and against the kernel's floor, in one run; needs root
    Bench(bench::Arguments),
    /// The book: build it, serve it on loopback, check it, test it
    #[command(disable_help_flag = true)]
    Book {
        /// What the book's builder is told: build, serve, check or check --long-tail; or test
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Release archives of the engine and its runtime, for x86_64 and aarch64
    Dist(dist::Arguments),
    /// Check the invariants of ARCHITECTURE.md that can be read off the sources
    Tidy,
    /// Make a root file system offline, so that every chapter's binary can be tried at once
    Rootfs {
        /// The folder to make; it must be absent or empty
        directory: PathBuf,
    },
    /// A virtual machine with nothing but cgroup v2: run the tests that matter there, or a shell
    #[command(subcommand)]
    Vm(vm::Command),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Setup => setup::run(),
        Command::Test(arguments) => test::run(&arguments),
        Command::Long(arguments) => long::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Book { arguments } => book::run(&arguments),
        Command::Dist(arguments) => dist::run(&arguments),
        Command::Tidy => tidy::run(),
        Command::Rootfs { directory } => rootfs::run(&directory),
        Command::Vm(command) => vm::run(&command),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}

/// The workspace's root: the folder above xtask's own.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace").to_path_buf()
}
