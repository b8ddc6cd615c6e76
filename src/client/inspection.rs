//! `inspect`: objects as the daemon describes them, or a template's view of them.

use super::daemon_calls::{Daemon, encode};
use super::failure::{Error, ErrorKind, Result};
use super::flags::Verb;
use super::template::{Mode, Template};
use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{PrettyFormatter, Serializer};
use std::io::Write;
use std::ops::RangeInclusive;

/// Flags of `inspect`.
#[derive(clap::Args)]
pub struct Inspect {
    #[command(flatten)]
    options: Options,
    /// Display total file sizes if the type is container
    #[arg(short, long)]
    size: bool,
    /// Only inspect objects of the given type
    #[arg(long = "type", value_name = "string")]
    kind: Option<String>,
}

/// Flags of `container inspect`.
#[derive(clap::Args)]
pub struct InspectContainer {
    #[command(flatten)]
    options: Options,
    /// Display total file sizes
    #[arg(short, long)]
    size: bool,
}

/// Flags of `image inspect`.
#[derive(clap::Args)]
pub struct InspectImage {
    #[command(flatten)]
    options: Options,
    /// Inspect a specific platform of the multi-platform image
    #[arg(long, value_name = "string", hide = true)]
    platform: Option<String>,
}

/// What all three share.
#[derive(clap::Args)]
struct Options {
    /// Format output using 'json' or a Go template
    #[arg(short, long, value_name = "string", default_value = "", hide_default_value = true)]
    format: String,
}

impl Verb for Inspect {
    const USAGE: &'static str = "inspect [OPTIONS] NAME|ID [NAME|ID...]";
    const ABOUT: &'static str = "Return low-level information on containers and images";
    const ARGUMENTS: RangeInclusive<usize> = 1..=super::flags::MANY;

    fn run(self, arguments: &[String], daemon: &Daemon) -> Result<()> {
        let size = self.size;
        match self.kind.as_deref().unwrap_or_default() {
            "" => inspect(&self.options, arguments, |name| any(daemon, name, size)),
            "container" => inspect(&self.options, arguments, |name| container(daemon, name, size)),
            "image" => inspect(&self.options, arguments, |name| image(daemon, name)),
            kind @ ("config" | "network" | "node" | "plugin" | "secret" | "service" | "task" | "volume") => {
                Err(Error::not_supported(format!("--type {kind}")))
            }
            kind => {
                Err(Error::usage(format!("unknown type: {kind:?}: must be one of \"container\", \"image\"")))
            }
        }
    }
}

impl Verb for InspectContainer {
    const USAGE: &'static str = "container inspect [OPTIONS] CONTAINER [CONTAINER...]";
    const ABOUT: &'static str = "Display detailed information on one or more containers";
    const ARGUMENTS: RangeInclusive<usize> = 1..=super::flags::MANY;

    fn run(self, arguments: &[String], daemon: &Daemon) -> Result<()> {
        inspect(&self.options, arguments, |name| container(daemon, name, self.size))
    }
}

impl Verb for InspectImage {
    const USAGE: &'static str = "image inspect [OPTIONS] IMAGE [IMAGE...]";
    const ABOUT: &'static str = "Display detailed information on one or more images";
    const ARGUMENTS: RangeInclusive<usize> = 1..=super::flags::MANY;

    fn run(self, arguments: &[String], daemon: &Daemon) -> Result<()> {
        match self.platform {
            Some(_) => Err(Error::not_supported("--platform")),
            None => inspect(&self.options, arguments, |name| image(daemon, name)),
        }
    }
}

/// What the daemon says of a container.
pub fn container(daemon: &Daemon, name: &str, size: bool) -> Result<Value> {
    let query = [("size", if size { "1" } else { "" })];
    daemon.get(&format!("/containers/{}/json", encode(name)), &query)
}

fn image(daemon: &Daemon, name: &str) -> Result<Value> {
    daemon.get(&format!("/images/{}/json", encode(name)), &[])
}

/// A container of that name, else an image.
fn any(daemon: &Daemon, name: &str, size: bool) -> Result<Value> {
    let is_missing = |error: &Error| error.kind() == ErrorKind::Daemon(404);
    match container(daemon, name, size) {
        Err(error) if is_missing(&error) => match image(daemon, name) {
            Err(error) if is_missing(&error) => {
                Err(Error::new(ErrorKind::Local, format!("Error: No such object: {name}")))
            }
            found => found,
        },
        found => found,
    }
}

/// Prints what was found; what was not is named afterwards, and makes the exit code 1.
fn inspect(options: &Options, names: &[String], find: impl Fn(&str) -> Result<Value>) -> Result<()> {
    let template = match options.format.as_str() {
        "" | "json" => None,
        format => Some(Template::parse(format).map_err(|error| parsing(&error, 64))?),
    };
    let mut found = Vec::new();
    let mut text = String::new();
    let mut errors: Vec<String> = Vec::new();
    for name in names {
        match (find(name), &template) {
            (Err(error), _) if matches!(error.kind(), ErrorKind::Interrupted(_)) => return Err(error),
            (Err(error), _) => errors.push(error.to_string()),
            (Ok(value), None) => found.push(value),
            (Ok(value), Some(template)) => match template.render(&value, Mode::Values) {
                Ok(line) => text.push_str(&(line + "\n")),
                Err(error) => errors.push(format!("template parsing error: {error}")),
            },
        }
    }
    let text = match (template, options.format.as_str()) {
        (Some(_), _) if text.is_empty() => "\n".to_string(),
        (Some(_), _) => text,
        (None, "json") => Value::Array(found).to_string() + "\n",
        (None, _) => indented(&Value::Array(found)) + "\n",
    };
    std::io::stdout().lock().write_all(text.as_bytes())?;
    match errors.is_empty() {
        true => Ok(()),
        false => Err(Error::new(ErrorKind::Local, errors.join("\n"))),
    }
}

fn parsing(error: &super::template::TemplateError, code: u8) -> Error {
    eprintln!("template parsing error: {error}");
    Error::exit(code)
}

/// One value by `json` or a template.
pub fn render(format: &str, value: &Value) -> Result<String> {
    if format == "json" {
        return Ok(value.to_string());
    }
    let template = Template::parse(format).map_err(|error| parsing(&error, 64))?;
    template.render(value, Mode::Values).map_err(|error| Error::new(ErrorKind::Local, error.to_string()))
}

/// JSON indented by four blanks.
fn indented(value: &Value) -> String {
    let mut bytes = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut bytes, PrettyFormatter::with_indent(b"    "));
    // A value that was JSON can be written as JSON, and memory does not fail.
    let _ = value.serialize(&mut serializer);
    String::from_utf8_lossy(&bytes).into_owned()
}
