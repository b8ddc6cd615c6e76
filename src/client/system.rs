//! `info`: what the daemon says of itself.

use super::daemon_calls::{Daemon, NEWEST_VERSION};
use super::failure::{Error, Result};
use super::flags::Verb;
use super::inspection::render;
use super::units::binary_size;
use super::version::architecture;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::Write as _;
use std::ops::RangeInclusive;

/// Flags of `info`.
#[derive(clap::Args)]
pub struct Info {
    /// Format output using 'json' or a Go template
    #[arg(short, long, value_name = "string", default_value = "", hide_default_value = true)]
    format: String,
}

/// A value without quotes; nothing for null.
pub fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

impl Verb for Info {
    const USAGE: &'static str = "info [OPTIONS]";
    const ABOUT: &'static str = "Display system-wide information";
    const ARGUMENTS: RangeInclusive<usize> = 0..=0;

    fn run(self, _arguments: &[String], daemon: &Daemon) -> Result<()> {
        let info = daemon.get("/info", &[]);
        let mut output = std::io::stdout().lock();
        if !self.format.is_empty() {
            let mut info = info?;
            info["ClientInfo"] = client_info();
            writeln!(output, "{}", render(&self.format, &info)?)?;
            return Ok(());
        }
        let version = env!("CARGO_PKG_VERSION");
        write!(
            output,
            "Client:\n Version:    {version}\n Context:    default\n Debug Mode: false\n\nServer:\n"
        )?;
        let info = info?;
        output.write_all(server_text(&info).as_bytes())?;
        for warning in strings(&info["Warnings"]) {
            eprintln!("{warning}");
        }
        match info["ServerErrors"].is_array() {
            true => Err(Error::exit(1)),
            false => Ok(()),
        }
    }
}

/// What `info` knows of ourselves.
fn client_info() -> Value {
    json!({
        "Debug": false,
        "Version": env!("CARGO_PKG_VERSION"),
        "DefaultAPIVersion": NEWEST_VERSION,
        "Os": "linux",
        "Arch": architecture(),
        "Context": "default",
        "Plugins": [],
        "Warnings": null,
    })
}

fn strings(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().map(plain).collect()
}

/// The daemon's part of `info`.
fn server_text(info: &Value) -> String {
    let mut text = String::new();
    counts(&mut text, info);
    storage_and_plugins(&mut text, info);
    runtimes_and_security(&mut text, info);
    host(&mut text, info);
    registries(&mut text, info);
    let _ = writeln!(text, " Live Restore Enabled: {}\n", plain(&info["LiveRestoreEnabled"]));
    text
}

/// A line that is there even when its value is empty.
fn always(text: &mut String, name: &str, value: &Value) {
    let _ = writeln!(text, "{name}: {}", plain(value));
}

/// A line that is left out when its value is empty.
fn unless_empty(text: &mut String, name: &str, value: &Value) {
    if !plain(value).is_empty() {
        always(text, name, value);
    }
}

fn counts(text: &mut String, info: &Value) {
    always(text, " Containers", &info["Containers"]);
    always(text, "  Running", &info["ContainersRunning"]);
    always(text, "  Paused", &info["ContainersPaused"]);
    always(text, "  Stopped", &info["ContainersStopped"]);
    always(text, " Images", &info["Images"]);
    unless_empty(text, " Server Version", &info["ServerVersion"]);
}

fn storage_and_plugins(text: &mut String, info: &Value) {
    unless_empty(text, " Storage Driver", &info["Driver"]);
    for pair in info["DriverStatus"].as_array().into_iter().flatten() {
        let _ = writeln!(text, "  {}: {}", plain(&pair[0]), plain(&pair[1]));
    }
    unless_empty(text, " Logging Driver", &info["LoggingDriver"]);
    unless_empty(text, " Cgroup Driver", &info["CgroupDriver"]);
    unless_empty(text, " Cgroup Version", &info["CgroupVersion"]);
    text.push_str(" Plugins:\n");
    for (name, optional) in [("Volume", false), ("Network", false), ("Authorization", true), ("Log", false)] {
        let plugins = strings(&info["Plugins"][name]);
        if !optional || !plugins.is_empty() {
            let _ = writeln!(text, "  {name}: {}", plugins.join(" "));
        }
    }
    always(text, " Swarm", &info["Swarm"]["LocalNodeState"]);
}

