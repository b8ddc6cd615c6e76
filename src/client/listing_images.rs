//! `images`: the list of images.

use super::daemon_calls::Daemon;
use super::failure::{Error, Result};
use super::filters;
use super::flags::Verb;
use super::reference::{familiar, parts, short_id};
use super::table::{self, Listing, Row};
use super::units::{ago, full_time, human_size};
use serde_json::Value;
use std::ops::RangeInclusive;

/// Flags of `images`.
#[derive(clap::Args)]
pub struct List {
    /// Show all images (default hides intermediate images)
    #[arg(short, long)]
    all: bool,
    /// Show digests
    #[arg(long)]
    digests: bool,
    /// Filter output based on conditions provided
    #[arg(short, long, value_name = "filter", value_parser = filters::parse)]
    filter: Vec<filters::Filter>,
    /// Format output using 'table', 'table TEMPLATE', 'json' or a Go template
    #[arg(long, value_name = "string", default_value = "", hide_default_value = true)]
    format: String,
    /// Don't truncate output
    #[arg(long)]
    no_trunc: bool,
    /// Only show image IDs
    #[arg(short, long)]
    quiet: bool,
    /// List multi-platform images as a tree
    #[arg(long, hide = true)]
    tree: bool,
}

const TITLES: &[(&str, &str)] = &[
    ("ID", "IMAGE ID"),
    ("Repository", "REPOSITORY"),
    ("Tag", "TAG"),
    ("Digest", "DIGEST"),
    ("CreatedSince", "CREATED"),
    ("CreatedAt", "CREATED AT"),
    ("Size", "SIZE"),
    ("VirtualSize", "SIZE"),
    ("Containers", "CONTAINERS"),
    ("SharedSize", "SHARED SIZE"),
    ("UniqueSize", "UNIQUE SIZE"),
];

const TABLE: &str = "{{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}";
const TABLE_WITH_DIGESTS: &str =
    "{{.Repository}}\t{{.Tag}}\t{{.Digest}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}";

impl Verb for List {
    const USAGE: &'static str = "images [OPTIONS] [REPOSITORY[:TAG]]";
    const ABOUT: &'static str = "List images";
    const ARGUMENTS: RangeInclusive<usize> = 0..=1;

    fn run(self, arguments: &[String], daemon: &Daemon) -> Result<()> {
        if self.tree {
            return Err(Error::not_supported("--tree"));
        }
        let mut conditions = self.filter.clone();
        conditions.extend(arguments.first().map(|name| filters::of("reference", name)));
        let query = [("all", if self.all { "1" } else { "" }), ("filters", &filters::encode(&conditions))];
        let images = daemon.get("/images/json", &query)?;
        let digests = self.digests || self.format.contains("{{.Digest}}");
        let rows: Vec<Row> = images
            .as_array()
            .into_iter()
            .flatten()
            .flat_map(|image| rows(image, digests, self.digests, !self.no_trunc))
            .collect();
        let listing =
            Listing { default: if self.digests { TABLE_WITH_DIGESTS } else { TABLE }, titles: TITLES };
        let format = match self.format.as_str() {
            "" | "table" if self.quiet => "{{.ID}}".to_string(),
            format if format.starts_with("table ") && self.digests && !format.contains("{{.Digest}}") => {
                format!("{format}\t{{{{.Digest}}}}")
            }
            format => format.to_string(),
        };
        table::print(&mut std::io::stdout().lock(), &listing, &format, &rows)
    }
}

/// One row a tag, one more a digest when those are wanted; an image without a name has one row.
fn rows(image: &Value, digests: bool, digest_column: bool, truncate: bool) -> Vec<Row> {
    const NONE: &str = "<none>";
    let (tags, digested) = (names(&image["RepoTags"]), names(&image["RepoDigests"]));
    let mut rows = Vec::new();
    for (name, tag, _) in tags.iter().map(|reference| parts(reference)) {
        let same =
            digested.iter().map(|reference| parts(reference)).filter(|found| digests && found.0 == name);
        let mut known: Vec<&str> = same.filter_map(|(_, _, digest)| digest).collect();
        if known.is_empty() {
            known.push(NONE);
        }
        rows.extend(known.iter().map(|digest| row(image, name, tag.unwrap_or(NONE), digest, truncate)));
    }
    for (name, _, digest) in digested.iter().map(|reference| parts(reference)) {
        if !tags.iter().any(|tag| parts(tag).0 == name) {
            let digest = digest.filter(|_| digest_column).unwrap_or_default();
            rows.push(row(image, name, NONE, digest, truncate));
        }
    }
    if rows.is_empty() {
        rows.push(row(image, NONE, NONE, NONE, truncate));
    }
    rows
}

/// References as users see them; an image without any has one that is no name.
fn names(list: &Value) -> Vec<String> {
    let names = list.as_array().into_iter().flatten().filter_map(Value::as_str);
    let names = names.filter(|name| !name.starts_with("<none>"));
    names.map(|name| familiar(name).to_string()).collect()
}

fn row(image: &Value, repository: &str, tag: &str, digest: &str, truncate: bool) -> Row {
    let number = |field: &str| image[field].as_i64().unwrap_or(-1);
    let (size, shared) = (number("Size"), number("SharedSize"));
    let or_unknown = |known: bool, text: String| if known { text } else { "N/A".to_string() };
    let id = image["Id"].as_str().unwrap_or_default();
    Row::new([
        ("ID", if truncate { short_id(id) } else { id }.to_string()),
        ("Repository", repository.to_string()),
        ("Tag", tag.to_string()),
        ("Digest", digest.to_string()),
        ("CreatedSince", ago(number("Created"))),
        ("CreatedAt", full_time(number("Created"))),
        ("Size", human_size(size as f64, 3)),
        ("VirtualSize", human_size(size as f64, 4)),
        ("Containers", or_unknown(number("Containers") >= 0, number("Containers").to_string())),
        ("SharedSize", or_unknown(shared >= 0, human_size(shared as f64, 4))),
        ("UniqueSize", or_unknown(shared >= 0, human_size((size - shared) as f64, 4))),
    ])
}
