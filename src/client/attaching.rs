//! `attach`, `start` and `exec`: being with a container that exists, and what `run` needs for it.

use super::daemon_calls::{Daemon, encode, json};
use super::failure::{Error, ErrorKind, Result};
use super::flags::{MANY, Verb};
use super::http::{Response, Upgraded};
use super::inspection::container;
use super::run::start;
use super::session::{Ended, Options, Session, Target};
use super::signals::Signals;
use super::terminal::{DetachKeys, check_input};
use serde_json::Value;
use std::ops::RangeInclusive;

/// Flags of `attach`.
#[derive(clap::Args)]
pub struct Attach {
    /// Override the key sequence for detaching a container
    #[arg(long, value_name = "string", default_value = "", hide_default_value = true)]
    detach_keys: String,
    /// Do not attach STDIN
    #[arg(long)]
    no_stdin: bool,
    /// Proxy all received signals to the process
    #[arg(long, default_value = "true")]
    sig_proxy: bool,
}

/// Flags of `start`.
#[derive(clap::Args)]
pub struct Start {
    /// Attach STDOUT/STDERR and forward signals
    #[arg(short, long)]
    attach: bool,
    #[arg(long, hide = true)]
    checkpoint: Option<String>,
    #[arg(long, hide = true)]
    checkpoint_dir: Option<String>,
    /// Override the key sequence for detaching a container
    #[arg(long, value_name = "string", default_value = "", hide_default_value = true)]
    detach_keys: String,
    /// Attach container's STDIN
    #[arg(short, long)]
    interactive: bool,
}

/// Upgrades a connection to a container's streams (standard input, output, error).
pub fn attach(daemon: &Daemon, id: &str, streams: (bool, bool, bool), keys: &str) -> Result<Upgraded> {
    let flag = |on: bool| if on { "1" } else { "" };
    let query = [
        ("stream", "1"),
        ("stdin", flag(streams.0)),
        ("stdout", flag(streams.1)),
        ("stderr", flag(streams.2)),
        ("detachKeys", keys),
    ];
    daemon.upgrade(&format!("/containers/{}/attach", encode(id)), &query, None)
}

/// Asks for an exit status. The daemon answers the head at once, and from then on no exit is missed.
pub fn wait_head(daemon: &Daemon, id: &str, condition: &str) -> Result<Response> {
    daemon.post(&format!("/containers/{}/wait", encode(id)), &[("condition", condition)])
}

/// Waits for the status, and turns it into our own.
pub fn wait_status(waiting: Response) -> Result<()> {
    let failed = |reason: String| {
        eprintln!("coracle: error waiting for container: {reason}");
        Error::exit(125)
    };
    let answer = json(waiting).map_err(|error| failed(error.to_string()))?;
    if let Some(message) = answer["Error"]["Message"].as_str().filter(|message| !message.is_empty()) {
        return Err(failed(message.to_string()));
    }
    exit_with(answer["StatusCode"].as_i64().unwrap_or(125))
}

/// Ends with another process's code.
fn exit_with(code: i64) -> Result<()> {
    match code {
        0 => Ok(()),
        code => Err(Error::exit((code & 0xff) as u8)),
    }
}

fn target(id: &str) -> Target {
    Target::Container(id.to_string())
}

/// Starts a container whose streams are attached and whose status is asked for, and stays until it ends or the user
/// detaches. In this order nothing is lost.
pub fn start_and_stay(
    daemon: &Daemon,
    id: &str,
    is_removed: bool,
    (upgraded, waiting): (Upgraded, Response),
    options: Options<'_>,
) -> Result<()> {
    if let Err(error) = start(daemon, id) {
        if is_removed {
            // Its removal is the daemon's, and is over when this answers.
            let _ = wait_status(waiting);
        }
        return Err(error);
    }
    let session = Session::begin(options, Signals::all()?, upgraded)?;
    session.resize();
    match session.run()? {
        Ended::Detached => Ok(()),
        Ended::Closed => wait_status(waiting),
    }
}

