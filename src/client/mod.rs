//! The command line: docker's verbs and flags, over the daemon's API.
//!
//! `verbs.rs` is the table to start from: a verb is a struct of flags with a `run`. Below them `daemon_calls.rs` turns a call
//! into a request and `http.rs` sends it. Nothing here is asynchronous, and there is one thread.

mod archives;
mod attaching;
mod book;
mod creation;
mod daemon_calls;
mod exec;
mod failure;
mod filters;
mod flags;
mod frames;
mod help;
mod host;
mod http;
mod inspection;
mod lifecycle;
mod listing_containers;
mod listing_images;
mod logs;
mod moments;
mod names_of_images;
mod on_demand;
mod ports;
mod progress;
mod pull;
mod reference;
mod run;
mod session;
mod signals;
mod system;
mod table;
mod template;
mod terminal;
mod units;
mod verbs;
mod version;
mod watching;

/// The help of a verb, as wide as a page.
#[cfg(test)]
pub fn help_of(verb: &str) -> Option<String> {
    verbs::find(&[verb.to_owned()]).map(|(entry, ..)| (entry.verb.help)(200))
}

use clap::{Args, FromArgMatches};
use daemon_calls::Daemon;
use failure::Result;
use host::Host;
use std::ffi::OsString;
use std::process::ExitCode;

/// Flags that stand before the verb.
#[derive(Args)]
struct Globals {
    /// Daemon socket to connect to
    #[arg(short = 'H', long, value_name = "socket")]
    host: Option<String>,
    /// Enable debug mode
    #[arg(short = 'D', long)]
    debug: bool,
    /// Print version information and quit
    #[arg(short, long)]
    version: bool,
    /// Print usage
    #[arg(short = 'h', long)]
    help: bool,
    #[arg(trailing_var_arg = true, hide = true)]
    words: Vec<String>,
}

/// Runs one client verb; `arguments` is the whole command line with the program's name.
pub fn main(arguments: &[OsString]) -> ExitCode {
    let error = match run(arguments) {
        Ok(()) => return ExitCode::SUCCESS,
        Err(error) => error,
    };
    if !error.to_string().is_empty() {
        eprintln!("{error}");
    }
    ExitCode::from(error.exit_code())
}

fn run(arguments: &[OsString]) -> Result<()> {
    let command =
        flags::docker_habits(Globals::augment_args(clap::Command::new("coracle").disable_help_flag(true)));
    let parsed = command.clone().try_get_matches_from(arguments);
    let parsed = parsed.and_then(|mut found| Globals::from_arg_matches_mut(&mut found));
    let last = arguments.last().cloned().unwrap_or_default();
    let globals = parsed.map_err(|error| {
        let what = flags::words_of(&error, &command, &last.to_string_lossy());
        flags::usage_error("", "[OPTIONS] COMMAND [ARG...]", &what)
    })?;
    if globals.version {
        println!("Coracle version {}", env!("CARGO_PKG_VERSION"));
        return Ok(());
    }
    let Some((entry, path, count)) = verbs::find(&globals.words) else {
        return help::without_verb(&globals.words, globals.help);
    };
    if globals.help {
        print!("{}", (entry.verb.help)(help::width()));
        return Ok(());
    }
    let connect = || Daemon::new(Host::choose(globals.host.as_deref())?, globals.debug);
    (entry.verb.run)(path, &globals.words[count..], &connect)
}
