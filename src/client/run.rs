//! `run` and `create`: a new container, and being with it until it ends.

use super::attaching::{attach, wait_head, wait_status};
use super::creation::{Flags, Wanted, run_error, usage_failure};
use super::daemon_calls::Daemon;
use super::failure::{Error, Result};
use super::flags::{MANY, Verb};
use super::session::{Ended, Options, Session, Target};
use super::signals::Signals;
use super::terminal::{DetachKeys, check_input};
use std::ops::RangeInclusive;

/// Flags of `create`.
#[derive(clap::Args)]
pub struct Create {
    #[command(flatten)]
    flags: Flags,
    #[arg(hide = true, trailing_var_arg = true)]
    arguments: Vec<String>,
}

/// Flags of `run`.
#[derive(clap::Args)]
pub struct Run {
    #[command(flatten)]
    flags: Flags,
    /// Run container in background and print container ID
    #[arg(short, long)]
    detach: bool,
    /// Override the key sequence for detaching a container
    #[arg(long, value_name = "string", default_value = "", hide_default_value = true)]
    detach_keys: String,
    /// Proxy received signals to the process
    #[arg(long, default_value = "true")]
    sig_proxy: bool,
    #[arg(hide = true, trailing_var_arg = true)]
    arguments: Vec<String>,
}

impl Verb for Create {
    const USAGE: &'static str = "create [OPTIONS] IMAGE [COMMAND] [ARG...]";
    const ABOUT: &'static str = "Create a new container";
    const ARGUMENTS: RangeInclusive<usize> = 1..=MANY;

    fn arguments(&self) -> &[String] {
        &self.arguments
    }

    fn run(self, daemon: &Daemon) -> Result<()> {
        let wanted =
            Wanted::new(self.flags, &self.arguments).map_err(|error| usage_failure("create", error))?;
        println!("{}", wanted.create(daemon)?);
        Ok(())
    }
}

impl Verb for Run {
    const USAGE: &'static str = "run [OPTIONS] IMAGE [COMMAND] [ARG...]";
    const ABOUT: &'static str = "Create and run a new container from an image";
    const ARGUMENTS: RangeInclusive<usize> = 1..=MANY;

    fn arguments(&self) -> &[String] {
        &self.arguments
    }

    fn run(self, daemon: &Daemon) -> Result<()> {
        let attaches = !self.flags.process.attach.is_empty();
        let mut wanted =
            Wanted::new(self.flags, &self.arguments).map_err(|error| usage_failure("run", error))?;
        let keys = DetachKeys::parse(&self.detach_keys)?;
        if self.detach {
            if attaches {
                return Err(Error::usage(
                    "conflicting options: cannot specify both --attach and --detach",
                ));
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
        together(daemon, &wanted, &id, keys, self.sig_proxy, &self.detach_keys)
    }
}

/// Starts a container that exists.
pub fn start(daemon: &Daemon, id: &str) -> Result<()> {
    daemon
        .without_signals()
        .post(&format!("/containers/{id}/start"), &[])
        .map(drop)
}

/// Attaches, asks for the exit status, starts, and only then passes streams and signals on: in this order nothing is lost.
fn together(
    daemon: &Daemon,
    wanted: &Wanted,
    id: &str,
    detach_keys: DetachKeys,
    proxy: bool,
    keys: &str,
) -> Result<()> {
    let config = &wanted.body.config;
    let streams = (config.attach_stdin, config.attach_stdout, config.attach_stderr);
    let prepared = attach(daemon, id, streams, keys).and_then(|upgraded| {
        let condition = if wanted.is_removed() {
            "removed"
        } else {
            "next-exit"
        };
        wait_head(daemon, id, condition).map(|waiting| (upgraded, waiting))
    });
    let (upgraded, waiting) = prepared.inspect_err(|_| wanted.discard(daemon, id))?;
    if let Err(error) = start(daemon, id) {
        if wanted.is_removed() {
            // Its removal is the daemon's, and is over when this answers.
            let _ = wait_status(waiting);
        }
        return Err(run_error("run", error));
    }
    let quiet = daemon.without_signals();
    let options = Options {
        daemon: &quiet,
        target: Target::Container(id.to_string()),
        tty: config.tty,
        stdin: streams.0,
        output: streams.1 || streams.2,
        proxy,
        detach_keys,
    };
    let session = Session::begin(options, Signals::all()?, upgraded)?;
    session.resize();
    match session.run()? {
        Ended::Detached => Ok(()),
        Ended::Closed => wait_status(waiting),
    }
}
