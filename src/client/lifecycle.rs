//! Verbs that act on containers by name: `stop`, `kill`, `restart`, `rm`, `pause`, `unpause`, `rename`, `wait`.

use super::daemon_calls::{Daemon, encode, json, successful};
use super::failure::{Error, ErrorKind, Result};
use super::flags::{MANY, Verb, integer};
use std::ops::RangeInclusive;

/// Does one thing to each container, all at once, and prints the names of those to which it was done, in the order in which
/// they were given. The errors of the others come last.
fn each(daemon: &Daemon, names: &[String], method: &str, path: &str, query: &[(&str, &str)]) -> Result<()> {
    let begin = |name: &String| daemon.begin(method, &path.replace("{}", &encode(name)), query);
    let exchanges: Vec<_> = names.iter().map(|name| (name, begin(name))).collect();
    let mut errors = Errors::default();
    for (name, exchange) in exchanges {
        match exchange.and_then(successful) {
            Ok(_) => println!("{name}"),
            Err(error) => errors.add(error)?,
        }
    }
    errors.finish()
}

/// Errors that do not keep a verb from going on with the next name.
#[derive(Default)]
pub struct Errors {
    messages: Vec<String>,
}

impl Errors {
    /// Keeps an error for later, unless it ends everything.
    pub fn add(&mut self, error: Error) -> Result<()> {
        match error.kind() {
            ErrorKind::Interrupted(_) | ErrorKind::BrokenPipe => Err(error),
            // The next name would say the same.
            ErrorKind::Connection if self.messages.contains(&error.to_string()) => Ok(()),
            _ => {
                self.messages.push(error.to_string());
                Ok(())
            }
        }
    }

    /// All of them as one, a line each.
    pub fn finish(self) -> Result<()> {
        match self.messages.is_empty() {
            true => Ok(()),
            false => Err(Error::new(ErrorKind::Local, self.messages.join("\n"))),
        }
    }
}

/// Flags of `stop`.
#[derive(clap::Args)]
pub struct Stop {
    #[command(flatten)]
    ending: Ending,
}

/// Flags of `restart`.
#[derive(clap::Args)]
pub struct Restart {
    #[command(flatten)]
    ending: Ending,
}

/// How containers are ended.
#[derive(clap::Args)]
struct Ending {
    /// Signal to send to the container
    #[arg(short, long, value_name = "string", default_value = "", hide_default_value = true)]
    signal: String,
    /// Seconds to wait before killing the container
    #[arg(short, long, alias = "time", value_name = "int", value_parser = integer)]
    timeout: Option<i64>,
}

impl Ending {
    fn end(&self, daemon: &Daemon, names: &[String], path: &str) -> Result<()> {
        let timeout = self.timeout.map(|seconds| seconds.to_string()).unwrap_or_default();
        each(daemon, names, "POST", path, &[("signal", &self.signal), ("t", &timeout)])
    }
}

impl Verb for Stop {
    const USAGE: &'static str = "stop [OPTIONS] CONTAINER [CONTAINER...]";
    const ABOUT: &'static str = "Stop one or more running containers";
    const ARGUMENTS: RangeInclusive<usize> = 1..=MANY;

    fn run(self, arguments: &[String], daemon: &Daemon) -> Result<()> {
        self.ending.end(daemon, arguments, "/containers/{}/stop")
    }
}

impl Verb for Restart {
    const USAGE: &'static str = "restart [OPTIONS] CONTAINER [CONTAINER...]";
    const ABOUT: &'static str = "Restart one or more containers";
    const ARGUMENTS: RangeInclusive<usize> = 1..=MANY;

    fn run(self, arguments: &[String], daemon: &Daemon) -> Result<()> {
        self.ending.end(daemon, arguments, "/containers/{}/restart")
    }
}

/// Flags of `kill`.
#[derive(clap::Args)]
pub struct Kill {
    /// Signal to send to the container
    #[arg(short, long, value_name = "string", default_value = "", hide_default_value = true)]
    signal: String,
}

impl Verb for Kill {
    const USAGE: &'static str = "kill [OPTIONS] CONTAINER [CONTAINER...]";
    const ABOUT: &'static str = "Kill one or more running containers";
    const ARGUMENTS: RangeInclusive<usize> = 1..=MANY;

    fn run(self, arguments: &[String], daemon: &Daemon) -> Result<()> {
        each(daemon, arguments, "POST", "/containers/{}/kill", &[("signal", &self.signal)])
    }
}