impl Verb for Attach {
    const USAGE: &'static str = "attach [OPTIONS] CONTAINER";
    const ABOUT: &'static str =
        "Attach local standard input, output, and error streams to a running container";
    const ARGUMENTS: RangeInclusive<usize> = 1..=1;

    fn run(self, arguments: &[String], daemon: &Daemon) -> Result<()> {
        let found = running(daemon, &arguments[0])?;
        let id = found["Id"].as_str().unwrap_or_default();
        let tty = found["Config"]["Tty"] == true;
        check_input(!self.no_stdin, tty)?;
        let detach_keys = DetachKeys::parse(&self.detach_keys)?;
        let stdin = !self.no_stdin && found["Config"]["OpenStdin"] == true;
        let waiting = wait_head(daemon, id, "")?;
        let upgraded = attach(daemon, id, (stdin, true, true), &self.detach_keys)?;
        // It may have ended in between, and its streams would then never close.
        running(daemon, id)?;
        let quiet = daemon.without_signals();
        let proxy = self.sig_proxy && !tty;
        let options =
            Options { daemon: &quiet, target: target(id), tty, stdin, output: true, proxy, detach_keys };
        let session = Session::begin(options, Signals::all()?, upgraded)?;
        session.redraw();
        match session.run()? {
            Ended::Detached => Err(Error::new(ErrorKind::Local, "read escape sequence")),
            Ended::Closed => wait_status(waiting),
        }
    }
}

/// The container, unless there is nothing to attach to.
fn running(daemon: &Daemon, name: &str) -> Result<Value> {
    let found = container(daemon, name, false)?;
    let state = &found["State"];
    let what = match () {
        () if state["Running"] != true => "stopped container, start it first",
        () if state["Paused"] == true => "paused container, unpause it first",
        () if state["Restarting"] == true => "restarting container, wait until it is running",
        () => return Ok(found),
    };
    Err(Error::new(ErrorKind::Local, format!("You cannot attach to a {what}")))
}

impl Verb for Start {
    const USAGE: &'static str = "start [OPTIONS] CONTAINER [CONTAINER...]";
    const ABOUT: &'static str = "Start one or more stopped containers";
    const ARGUMENTS: RangeInclusive<usize> = 1..=MANY;

    fn run(self, arguments: &[String], daemon: &Daemon) -> Result<()> {
        if self.checkpoint.is_some() || self.checkpoint_dir.is_some() {
            return Err(Error::not_supported("--checkpoint"));
        }
        if self.attach || self.interactive {
            return self.attached(arguments, daemon);
        }
        let mut failed = Vec::new();
        for name in arguments {
            match daemon.post(&format!("/containers/{}/start", encode(name)), &[]) {
                Ok(_) => println!("{name}"),
                Err(error) if matches!(error.kind(), ErrorKind::Interrupted(_)) => return Err(error),
                Err(error) => {
                    eprintln!("{error}");
                    failed.push(name.as_str());
                }
            }
        }
        match failed.is_empty() {
            true => Ok(()),
            false => {
                let text = format!("Error: failed to start containers: {}", failed.join(", "));
                Err(Error::new(ErrorKind::Local, text))
            }
        }
    }
}

impl Start {
    fn attached(self, arguments: &[String], daemon: &Daemon) -> Result<()> {
        let [name] = arguments else {
            return Err(Error::usage("you cannot start and attach multiple containers at once"));
        };
        let found = container(daemon, name, false)?;
        let id = found["Id"].as_str().unwrap_or_default();
        let tty = found["Config"]["Tty"] == true;
        let removed = found["HostConfig"]["AutoRemove"] == true;
        let stdin = self.interactive && found["Config"]["OpenStdin"] == true;
        let detach_keys = DetachKeys::parse(&self.detach_keys)?;
        let upgraded = attach(daemon, id, (stdin, true, true), &self.detach_keys)?;
        let waiting = wait_head(daemon, id, if removed { "removed" } else { "next-exit" })?;
        let quiet = daemon.without_signals();
        let options = Options {
            daemon: &quiet,
            target: target(id),
            tty,
            stdin,
            output: true,
            proxy: !tty,
            detach_keys,
        };
        start_and_stay(daemon, id, removed, (upgraded, waiting), options)
    }
}
