//! `exec`: a further process in a running container.

use super::creation::{pairs_from_file, variable};
use super::daemon_calls::{Daemon, encode, json};
use super::failure::{Error, ErrorKind, Result};
use super::flags::{MANY, Verb};
use super::inspection::container;
use super::session::{Ended, Options, Session, Target};
use super::signals::Signals;
use super::terminal::{DetachKeys, check_input, size};
use serde_json::{Value, json};
use std::ops::RangeInclusive;

/// Flags of `exec`.
#[derive(clap::Args)]
pub struct Exec {
    /// Detached mode: run command in the background
    #[arg(short, long)]
    detach: bool,
    /// Override the key sequence for detaching a container
    #[arg(long, value_name = "string", default_value = "", hide_default_value = true)]
    detach_keys: String,
    /// Set environment variables
    #[arg(short, long, value_name = "list", value_parser = variable)]
    env: Vec<String>,
    /// Read in a file of environment variables
    #[arg(long, value_name = "list")]
    env_file: Vec<String>,
    /// Keep STDIN open even if not attached
    #[arg(short, long)]
    interactive: bool,
    /// Give extended privileges to the command
    #[arg(long)]
    privileged: bool,
    /// Allocate a pseudo-TTY
    #[arg(short, long)]
    tty: bool,
    /// Username or UID (format: "<name|uid>[:<group|gid>]")
    #[arg(short, long, value_name = "string", default_value = "", hide_default_value = true)]
    user: String,
    /// Working directory inside the container
    #[arg(short, long, value_name = "string", default_value = "", hide_default_value = true)]
    workdir: String,
}

impl Verb for Exec {
    const USAGE: &'static str = "exec [OPTIONS] CONTAINER COMMAND [ARG...]";
    const ABOUT: &'static str = "Execute a command in a running container";
    const ARGUMENTS: RangeInclusive<usize> = 2..=MANY;
    const STOPS_AT_FIRST: bool = true;

    fn run(self, arguments: &[String], daemon: &Daemon) -> Result<()> {
        let name = &arguments[0];
        let body = self.body(&arguments[1..])?;
        let detach_keys = DetachKeys::parse(&self.detach_keys)?;
        // First, so that a container that does not exist is named before a terminal that is none.
        container(daemon, name, false)?;
        check_input(self.interactive && !self.detach, self.tty)?;
        let created = json(daemon.post_json(&format!("/containers/{}/exec", encode(name)), &[], &body)?)?;
        let id = created["Id"].as_str().unwrap_or_default();
        let start = format!("/exec/{id}/start");
        let mut options = json!({"Detach": self.detach, "Tty": self.tty});
        if let Some(size) = body.get("ConsoleSize") {
            options["ConsoleSize"] = size.clone();
        }
        if self.detach {
            return daemon.post_json(&start, &[], &options).map(drop);
        }
        let upgraded = daemon.upgrade(&start, &[], Some(&options))?;
        let quiet = daemon.without_signals();
        let options = Options {
            daemon: &quiet,
            target: Target::Exec(id.to_string()),
            tty: self.tty,
            stdin: self.interactive,
            output: true,
            proxy: false,
            detach_keys,
        };
        let session = Session::begin(options, Signals::all()?, upgraded)?;
        session.resize();
        match session.run()? {
            Ended::Detached => Err(Error::new(ErrorKind::Local, "read escape sequence")),
            Ended::Closed => exit_status(daemon, id),
        }
    }
}

impl Exec {
    fn body(&self, command: &[String]) -> Result<Value> {
        let mut env = Vec::new();
        for path in &self.env_file {
            env.extend(pairs_from_file(path, |name| std::env::var(name).ok())?);
        }
        env.extend(self.env.iter().cloned());
        let mut body = json!({
            "User": self.user,
            "Privileged": self.privileged,
            "Tty": self.tty,
            "AttachStdin": self.interactive && !self.detach,
            "AttachStdout": !self.detach,
            "AttachStderr": !self.detach,
            "Detach": self.detach,
            "DetachKeys": self.detach_keys,
            "Env": env,
            "WorkingDir": self.workdir,
            "Cmd": command,
        });
        if let Some((rows, columns)) = size().filter(|_| self.tty) {
            body["ConsoleSize"] = json!([rows, columns]);
        }
        Ok(body)
    }
}

fn exit_status(daemon: &Daemon, id: &str) -> Result<()> {
    let code = daemon.get(&format!("/exec/{id}/json"), &[])?["ExitCode"].as_i64().unwrap_or(0);
    match code {
        0 => Ok(()),
        code => Err(Error::exit((code & 0xff) as u8)),
    }
}
