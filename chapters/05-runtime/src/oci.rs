//! The command line that podman, containerd and Docker drive an OCI runtime with: runc's verbs and flags.
//!
//! What a container is lies in one folder below `--root`, named after its id (see `store`); each command reads it, does one
//! thing, and ends. A flag that is not supported is refused, never ignored.

mod ending;
mod foreground;
mod listing;
mod processes;
mod starting;
mod store;

use clap::{Args, Parser, Subcommand};
use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// Chapter 05: runs containers from bundles, as the OCI runtime specification has it: a rootfs and a config.json.
#[derive(Parser)]
#[command(name = "coracle-oci", version)]
struct Arguments {
    #[command(flatten)]
    general: General,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Args)]
struct General {
    /// Where containers' states are kept [default: /run/coracle-oci, or $XDG_RUNTIME_DIR/coracle-oci]
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Append errors to this file, too
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// How errors are written there
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = ["text", "json"])]
    log_format: String,
    /// Accepted: whatever can be said is said anyway
    #[arg(long)]
    debug: bool,
    /// Not supported: cgroups are made without systemd
    #[arg(long)]
    systemd_cgroup: bool,
}

#[derive(Subcommand)]
enum Verb {
    /// Make a container that waits to be started
    Create(starting::Create),
    /// Let a container that was created execute its command
    Start { id: String },
    /// Make a container, start it, and wait for it
    Run(starting::Run),
    /// Run one more process in a container
    Exec(processes::Exec),
    /// Send a signal to a container's first process
    Kill(ending::Kill),
    /// Remove a container that has stopped
    Delete(ending::Delete),
    /// Print a container's state as JSON
    State { id: String },
    /// List containers
    List(listing::List),
    /// Write a config.json to begin with
    Spec(listing::Spec),
    /// Print what this runtime supports as JSON
    Features,
}

/// The command `coracle-oci`, from its arguments: `run x`. It may execute itself again (see `protect`), with what came `before`
/// these arguments: nothing, or the word by which a larger program calls it (`["oci"]`).
pub fn main(before: &[&str], arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let words: Vec<OsString> = before.iter().map(OsString::from).chain(arguments).collect();
    // Decided before anything costs time; one of these words as an id or a folder's name does no harm.
    let makes = |word: &OsString| word == "create" || word == "run" || word == "exec";
    if words.iter().any(makes)
        && let Err(error) = crate::protect::execute_protected("coracle-oci", &words)
    {
        eprintln!("coracle-oci: {error}");
        return ExitCode::FAILURE;
    }
    let words = std::iter::once("coracle-oci".into()).chain(words.into_iter().skip(before.len()));
    let arguments = match Arguments::try_parse_from(words) {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 1 } else { 0 });
        }
    };
    match dispatch(&arguments) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            report(&arguments.general, &error);
            // runc's code for a process that could not be added, which callers tell from the process's own.
            let is_addition = matches!(arguments.verb, Verb::Exec(_));
            ExitCode::from(if is_addition { 255 } else { 1 })
        }
    }
}

fn dispatch(arguments: &Arguments) -> crate::Result<u8> {
    if arguments.general.systemd_cgroup {
        return Err(crate::Error::not_supported("--systemd-cgroup"));
    }
    let store = store::Store::new(arguments.general.root.clone());
    match &arguments.verb {
        Verb::Create(command) => command.run(&store),
        Verb::Start { id } => starting::start(&store, id),
        Verb::Run(command) => command.run(&store),
        Verb::Exec(command) => command.run(&store),
        Verb::Kill(command) => command.run(&store),
        Verb::Delete(command) => command.run(&store),
        Verb::State { id } => listing::state(&store, id),
        Verb::List(command) => command.run(&store),
        Verb::Spec(command) => command.run(),
        Verb::Features => listing::features(),
    }
}

/// On standard error for whoever reads it, and in the log for whoever called: containerd takes its message from there.
fn report(general: &General, error: &crate::Error) {
    let message = error.to_string();
    eprintln!("coracle-oci: {message}");
    let Some(path) = &general.log else { return };
    let time = crate::clock::now();
    let line = match general.log_format.as_str() {
        "json" => serde_json::json!({"level": "error", "msg": message, "time": time}).to_string(),
        _ => format!("time=\"{time}\" level=error msg={message:?}"),
    };
    let file = std::fs::OpenOptions::new().append(true).create(true).open(path);
    if let Err(error) = file.and_then(|mut file| writeln!(file, "{line}")) {
        eprintln!("coracle-oci: {}: {error}", path.display());
    }
}
