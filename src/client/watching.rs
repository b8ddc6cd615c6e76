//! `top`, `port` and `events`: looking at what runs.

use super::daemon_calls::{Daemon, encode};
use super::failure::{Error, ErrorKind, Result};
use super::filters;
use super::flags::{MANY, Verb};
use super::inspection::{container, render};
use super::logs::moment;
use super::ports::join_host;
use super::table::align;
use super::units::local_zone;
use jiff::Timestamp;
use serde_json::{Map, Value};
use std::io::{BufRead, BufReader, Write, stdout};
use std::ops::RangeInclusive;

/// `top` has no flags of its own.
#[derive(clap::Args)]
pub struct Top {}

impl Verb for Top {
    const USAGE: &'static str = "top CONTAINER [ps OPTIONS]";
    const ABOUT: &'static str = "Display the running processes of a container";
    const ARGUMENTS: RangeInclusive<usize> = 1..=MANY;
    const STOPS_AT_FIRST: bool = true;

    fn run(self, arguments: &[String], daemon: &Daemon) -> Result<()> {
        let path = format!("/containers/{}/top", encode(&arguments[0]));
        let found = daemon.get(&path, &[("ps_args", &arguments[1..].join(" "))])?;
        let line = |cells: &Value| {
            let cells = cells.as_array().into_iter().flatten();
            cells.map(|cell| cell.as_str().unwrap_or_default()).collect::<Vec<_>>().join("\t")
        };
        let mut lines = vec![line(&found["Titles"])];
        lines.extend(found["Processes"].as_array().into_iter().flatten().map(line));
        stdout().lock().write_all(align(&lines, 20).as_bytes())?;
        Ok(())
    }
}

/// `port` has no flags.
#[derive(clap::Args)]
pub struct Port {}

impl Verb for Port {
    const USAGE: &'static str = "port CONTAINER [PRIVATE_PORT[/PROTO]]";
    const ABOUT: &'static str = "List port mappings or a specific mapping for the container";
    const ARGUMENTS: RangeInclusive<usize> = 1..=2;

    fn run(self, arguments: &[String], daemon: &Daemon) -> Result<()> {
        let found = container(daemon, &arguments[0], false)?;
        let ports = found["NetworkSettings"]["Ports"].as_object().cloned().unwrap_or_default();
        let lines = match arguments.get(1) {
            Some(wanted) => hosts_of(&ports, wanted, &arguments[0])?,
            None => all_ports(&ports),
        };
        lines.iter().for_each(|line| println!("{line}"));
        Ok(())
    }
}

/// `0.0.0.0:8080` for each place where a port is published.
fn hosts(bindings: &Value) -> Vec<String> {
    let text = |binding: &Value, field: &str| binding[field].as_str().unwrap_or_default().to_string();
    let bindings = bindings.as_array().into_iter().flatten();
    bindings.map(|binding| join_host(&text(binding, "HostIp"), text(binding, "HostPort"))).collect()
}

fn hosts_of(ports: &Map<String, Value>, wanted: &str, name: &str) -> Result<Vec<String>> {
    let (port, protocol) = wanted.split_once('/').unwrap_or((wanted, "tcp"));
    if port.parse::<u16>().is_err() {
        let reason = format!("strconv.ParseUint: parsing {port:?}: invalid syntax");
        return Err(Error::usage(format!("Error: invalid port ({port}): {reason}")));
    }
    let lines = ports.get(&format!("{port}/{protocol}")).map(hosts).unwrap_or_default();
    match lines.is_empty() {
        true => {
            let text = format!("Error: No public port '{wanted}' published for {name}");
            Err(Error::new(ErrorKind::Local, text))
        }
        false => Ok(lines),
    }
}

fn all_ports(ports: &Map<String, Value>) -> Vec<String> {
    let mut ports: Vec<(&String, &Value)> = ports.iter().collect();
    let number = |port: &str| port.split('/').next().and_then(|digits| digits.parse::<u16>().ok());
    ports.sort_by_key(|(port, _)| (number(port), port.to_string()));
    let line = |(port, bindings): (&String, &Value)| -> Vec<String> {
        hosts(bindings).into_iter().map(|host| format!("{port} -> {host}")).collect()
    };
    ports.into_iter().flat_map(line).collect()
}

/// Flags of `events`.
#[derive(clap::Args)]
pub struct Events {
    /// Filter output based on conditions provided
    #[arg(short, long, value_name = "filter", value_parser = filters::parse)]
    filter: Vec<filters::Filter>,
    /// Format output using 'json' or a Go template
    #[arg(long, value_name = "string", default_value = "", hide_default_value = true)]
    format: String,
    /// Show all events created since timestamp
    #[arg(long, value_name = "string", default_value = "", hide_default_value = true)]
    since: String,
    /// Stream events until this timestamp
    #[arg(long, value_name = "string", default_value = "", hide_default_value = true)]
    until: String,
}

impl Verb for Events {
    const USAGE: &'static str = "events [OPTIONS]";
    const ABOUT: &'static str = "Get real time events from the server";
    const ARGUMENTS: RangeInclusive<usize> = 0..=0;

    fn run(self, _arguments: &[String], daemon: &Daemon) -> Result<()> {
        let since = moment("since", &self.since)?;
        let until = moment("until", &self.until)?;
        let query = [("filters", filters::encode(&self.filter)), ("since", since), ("until", until)];
        let query: Vec<(&str, &str)> = query.iter().map(|(name, value)| (*name, value.as_str())).collect();
        for line in BufReader::new(daemon.open("/events", &query)?).lines() {
            let line = line?;
            let event: Value = serde_json::from_str(&line).map_err(|error| {
                Error::new(ErrorKind::Connection, format!("malformed event {line:?}: {error}"))
            })?;
            let text = match self.format.as_str() {
                "" => event_line(&event),
                format => render(format, &event)?,
            };
            writeln!(stdout(), "{text}")?;
        }
        Ok(())
    }
}

/// `2026-01-01T00:00:00.000000000Z container start 0123… (image=busybox, name=x)`
fn event_line(event: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
    let nanoseconds =
        event["timeNano"].as_i64().or_else(|| event["time"].as_i64().map(|time| time * 1_000_000_000));
    let moment = Timestamp::from_nanosecond(nanoseconds.unwrap_or_default().into()).unwrap_or_default();
    let moment = moment.to_zoned_datetime(local_zone()).strftime("%Y-%m-%dT%H:%M:%S.%9f%:z").to_string();
    let attributes = event["Actor"]["Attributes"].as_object();
    let mut pairs: Vec<String> =
        attributes.into_iter().flatten().map(|(name, value)| format!("{name}={}", text(value))).collect();
    pairs.sort();
    let pairs = if pairs.is_empty() { String::new() } else { format!(" ({})", pairs.join(", ")) };
    let what = format!("{} {} {}", text(&event["Type"]), text(&event["Action"]), text(&event["Actor"]["ID"]));
    format!("{} {what}{pairs}", moment.replace("+00:00", "Z"))
}
