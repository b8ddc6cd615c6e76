//! `version`: which client, and which daemon.

use super::daemon_calls::{Daemon, NEWEST_VERSION};
use super::failure::Result;
use super::flags::Verb;
use super::inspection::render;
use super::system::plain;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::Write as _;
use std::ops::RangeInclusive;

/// Flags of `version`.
#[derive(clap::Args)]
pub struct Version {
    /// Format output using 'json' or a Go template
    #[arg(short, long, value_name = "string", default_value = "", hide_default_value = true)]
    format: String,
}

impl Verb for Version {
    const USAGE: &'static str = "version [OPTIONS]";
    const ABOUT: &'static str = "Show the version information of client and daemon";
    const ARGUMENTS: RangeInclusive<usize> = 0..=0;

    fn run(self, _arguments: &[String], daemon: &Daemon) -> Result<()> {
        let server = daemon.get("/version", &[]);
        let negotiated = daemon.version().unwrap_or(NEWEST_VERSION);
        let both = json!({
            "Client": {
                "Version": env!("CARGO_PKG_VERSION"),
                "ApiVersion": negotiated,
                "APIVersion": negotiated,
                "DefaultAPIVersion": NEWEST_VERSION,
                "Os": "linux",
                "Arch": architecture(),
                "Context": "default",
            },
            "Server": with_engine(server.as_ref().ok().cloned().unwrap_or_default()),
        });
        let text = match self.format.as_str() {
            "" => version_text(&both),
            format => render(format, &both)?,
        };
        writeln!(std::io::stdout().lock(), "{text}")?;
        server.map(|_| ())
    }
}

/// The architecture by Go's name, which images use as well.
pub fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// A daemon that lists no engine among its components gets one from its other fields.
fn with_engine(mut server: Value) -> Value {
    if server.is_null() {
        return server;
    }
    let components = server["Components"].as_array().cloned().unwrap_or_default();
    if !components.iter().any(|component| component["Name"] == "Engine") {
        let names = [
            "ApiVersion",
            "MinAPIVersion",
            "GitCommit",
            "GoVersion",
            "Os",
            "Arch",
            "BuildTime",
            "Experimental",
        ];
        let details: serde_json::Map<String, Value> =
            names.iter().map(|name| (name.to_string(), server[*name].clone())).collect();
        let engine = json!({"Name": "Engine", "Version": server["Version"], "Details": details});
        server["Components"] = components.into_iter().chain([engine]).collect();
    }
    server
}

fn version_text(both: &Value) -> String {
    let client = &both["Client"];
    let mut text = String::from("Client:\n");
    let api = match client["APIVersion"] == client["DefaultAPIVersion"] {
        true => plain(&client["APIVersion"]),
        false => format!("{} (downgraded from {})", plain(&client["APIVersion"]), NEWEST_VERSION),
    };
    text.push_str(&line(" Version:", &plain(&client["Version"])));
    text.push_str(&line(" API version:", &api));
    text.push_str(&line(" OS/Arch:", &format!("{}/{}", plain(&client["Os"]), plain(&client["Arch"]))));
    text.push_str(" Context:           default");
    let server = &both["Server"];
    if server.is_null() {
        return text;
    }
    let platform = plain(&server["Platform"]["Name"]);
    let _ = write!(text, "\n\nServer:{}{platform}", if platform.is_empty() { "" } else { " " });
    for component in server["Components"].as_array().into_iter().flatten() {
        let _ = write!(
            text,
            "\n {}:\n{}",
            plain(&component["Name"]),
            component_lines(component).trim_end_matches('\n')
        );
    }
    text
}

fn component_lines(component: &Value) -> String {
    let details = &component["Details"];
    let mut lines = vec![("Version".to_string(), plain(&component["Version"]))];
    if component["Name"] == "Engine" {
        let api = format!(
            "{} (minimum version {})",
            plain(&details["ApiVersion"]),
            plain(&details["MinAPIVersion"])
        );
        lines.push(("API version".into(), api));
        for (name, key) in [("Go version", "GoVersion"), ("Git commit", "GitCommit")] {
            lines.push((name.into(), plain(&details[key])));
        }
        lines.push(("Built".into(), build_time(&plain(&details["BuildTime"]))));
        lines.push(("OS/Arch".into(), format!("{}/{}", plain(&details["Os"]), plain(&details["Arch"]))));
        lines.push(("Experimental".into(), plain(&details["Experimental"])));
        // A daemon that is not written in Go, or not built from a commit, has no such line.
        lines.retain(|(_, value)| !value.is_empty());
    } else {
        let mut others: Vec<(String, String)> = details
            .as_object()
            .into_iter()
            .flatten()
            .map(|(key, value)| (key.clone(), plain(value)))
            .collect();
        others.sort();
        lines.extend(others);
    }
    lines.iter().map(|(name, value)| line(&format!("  {name}:"), value)).collect()
}

/// A name in a column of twenty, as Go's tabwriter sets it, and its value.
fn line(name: &str, value: &str) -> String {
    format!("{name:<19} {value}\n")
}

/// `Thu May  7 21:09:36 2026`, from a date that computers write.
fn build_time(text: &str) -> String {
    match text.parse::<jiff::Timestamp>() {
        Ok(time) => time.strftime("%a %b %e %H:%M:%S %Y").to_string(),
        Err(_) => text.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_daemon_without_components_has_an_engine() {
        let server = json!({"Version": "1.2", "ApiVersion": "1.50", "MinAPIVersion": "1.24", "Os": "linux",
            "Arch": "amd64", "BuildTime": "2026-05-07T21:09:36Z", "Experimental": false});
        let client = json!({"Version": "0.1", "APIVersion": "1.41", "DefaultAPIVersion": "1.50", "Os": "linux",
            "Arch": "amd64"});
        insta::assert_snapshot!(version_text(&json!({"Client": client, "Server": with_engine(server)})));
    }
}
