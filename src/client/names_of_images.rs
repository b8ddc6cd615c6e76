//! `rmi`, `tag` and `history`: an image's names, and where its layers come from.

use super::daemon_calls::{Daemon, encode, json};
use super::failure::{Error, ErrorKind, Result};
use super::flags::{MANY, Verb};
use super::lifecycle::Errors;
use super::reference::{short_id, typed};
use super::table::{self, Listing, Row, ellipsis};
use super::units::{ago, human_size, local_zone};
use jiff::Timestamp;
use serde_json::Value;
use std::ops::RangeInclusive;

/// Flags of `rmi`.
#[derive(clap::Args)]
pub struct Remove {
    /// Force removal of the image
    #[arg(short, long)]
    force: bool,
    /// Do not delete untagged parents
    #[arg(long)]
    no_prune: bool,
    #[arg(long, hide = true)]
    platform: Vec<String>,
}

impl Verb for Remove {
    const USAGE: &'static str = "rmi [OPTIONS] IMAGE [IMAGE...]";
    const ABOUT: &'static str = "Remove one or more images";
    const ARGUMENTS: RangeInclusive<usize> = 1..=MANY;

    fn run(self, arguments: &[String], daemon: &Daemon) -> Result<()> {
        if !self.platform.is_empty() {
            return Err(Error::not_supported("--platform"));
        }
        let flag = |on: bool| if on { "1" } else { "" };
        let query = [("force", flag(self.force)), ("noprune", flag(self.no_prune))];
        let mut errors = Errors::default();
        for name in arguments {
            match daemon.delete(&format!("/images/{}", encode(name)), &query).and_then(json) {
                Ok(done) => done.as_array().into_iter().flatten().for_each(print_removed),
                Err(error) if self.force && error.kind() == ErrorKind::Daemon(404) => eprintln!("{error}"),
                Err(error) => errors.add(error)?,
            }
        }
        errors.finish()
    }
}

fn print_removed(item: &Value) {
    match (item["Deleted"].as_str(), item["Untagged"].as_str()) {
        (Some(id), _) if !id.is_empty() => println!("Deleted: {id}"),
        (_, name) => println!("Untagged: {}", name.unwrap_or_default()),
    }
}

/// `tag` has no flags.
#[derive(clap::Args)]
pub struct Tag {}

impl Verb for Tag {
    const USAGE: &'static str = "tag SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]";
    const ABOUT: &'static str = "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE";
    const ARGUMENTS: RangeInclusive<usize> = 2..=2;

    fn run(self, arguments: &[String], daemon: &Daemon) -> Result<()> {
        let (source, target) = (&arguments[0], &arguments[1]);
        let parsed = typed(target).map_err(|error| {
            Error::usage(format!(
                "Error parsing reference: {target:?} is not a valid repository/tag: {error}"
            ))
        })?;
        if parsed.digest.is_some() {
            return Err(Error::usage("refusing to create a tag with a digest reference"));
        }
        let name = format!("{}/{}", parsed.domain, parsed.path);
        let query = [("repo", name.as_str()), ("tag", &parsed.version())];
        daemon.post(&format!("/images/{}/tag", encode(source)), &query).map(drop)
    }
}

/// Flags of `history`.
#[derive(clap::Args)]
pub struct History {
    /// Format output using 'table', 'table TEMPLATE', 'json' or a Go template
    #[arg(long, value_name = "string", default_value = "", hide_default_value = true)]
    format: String,
    /// Print sizes and dates in human readable format
    #[arg(short = 'H', long, default_value = "true")]
    human: bool,
    /// Don't truncate output
    #[arg(long)]
    no_trunc: bool,
    #[arg(long, hide = true)]
    platform: Option<String>,
    /// Only show image IDs
    #[arg(short, long)]
    quiet: bool,
}

const TITLES: &[(&str, &str)] = &[
    ("ID", "IMAGE"),
    ("CreatedSince", "CREATED"),
    ("CreatedAt", "CREATED AT"),
    ("CreatedBy", "CREATED BY"),
    ("Size", "SIZE"),
    ("Comment", "COMMENT"),
];

impl Verb for History {
    const USAGE: &'static str = "history [OPTIONS] IMAGE";
    const ABOUT: &'static str = "Show the history of an image";
    const ARGUMENTS: RangeInclusive<usize> = 1..=1;

    fn run(self, arguments: &[String], daemon: &Daemon) -> Result<()> {
        if self.platform.is_some() {
            return Err(Error::not_supported("--platform"));
        }
        let steps = daemon.get(&format!("/images/{}/history", encode(&arguments[0])), &[])?;
        let rows: Vec<Row> = steps
            .as_array()
            .into_iter()
            .flatten()
            .map(|step| row(step, self.human, !self.no_trunc))
            .collect();
        let default = match self.human {
            true => "{{.ID}}\t{{.CreatedSince}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}",
            false => "{{.ID}}\t{{.CreatedAt}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}",
        };
        let format =
            if self.quiet && matches!(self.format.as_str(), "" | "table") { "{{.ID}}" } else { &self.format };
        table::print(&mut std::io::stdout().lock(), &Listing { default, titles: TITLES }, format, &rows)
    }
}

fn row(step: &Value, human: bool, truncate: bool) -> Row {
    /// 2000-01-01: whatever claims to be older has no date.
    const EPOCH: i64 = 946_684_800;
    let text = |field: &str| step[field].as_str().unwrap_or_default().to_string();
    let created = step["Created"].as_i64().unwrap_or_default();
    let size = step["Size"].as_i64().unwrap_or_default();
    let at = Timestamp::from_second(created).unwrap_or_default().to_zoned_datetime(local_zone());
    let at = at.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string().replace("+00:00", "Z");
    let since = match () {
        () if !human => at.clone(),
        () if created <= EPOCH => "N/A".to_string(),
        () => ago(created),
    };
    let by = text("CreatedBy").replace('\t', " ");
    let id = text("Id");
    Row::new([
        ("ID", if truncate { short_id(&id).to_string() } else { id }),
        ("CreatedAt", at),
        ("CreatedSince", since),
        ("CreatedBy", if truncate { ellipsis(&by, 45) } else { by }),
        ("Size", if human { human_size(size as f64, 3) } else { size.to_string() }),
        ("Comment", text("Comment")),
    ])
}