fn runtimes_and_security(text: &mut String, info: &Value) {
    let mut runtimes: Vec<&String> =
        info["Runtimes"].as_object().into_iter().flatten().map(|(name, _)| name).collect();
    runtimes.sort();
    if !runtimes.is_empty() {
        let names: Vec<&str> = runtimes.iter().map(|name| name.as_str()).collect();
        let _ = writeln!(text, " Runtimes: {}", names.join(" "));
        always(text, " Default Runtime", &info["DefaultRuntime"]);
    }
    if info["OSType"] != "linux" {
        return;
    }
    // An engine that is all of these in one has no versions of them.
    if !plain(&info["ContainerdCommit"]["ID"]).is_empty() {
        always(text, " Init Binary", &info["InitBinary"]);
        always(text, " containerd version", &info["ContainerdCommit"]["ID"]);
        always(text, " runc version", &info["RuncCommit"]["ID"]);
        always(text, " init version", &info["InitCommit"]["ID"]);
    }
    let options = strings(&info["SecurityOptions"]);
    if !options.is_empty() {
        text.push_str(" Security Options:\n");
    }
    for option in options {
        for (key, value) in option.split(',').filter_map(|pair| pair.split_once('=')) {
            let _ = match key {
                "name" => writeln!(text, "  {value}"),
                "profile" => writeln!(text, "   Profile: {value}"),
                _ => Ok(()),
            };
        }
    }
}

fn host(text: &mut String, info: &Value) {
    unless_empty(text, " Kernel Version", &info["KernelVersion"]);
    unless_empty(text, " Operating System", &info["OperatingSystem"]);
    unless_empty(text, " OSType", &info["OSType"]);
    unless_empty(text, " Architecture", &info["Architecture"]);
    always(text, " CPUs", &info["NCPU"]);
    let memory = binary_size(info["MemTotal"].as_f64().unwrap_or_default());
    let _ = writeln!(text, " Total Memory: {memory}");
    unless_empty(text, " Name", &info["Name"]);
    unless_empty(text, " ID", &info["ID"]);
    always(text, " Docker Root Dir", &info["DockerRootDir"]);
    always(text, " Debug Mode", &info["Debug"]);
    if info["Debug"] == true {
        always(text, "  File Descriptors", &info["NFd"]);
        always(text, "  Goroutines", &info["NGoroutines"]);
        always(text, "  System Time", &info["SystemTime"]);
        always(text, "  EventsListeners", &info["NEventsListener"]);
    }
    unless_empty(text, " HTTP Proxy", &info["HttpProxy"]);
    unless_empty(text, " HTTPS Proxy", &info["HttpsProxy"]);
    unless_empty(text, " No Proxy", &info["NoProxy"]);
    let labels = strings(&info["Labels"]);
    if !labels.is_empty() {
        text.push_str(" Labels:\n");
        labels.iter().for_each(|label| text.push_str(&format!("  {label}\n")));
    }
    always(text, " Experimental", &info["ExperimentalBuild"]);
}

fn registries(text: &mut String, info: &Value) {
    let config = &info["RegistryConfig"];
    let known = config["IndexConfigs"].as_object().cloned().unwrap_or_default();
    let insecure: Vec<String> =
        known.values().filter(|index| index["Secure"] == false).map(|index| plain(&index["Name"])).collect();
    let ranges = strings(&config["InsecureRegistryCIDRs"]);
    if !known.is_empty() || !ranges.is_empty() {
        text.push_str(" Insecure Registries:\n");
        insecure.iter().chain(&ranges).for_each(|name| text.push_str(&format!("  {name}\n")));
    }
    let mirrors = strings(&config["Mirrors"]);
    if !mirrors.is_empty() {
        text.push_str(" Registry Mirrors:\n");
        mirrors.iter().for_each(|mirror| text.push_str(&format!("  {mirror}\n")));
    }
}
