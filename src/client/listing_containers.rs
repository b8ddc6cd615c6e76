//! `ps`: the list of containers.

use super::daemon_calls::Daemon;
use super::failure::Result;
use super::flags::{Verb, integer};
use super::reference::{familiar, parts, short_id};
use super::table::{self, Listing, Row, ellipsis};
use super::units::{ago, full_time, human_size};
use super::{filters, ports};
use serde_json::{Map, Value};
use std::ops::RangeInclusive;

/// Flags of `ps`.
#[derive(clap::Args)]
pub struct List {
    /// Show all containers (default shows just running)
    #[arg(short, long)]
    all: bool,
    /// Filter output based on conditions provided
    #[arg(short, long, value_name = "filter", value_parser = filters::parse)]
    filter: Vec<filters::Filter>,
    /// Format output using 'table', 'table TEMPLATE', 'json' or a Go template
    #[arg(long, value_name = "string", default_value = "", hide_default_value = true)]
    format: String,
    /// Show n last created containers (includes all states)
    #[arg(short = 'n', long, value_name = "int", value_parser = integer, default_value = "-1")]
    last: i64,
    /// Show the latest created container (includes all states)
    #[arg(short, long)]
    latest: bool,
    /// Don't truncate output
    #[arg(long)]
    no_trunc: bool,
    /// Only display container IDs
    #[arg(short, long)]
    quiet: bool,
    /// Display total file sizes
    #[arg(short, long)]
    size: bool,
}

const TITLES: &[(&str, &str)] = &[
    ("ID", "CONTAINER ID"),
    ("Names", "NAMES"),
    ("Image", "IMAGE"),
    ("Command", "COMMAND"),
    ("CreatedAt", "CREATED AT"),
    ("RunningFor", "CREATED"),
    ("Ports", "PORTS"),
    ("Platform", "PLATFORM"),
    ("State", "STATE"),
    ("Status", "STATUS"),
    ("Size", "SIZE"),
    ("Labels", "LABELS"),
    ("Mounts", "MOUNTS"),
    ("LocalVolumes", "LOCAL VOLUMES"),
    ("Networks", "NETWORKS"),
];

const TABLE: &str = "{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}";
const TABLE_WITH_SIZE: &str =
    "{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}\t{{.Size}}";

impl Verb for List {
    const USAGE: &'static str = "ps [OPTIONS]";
    const ABOUT: &'static str = "List containers";
    const ARGUMENTS: RangeInclusive<usize> = 0..=0;

    fn run(self, _arguments: &[String], daemon: &Daemon) -> Result<()> {
        let limit = if self.latest { 1 } else { self.last };
        let limit = if limit > 0 { limit.to_string() } else { String::new() };
        let flag = |on: bool| if on { "1" } else { "" };
        // Sizes take the daemon time: they are asked for only when somebody asks for them by name.
        let size = self.size || self.format.contains(".Size");
        let query = [
            ("all", flag(self.all)),
            ("filters", &filters::encode(&self.filter)),
            ("limit", &limit),
            ("size", flag(size)),
        ];
        let containers = daemon.get("/containers/json", &query)?;
        let rows: Vec<Row> = containers
            .as_array()
            .into_iter()
            .flatten()
            .map(|container| row(container, !self.no_trunc))
            .collect();
        let listing = Listing { default: if self.size { TABLE_WITH_SIZE } else { TABLE }, titles: TITLES };
        let format =
            if self.quiet && matches!(self.format.as_str(), "" | "table") { "{{.ID}}" } else { &self.format };
        table::print(&mut std::io::stdout().lock(), &listing, format, &rows)
    }
}

/// What is shown of one container, from an element of `GET /containers/json`.
fn row(container: &Value, truncate: bool) -> Row {
    let text = |field: &str| container[field].as_str().unwrap_or_default().to_string();
    let created = container["Created"].as_i64().unwrap_or_default();
    let id = text("Id");
    let command = if truncate { ellipsis(&text("Command"), 20) } else { text("Command") };
    let labels = container["Labels"].as_object().cloned().unwrap_or_default();
    let mounts = container["Mounts"].as_array().cloned().unwrap_or_default();
    let local = mounts.iter().filter(|mount| mount["Driver"] == "local").count();
    let networks = container["NetworkSettings"]["Networks"].as_object();
    let networks: Vec<&str> = networks.into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    let mut row = Row::new([
        ("ID", if truncate { short_id(&id).to_string() } else { id }),
        ("Names", names(container, truncate)),
        ("Image", image(container, truncate)),
        ("Command", format!("{command:?}")),
        ("CreatedAt", full_time(created)),
        ("RunningFor", ago(created)),
        ("Platform", String::new()),
        ("Ports", ports::displayable(&container["Ports"])),
        ("State", text("State")),
        ("Status", text("Status")),
        ("Size", size(container)),
        ("Labels", label_list(&labels)),
        ("Mounts", mount_names(&mounts, truncate)),
        ("LocalVolumes", local.to_string()),
        ("Networks", networks.join(",")),
    ]);
    // Only known where an image has several platforms.
    row.fields["Platform"] = Value::Null;
    row.labels = labels;
    row
}

fn label_list(labels: &Map<String, Value>) -> String {
    let pair = |(key, value): (&String, &Value)| format!("{key}={}", value.as_str().unwrap_or_default());
    let mut pairs: Vec<String> = labels.iter().map(pair).collect();
    pairs.sort();
    pairs.join(",")
}

/// Names without their leading slash. Links give a container further names, with another slash: shown by `--no-trunc`.
fn names(container: &Value, truncate: bool) -> String {
    let names = container["Names"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let names: Vec<&str> = names.map(|name| name.trim_start_matches('/')).collect();
    match names.iter().find(|name| truncate && !name.contains('/')) {
        Some(name) => name.to_string(),
        None => names.join(","),
    }
}

fn image(container: &Value, truncate: bool) -> String {
    let name = container["Image"].as_str().unwrap_or_default();
    let id = short_id(container["ImageID"].as_str().unwrap_or_default());
    match () {
        () if name.is_empty() => "<no image>".to_string(),
        () if !truncate => name.to_string(),
        () if short_id(name) == id => id.to_string(),
        () => match parts(familiar(name)) {
            (name, Some(tag), _) => format!("{name}:{tag}"),
            (name, None, _) => name.to_string(),
        },
    }
}

fn size(container: &Value) -> String {
    let bytes = |field: &str| container[field].as_f64().unwrap_or_default();
    let own = human_size(bytes("SizeRw"), 3);
    match bytes("SizeRootFs") {
        0.0 => own,
        whole => format!("{own} (virtual {})", human_size(whole, 3)),
    }
}

fn mount_names(mounts: &[Value], truncate: bool) -> String {
    let name = |mount: &Value| {
        let name =
            mount["Name"].as_str().filter(|name| !name.is_empty()).or_else(|| mount["Source"].as_str());
        let name = name.unwrap_or_default();
        if truncate { ellipsis(name, 15) } else { name.to_string() }
    };
    mounts.iter().map(name).collect::<Vec<_>>().join(",")
}
