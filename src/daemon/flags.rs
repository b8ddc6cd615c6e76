//! The daemon's command line: flags as dockerd's, and `daemon stop`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use super::Places;
use crate::error::{Error, ErrorKind, Result};

/// Runs the engine. Containers outlive it: a daemon that starts adopts those that run.
#[derive(Debug, Parser)]
#[command(
    name = "coracle daemon",
    bin_name = "coracle daemon",
    disable_help_flag = true,
    args_conflicts_with_subcommands = true
)]
pub struct CommandLine {
    #[command(flatten)]
    pub flags: Flags,
    #[command(subcommand)]
    pub verb: Option<Verb>,
}

/// What `coracle daemon` can be asked besides running.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Ends the daemon that listens on a socket; its containers run on
    Stop {
        /// The daemon's socket
        #[arg(short = 'H', long, value_name = "URL")]
        host: Option<String>,
    },
}

/// Flags with dockerd's names.
#[derive(Debug, Args)]
pub struct Flags {
    /// Where to listen: unix:///path/to/socket (can be given several times)
    #[arg(short = 'H', long, value_name = "URL")]
    pub host: Vec<String>,
    /// Folder for what must survive a reboot
    #[arg(long, value_name = "FOLDER")]
    pub data_root: Option<PathBuf>,
    /// Folder for what must not
    #[arg(long, value_name = "FOLDER")]
    pub exec_root: Option<PathBuf>,
    /// File to write the daemon's process id into
    #[arg(short, long, value_name = "FILE")]
    pub pidfile: Option<PathBuf>,
    /// Leave the terminal it was started from, as a client's own daemon does
    #[arg(long)]
    pub detach: bool,
    /// Log everything
    #[arg(short = 'D', long)]
    pub debug: bool,
    /// Least severe level to log: debug, info, warn, error, fatal
    #[arg(short, long, value_name = "LEVEL", default_value = "info")]
    pub log_level: Level,
    /// Name of the default network's bridge; "none" for no such network
    #[arg(short, long, value_name = "NAME")]
    pub bridge: Option<String>,
    /// Address and subnet of the default bridge, such as 172.17.0.1/16
    #[arg(long, value_name = "ADDRESS/LENGTH")]
    pub bip: Option<String>,
    /// Cgroup under which containers get theirs
    #[arg(long, value_name = "CGROUP")]
    pub cgroup_parent: Option<String>,
    /// Another OCI runtime that containers may ask for by --runtime NAME (can be given several times)
    #[arg(long, value_name = "NAME=PATH")]
    pub add_runtime: Vec<String>,
    /// File with runtimes that have arguments, as dockerd's daemon.json: its keys are runtimes and default-runtime
    #[arg(long, value_name = "FILE")]
    pub config_file: Option<PathBuf>,
    /// The runtime of containers that ask for none
    #[arg(long, value_name = "NAME")]
    pub default_runtime: Option<String>,
    /// Print help
    #[arg(long, action = clap::ArgAction::Help)]
    help: Option<bool>,
}

/// dockerd's log levels.
#[derive(Clone, Copy, Debug, PartialEq, clap::ValueEnum)]
pub enum Level {
    Debug,
    Info,
    Warn,
    Error,
    Fatal,
}

impl Flags {
    /// The engine's folders: those given, or the caller's default ones.
    pub fn places(&self) -> Result<Places> {
        if let (Some(data_root), Some(exec_root)) = (&self.data_root, &self.exec_root) {
            return Ok(Places { data_root: absolute(data_root)?, exec_root: absolute(exec_root)? });
        }
        let default = Places::of_caller().map_err(Error::system)?;
        Ok(Places {
            data_root: self.data_root.as_ref().map_or(Ok(default.data_root), absolute)?,
            exec_root: self.exec_root.as_ref().map_or(Ok(default.exec_root), absolute)?,
        })
    }

    /// The sockets to listen on.
    pub fn sockets(&self, places: &Places) -> Result<Vec<PathBuf>> {
        if self.host.is_empty() {
            return Ok(vec![places.socket()]);
        }
        self.host.iter().map(|host| socket_of(host)).collect()
    }
}

fn absolute(path: &PathBuf) -> Result<PathBuf> {
    std::path::absolute(path).map_err(Error::system)
}

/// The path in `unix:///path`; other kinds of address are refused with a sentence.
pub fn socket_of(host: &str) -> Result<PathBuf> {
    let refused =
        |why: &str| Error::new(ErrorKind::InvalidParameter, format!("cannot use the host {host}: {why}"));
    match host.split_once("://") {
        Some(("unix", path)) if path.starts_with('/') => Ok(path.into()),
        Some(("unix", _)) => Err(refused("a unix socket needs an absolute path")),
        Some(("tcp" | "http" | "https", _)) => {
            Err(refused("serving over TCP needs TLS, which is not done yet; use unix:///path/to/socket"))
        }
        Some(("fd", _)) => Err(refused("socket activation is not done yet; use unix:///path/to/socket")),
        None if host.starts_with('/') => Err(refused(&format!("write unix://{host}"))),
        _ => Err(refused("the form is unix:///path/to/socket")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> CommandLine {
        CommandLine::try_parse_from(std::iter::once("daemon").chain(line.split_whitespace())).expect("legal")
    }

    #[test]
    fn flags_are_those_of_dockerd() {
        let line = parse("-H unix:///a -H unix:///b --data-root /d --exec-root /e -p /p -D -l warn -b none");
        let places = line.flags.places().expect("absolute");
        assert_eq!(places, Places { data_root: "/d".into(), exec_root: "/e".into() });
        let sockets = line.flags.sockets(&places).expect("unix");
        assert_eq!(sockets, [PathBuf::from("/a"), PathBuf::from("/b")]);
        assert!(line.flags.debug && line.flags.log_level == Level::Warn);
        assert!(matches!(parse("stop --host unix:///a").verb, Some(Verb::Stop { host: Some(_) })));
    }

    #[test]
    fn hosts_that_are_not_served_are_named() {
        for host in ["tcp://127.0.0.1:1", "fd://", "unix://relative", "/path"] {
            let error = socket_of(host).expect_err("refused");
            assert!(error.to_string().contains(host), "{error}");
        }
    }
}
