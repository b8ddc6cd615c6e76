//! The container so far: detached, with a log.
#![forbid(unsafe_code)]

mod detached;

use chroot::hello;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Chapter 12: runs a command in a container that outlives us; one small process keeps its output and its exit status.
#[derive(clap::Parser)]
#[command(name = "supervisor")]
enum Verb {
    /// Start a command, print where its supervisor can be reached, and leave
    Run {
        /// The root file system; the built-in one if it is left out
        #[arg(long, value_name = "DIR")]
        rootfs: Option<PathBuf>,
        /// The command and its arguments
        #[arg(trailing_var_arg = true, default_value = "/hello")]
        command: Vec<String>,
    },
    /// Print what a container has written so far
    Logs { run_dir: PathBuf },
    /// Send a container a signal
    Kill {
        run_dir: PathBuf,
        #[arg(default_value = "TERM")]
        signal: String,
    },
    /// Wait until a container has ended, forget it, and return its exit code
    Wait { run_dir: PathBuf },
}

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    if hello::is_face(arguments.first().map_or("".as_ref(), |name| name)) {
        print!("{}", hello::report());
        return ExitCode::SUCCESS;
    }
    if let [_, verb, run_dir] = arguments.as_slice()
        && verb == "supervise"
    {
        return supervisor::supervise(Path::new(run_dir));
    }
    let done = match clap::Parser::parse() {
        Verb::Run { rootfs, command } => detached::run(rootfs, command),
        Verb::Logs { run_dir } => detached::logs(&run_dir),
        Verb::Kill { run_dir, signal } => detached::kill(&run_dir, &signal),
        Verb::Wait { run_dir } => detached::wait(&run_dir),
    };
    done.unwrap_or_else(|error| {
        eprintln!("supervisor: {error}");
        ExitCode::FAILURE
    })
}
