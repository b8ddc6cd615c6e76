//! The command line that podman, containerd and Docker drive an OCI runtime with: runc's verbs and flags.
//!
//! What a container is lies in one folder below `--root`, named after its id (see `store`); each command reads it, does one
//! thing, and ends. A flag that is not supported is refused, never ignored.

mod criu;
mod descriptors;
mod ending;
mod events;
mod exchange;
mod features;
mod foreground;
mod freezing;
mod further;
mod later;
mod later_hooks;
mod list;
mod log;
mod making;
mod no_processes;
mod printing;
mod processes;
mod ps;
mod scope;
mod starting;
mod store;
mod unknown_capabilities;
mod update;

use clap::{Args, Parser, Subcommand};
use later::Later;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

/// Chapter 05: runs containers from bundles, as the OCI runtime specification has it: a rootfs and a config.json.
#[derive(Parser)]
#[command(name = "coracle-oci", version = VERSION, disable_version_flag = true)]
struct Arguments {
    #[command(flatten)]
    general: General,
    #[command(subcommand)]
    verb: Verb,
}

/// A line each, as callers read them off runc.
const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\nspec: 1.3.0");

#[derive(Args)]
struct General {
    /// Print the version
    #[arg(short, long, action = clap::ArgAction::Version)]
    version: (),
    /// Where containers' states are kept [default: /run/coracle-oci, or $XDG_RUNTIME_DIR/coracle-oci]
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Append errors to this file, too
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// How errors are written there
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = ["text", "json"])]
    log_format: String,
    /// Say in the log what was done, and how long it took
    #[arg(long)]
    debug: bool,
    /// The program that checkpoints and restores
    #[arg(long, value_name = "PROGRAM", default_value = "criu")]
    criu: String,
    /// Whether containers go without a cgroup where their config.json names none; auto: an ordinary user's do
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    rootless: store::Rootless,
    /// Let systemd make the cgroup of a new container, whose linux.cgroupsPath is slice:prefix:name
    #[arg(long)]
    systemd_cgroup: bool,
}

#[derive(Subcommand)]
enum Verb {
    /// Make a container that waits to be started
    Create(Later<starting::Create>),
    /// Let a container that was created execute its command
    Start { id: String },
    /// Make a container, start it, and wait for it
    Run(Later<starting::Run>),
    /// Run one more process in a container
    Exec(Later<Box<processes::Exec>>),
    /// Send a signal to a container's first process
    Kill(Later<ending::Kill>),
    /// Remove a container that has stopped
    Delete(Later<ending::Delete>),
    /// Print a container's state as JSON
    State { id: String },
    /// Write a config.json to begin with
    Spec(Later<printing::Spec>),
    #[command(flatten)]
    Further(further::Further),
}

/// The command `coracle-oci`, from its arguments: `run x`. It may execute itself again (see `protect`), with what came `before`
/// these arguments: nothing, or the word by which a larger program calls it (`["oci"]`).
pub fn main(before: &[&str], arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let words: Vec<OsString> = before.iter().map(OsString::from).chain(arguments).collect();
    if let Err(error) = protect(&words) {
        eprintln!("coracle-oci: error: {error}");
        return ExitCode::FAILURE;
    }
    let words = std::iter::once("coracle-oci".into()).chain(words.into_iter().skip(before.len()));
    match Arguments::try_parse_from(words) {
        Ok(arguments) => run(&arguments),
        Err(error) => {
            let _ = error.print();
            ExitCode::from(if error.use_stderr() { 1 } else { 0 })
        }
    }
}

/// What makes a process never does so from our own file.
fn protect(words: &[OsString]) -> crate::Result<()> {
    // Decided before anything costs time; one of these words as an id or a folder's name does no harm.
    let makes = |word: &OsString| word == "create" || word == "run" || word == "exec";
    match words.iter().any(makes) {
        true => crate::protect::execute_protected("coracle-oci", words),
        false => Ok(()),
    }
}

/// Does what is asked; whoever called learns from the exit code whether it was done, and from the log what was not.
fn run(arguments: &Arguments) -> ExitCode {
    let begin = std::time::Instant::now();
    let done = dispatch(arguments);
    if arguments.general.debug {
        let what = std::env::args().collect::<Vec<_>>().join(" ");
        log::write(&arguments.general, "debug", &format!("{what}: {:?}", begin.elapsed()));
    }
    match done {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            log::report(&arguments.general, &error);
            // runc's code for a process that could not be added, which callers tell from the process's own.
            let is_addition = matches!(arguments.verb, Verb::Exec(_));
            ExitCode::from(if is_addition { 255 } else { 1 })
        }
    }
}

fn dispatch(arguments: &Arguments) -> crate::Result<u8> {
    let mut store = store::Store::new(arguments.general.root.clone(), arguments.general.rootless);
    if arguments.general.systemd_cgroup {
        scope::check()?;
        store.asks_systemd = true;
    }
    match &arguments.verb {
        Verb::Create(command) => command.run(&store),
        Verb::Start { id } => starting::start(&store, id),
        Verb::Run(command) => command.run(&store),
        Verb::Exec(command) => command.run(&store),
        Verb::Kill(command) => command.run(&store),
        Verb::Delete(command) => command.run(&store),
        Verb::State { id } => printing::state(&store, id),
        Verb::Spec(command) => command.run(),
        Verb::Further(verb) => verb.run(&store, &arguments.general.criu),
    }
}