/// Flags of `rm`.
#[derive(clap::Args)]
pub struct Remove {
    /// Force the removal of a running container (uses SIGKILL)
    #[arg(short, long)]
    force: bool,
    /// Remove the specified link
    #[arg(short, long)]
    link: bool,
    /// Remove anonymous volumes associated with the container
    #[arg(short, long)]
    volumes: bool,
}

impl Verb for Remove {
    const USAGE: &'static str = "rm [OPTIONS] CONTAINER [CONTAINER...]";
    const ABOUT: &'static str = "Remove one or more containers";
    const ARGUMENTS: RangeInclusive<usize> = 1..=MANY;

    fn run(self, arguments: &[String], daemon: &Daemon) -> Result<()> {
        let flag = |on: bool| if on { "1" } else { "" };
        let query = [("force", flag(self.force)), ("link", flag(self.link)), ("v", flag(self.volumes))];
        let begin = |name: &String| match name.trim_matches('/') {
            "" => Err(Error::usage("container name cannot be empty")),
            name => daemon.begin("DELETE", &format!("/containers/{}", encode(name)), &query),
        };
        let exchanges: Vec<_> = arguments.iter().map(|name| (name, begin(name))).collect();
        let mut errors = Errors::default();
        for (name, exchange) in exchanges {
            match exchange.and_then(successful) {
                Ok(_) => println!("{name}"),
                // With --force it is enough that it is gone.
                Err(error) if self.force && error.kind() == ErrorKind::Daemon(404) => eprintln!("{error}"),
                Err(error) => errors.add(error)?,
            }
        }
        errors.finish()
    }
}

/// `pause` has no flags.
#[derive(clap::Args)]
pub struct Pause {}

impl Verb for Pause {
    const USAGE: &'static str = "pause CONTAINER [CONTAINER...]";
    const ABOUT: &'static str = "Pause all processes within one or more containers";
    const ARGUMENTS: RangeInclusive<usize> = 1..=MANY;

    fn run(self, arguments: &[String], daemon: &Daemon) -> Result<()> {
        each(daemon, arguments, "POST", "/containers/{}/pause", &[])
    }
}

/// `unpause` has no flags.
#[derive(clap::Args)]
pub struct Unpause {}

impl Verb for Unpause {
    const USAGE: &'static str = "unpause CONTAINER [CONTAINER...]";
    const ABOUT: &'static str = "Unpause all processes within one or more containers";
    const ARGUMENTS: RangeInclusive<usize> = 1..=MANY;

    fn run(self, arguments: &[String], daemon: &Daemon) -> Result<()> {
        each(daemon, arguments, "POST", "/containers/{}/unpause", &[])
    }
}

/// `rename` has no flags.
#[derive(clap::Args)]
pub struct Rename {}

impl Verb for Rename {
    const USAGE: &'static str = "rename CONTAINER NEW_NAME";
    const ABOUT: &'static str = "Rename a container";
    const ARGUMENTS: RangeInclusive<usize> = 2..=2;

    fn run(self, arguments: &[String], daemon: &Daemon) -> Result<()> {
        let (old, new) = (arguments[0].trim(), arguments[1].trim());
        if old.is_empty() || new.is_empty() {
            return Err(Error::usage("Error: Neither old nor new names may be empty"));
        }
        match daemon.post(&format!("/containers/{}/rename", encode(old)), &[("name", new)]) {
            Ok(_) => Ok(()),
            Err(error) if matches!(error.kind(), ErrorKind::Interrupted(_)) => Err(error),
            Err(error) => {
                let text = format!("{error}\nError: failed to rename container named {old}");
                Err(Error::new(error.kind(), text))
            }
        }
    }
}

/// `wait` has no flags.
#[derive(clap::Args)]
pub struct Wait {}

impl Verb for Wait {
    const USAGE: &'static str = "wait CONTAINER [CONTAINER...]";
    const ABOUT: &'static str = "Block until one or more containers stop, then print their exit codes";
    const ARGUMENTS: RangeInclusive<usize> = 1..=MANY;

    /// One after the other, as their codes are printed in this order.
    fn run(self, arguments: &[String], daemon: &Daemon) -> Result<()> {
        let mut errors = Errors::default();
        for name in arguments {
            match daemon.post(&format!("/containers/{}/wait", encode(name)), &[]).and_then(json) {
                Ok(answer) => println!("{}", answer["StatusCode"].as_i64().unwrap_or_default()),
                Err(error) => errors.add(error)?,
            }
        }
        errors.finish()
    }
}
