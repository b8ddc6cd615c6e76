//! `logs`: what a container has written.

use super::daemon_calls::{Daemon, encode};
use super::failure::{Error, Result};
use super::flags::Verb;
use super::frames::Frames;
use super::inspection::container;
use super::moments;
use super::session::write_stream;
use jiff::Timestamp;
use std::io::{Read, Write, stdout};
use std::ops::RangeInclusive;

/// Flags of `logs`.
#[derive(clap::Args)]
pub struct Logs {
    /// Show extra details provided to logs
    #[arg(long)]
    details: bool,
    /// Follow log output
    #[arg(short, long)]
    follow: bool,
    /// Show logs since timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)
    #[arg(long, value_name = "string", default_value = "", hide_default_value = true)]
    since: String,
    /// Number of lines to show from the end of the logs
    #[arg(short = 'n', long, value_name = "string", default_value = "all")]
    tail: String,
    /// Show timestamps
    #[arg(short, long)]
    timestamps: bool,
    /// Show logs before a timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)
    #[arg(long, value_name = "string", default_value = "", hide_default_value = true)]
    until: String,
}

impl Verb for Logs {
    const USAGE: &'static str = "logs [OPTIONS] CONTAINER";
    const ABOUT: &'static str = "Fetch the logs of a container";
    const ARGUMENTS: RangeInclusive<usize> = 1..=1;

    fn run(self, arguments: &[String], daemon: &Daemon) -> Result<()> {
        let found = container(daemon, &arguments[0], false)?;
        let flag = |on: bool| if on { "1" } else { "" };
        let since = moment("since", &self.since)?;
        let until = moment("until", &self.until)?;
        let query = [
            ("details", flag(self.details)),
            ("follow", flag(self.follow)),
            ("since", since.as_str()),
            ("stderr", "1"),
            ("stdout", "1"),
            ("tail", &self.tail),
            ("timestamps", flag(self.timestamps)),
            ("until", &until),
        ];
        let id = found["Id"].as_str().unwrap_or_default();
        let mut stream = daemon.open(&format!("/containers/{}/logs", encode(id)), &query)?;
        let raw = found["Config"]["Tty"] == true;
        let mut frames = Frames::default();
        let mut buffer = vec![0; 32 * 1024];
        loop {
            match stream.read(&mut buffer)? {
                0 => return Ok(()),
                count if raw => {
                    stdout().write_all(&buffer[..count])?;
                    stdout().flush()?;
                }
                count => frames.feed(&buffer[..count], write_stream)?,
            }
        }
    }
}

/// A moment for the API; empty stays empty.
pub fn moment(flag: &str, text: &str) -> Result<String> {
    if text.is_empty() {
        return Ok(String::new());
    }
    let parsed = moments::parse(text, Timestamp::now().as_second());
    parsed.map_err(|reason| Error::usage(format!("invalid value for {flag:?}: {reason}")))
}
