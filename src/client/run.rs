//! `run` and `create`: a new container, and being with it until it ends.

use super::attaching::{attach, start_and_stay, wait_head};
use super::creation::{Flags, Wanted, run_error, usage_failure};
use super::daemon_calls::Daemon;
use super::failure::{Error, Result};
use super::flags::{MANY, Verb};
use super::session::{Options, Target};
use super::terminal::{DetachKeys, check_input};
use std::ops::RangeInclusive;

/// Flags of `create`.
#[derive(clap::Args)]
pub struct Create {
    #[command(flatten)]
    flags: Flags,
}

/// Flags of `run`.
#[derive(clap::Args)]
pub struct Run {
    #[command(flatten)]
    flags: Flags,
    /// Run container in background and print container ID
    #[arg(short, long)]
    detach: bool,
    #[command(flatten)]
    stay: Stay,
}

/// What only matters to who stays with a container.
#[derive(clap::Args)]
struct Stay {
    /// Override the key sequence for detaching a container
    #[arg(long = "detach-keys", value_name = "string", default_value = "", hide_default_value = true)]
    keys: String,
    /// Proxy received signals to the process
    #[arg(long = "sig-proxy", default_value = "true")]
    proxy: bool,
}

impl Verb for Create {
    const USAGE: &'static str = "create [OPTIONS] IMAGE [COMMAND] [ARG...]";
    const ABOUT: &'static str = "Create a new container";
    const ARGUMENTS: RangeInclusive<usize> = 1..=MANY;
    const STOPS_AT_FIRST: bool = true;

    fn run(self, arguments: &[String], daemon: &Daemon) -> Result<()> {
        let wanted = Wanted::new(self.flags, arguments).map_err(|error| usage_failure("create", error))?;
        println!("{}", wanted.create(daemon)?);
        Ok(())
    }
}

impl Verb for Run {
    const USAGE: &'static str = "run [OPTIONS] IMAGE [COMMAND] [ARG...]";
    const ABOUT: &'static str = "Create and run a new container from an image";
    const ARGUMENTS: RangeInclusive<usize> = 1..=MANY;
    const STOPS_AT_FIRST: bool = true;

    fn run(self, arguments: &[String], daemon: &Daemon) -> Result<()> {
        let attaches = !self.flags.process.attach.is_empty();
        let mut wanted = Wanted::new(self.flags, arguments).map_err(|error| usage_failure("run", error))?;
        // Checked before anything is made.
        DetachKeys::parse(&self.stay.keys)?;
        if self.detach {
            if attaches {
                return Err(Error::usage("conflicting options: cannot specify both --attach and --detach"));
            }
            let config = &mut wanted.body.config;
            (config.attach_stdin, config.attach_stdout, config.attach_stderr) = (false, false, false);
            config.stdin_once = false;
        }
        check_input(wanted.body.config.attach_stdin, wanted.body.config.tty)?;
        let id = wanted.create(daemon).map_err(|error| run_error("run", error))?;
        if self.detach {
            println!("{id}");
            return start(daemon, &id).map_err(|error| run_error("run", error));
        }
        together(daemon, &wanted, &id, self.stay)
    }
}

/// Starts a container that exists.
pub fn start(daemon: &Daemon, id: &str) -> Result<()> {
    daemon.without_signals().post(&format!("/containers/{id}/start"), &[]).map(drop)
}

/// Attaches and asks for the exit status before the container starts, and stays with it.
fn together(daemon: &Daemon, wanted: &Wanted, id: &str, stay: Stay) -> Result<()> {
    let config = &wanted.body.config;
    let streams = (config.attach_stdin, config.attach_stdout, config.attach_stderr);
    let condition = if wanted.is_removed() { "removed" } else { "next-exit" };
    let prepared = attach(daemon, id, streams, &stay.keys)
        .and_then(|upgraded| wait_head(daemon, id, condition).map(|waiting| (upgraded, waiting)))
        .inspect_err(|_| wanted.discard(daemon, id))?;
    let quiet = daemon.without_signals();
    let options = Options {
        daemon: &quiet,
        target: Target::Container(id.to_string()),
        tty: config.tty,
        stdin: streams.0,
        output: streams.1 || streams.2,
        proxy: stay.proxy,
        detach_keys: DetachKeys::parse(&stay.keys)?,
    };
    start_and_stay(daemon, id, wanted.is_removed(), prepared, options)
        .map_err(|error| run_error("run", error))
}
