//! Making a container: what `run` and `create` share, up to its id.

mod addresses;
mod flags;
mod hello;
mod host;
mod mounts;
mod request;
mod values;

pub use flags::Flags;
pub use values::{pairs_from_file, variable};

use super::daemon_calls::{Daemon, json};
use super::failure::{Error, ErrorKind, Result};
use super::pull::{self, Progress};
use super::reference::typed;
use super::terminal;
use api::ContainerCreateRequest;
use images::Reference;
use serde_json::Value;
use std::fs::OpenOptions;
use std::io::Write;

/// A container to be made.
pub struct Wanted {
    /// The body of the request.
    pub body: ContainerCreateRequest,
    flags: Flags,
    image: String,
}

impl Wanted {
    /// Reads flags and arguments (the image and its command). An error here is one of usage.
    pub fn new(mut flags: Flags, arguments: &[String]) -> Result<Wanted> {
        if let Some(name) = flags.refused.given() {
            return Err(Error::usage(format!("{name} is not supported yet")));
        }
        if !matches!(flags.container.pull.as_str(), "always" | "missing" | "never" | "") {
            let allowed = r#"must be one of "always", "missing" or "never""#;
            return Err(Error::usage(format!("invalid pull option: '{}': {allowed}", flags.container.pull)));
        }
        let (image, command) = arguments.split_first().ok_or_else(|| Error::usage("no image was named"))?;
        if Reference::parse(image).is_ok_and(|reference| hello::is_hello(&reference)) {
            hello::prepare(&mut flags);
        }
        let mut body = request::build(&flags, image, command)?;
        if let Some((rows, columns)) = terminal::size() {
            body.host_config.console_size = Some([rows, columns]);
        }
        Ok(Wanted { body, flags, image: image.clone() })
    }

    /// Whether the daemon removes it when it ends.
    pub fn is_removed(&self) -> bool {
        self.flags.container.rm
    }

    /// Makes it, and pulls its image when that is missing. An interrupt leaves nothing behind.
    pub fn create(&self, daemon: &Daemon) -> Result<String> {
        let cidfile = self.flags.container.cidfile.as_deref();
        if let Some(path) = cidfile.filter(|path| std::fs::symlink_metadata(path).is_ok()) {
            let advice = format!("make sure the other container isn't running or delete {path}");
            return Err(Error::usage(format!("container ID file found, {advice}")));
        }
        let is_id = self.image.len() == 64 && self.image.bytes().all(|byte| byte.is_ascii_hexdigit());
        let reference = if is_id { None } else { Some(typed(&self.image)?) };
        if let Some(reference) = reference.as_ref().filter(|_| self.flags.container.pull == "always") {
            self.pull(daemon, reference)?;
        }
        let created = match (self.request(daemon), &reference) {
            (Err(error), Some(reference)) if self.may_pull(&error) => {
                if !self.flags.container.quiet {
                    eprintln!("Unable to find image '{}' locally", reference.familiar());
                }
                self.pull(daemon, reference)?;
                self.request(daemon)?
            }
            (created, _) => created?,
        };
        for warning in created["Warnings"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            eprintln!("WARNING: {warning}");
        }
        let id = created["Id"].as_str().unwrap_or_default().to_string();
        let kept = daemon.refuse_if_interrupted().and_then(|()| write_cidfile(cidfile, &id));
        if kept.is_err() {
            remove(daemon, &id);
        }
        kept.map(|()| id)
    }

    /// Takes back what [`Wanted::create`] has done, for a container that is never to start.
    pub fn discard(&self, daemon: &Daemon, id: &str) {
        remove(daemon, id);
        if let Some(path) = &self.flags.container.cidfile {
            // We wrote it; somebody else may have removed it.
            let _ = std::fs::remove_file(path);
        }
    }

    fn may_pull(&self, error: &Error) -> bool {
        error.kind() == ErrorKind::Daemon(404) && matches!(self.flags.container.pull.as_str(), "missing" | "")
    }

    /// The answer is waited for even when a signal has come: it names what would be left behind.
    fn request(&self, daemon: &Daemon) -> Result<Value> {
        let container = &self.flags.container;
        let query = [
            ("name", container.name.as_deref().unwrap_or_default()),
            ("platform", container.platform.as_deref().unwrap_or_default()),
        ];
        daemon.version()?;
        json(daemon.without_signals().post_json("/containers/create", &query, &self.body)?)
    }

    fn pull(&self, daemon: &Daemon, reference: &Reference) -> Result<()> {
        let platform = self.flags.container.platform.as_deref().unwrap_or_default();
        let shown = if self.flags.container.quiet { Progress::Hidden } else { Progress::OnError };
        pull::pull(daemon, reference, platform, shown)
    }
}

fn remove(daemon: &Daemon, id: &str) {
    // What fails here is not what the user has to know: the reason for discarding it is reported.
    let _ = daemon.without_signals().delete(&format!("/containers/{id}"), &[("force", "1"), ("v", "1")]);
}

/// Only now that there is an id, so that no interrupt leaves an empty file.
fn write_cidfile(path: Option<&str>, id: &str) -> Result<()> {
    let Some(path) = path else { return Ok(()) };
    let failed = |error: std::io::Error| {
        let cause = Error::file("open", path, &error);
        Error::new(ErrorKind::Local, format!("failed to create the container ID file: {cause}"))
    };
    let mut file = OpenOptions::new().write(true).create_new(true).open(path).map_err(failed)?;
    file.write_all(id.as_bytes()).inspect_err(|_| drop(std::fs::remove_file(path))).map_err(failed)
}

/// An error of `run`, with docker's exit codes: 127 for a command that is not there, 126 for one that cannot be run, 125 for
/// the rest.
pub fn run_error(verb: &str, error: Error) -> Error {
    if matches!(error.kind(), ErrorKind::Exit(_) | ErrorKind::Interrupted(_) | ErrorKind::BrokenPipe) {
        return error;
    }
    let text = error.to_string();
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let code = match () {
        () if says(&["executable file not found", "no such file or directory"]) => 127,
        () if says(&["permission denied", "is a directory"]) => 126,
        () => 125,
    };
    eprintln!("coracle: {text}\n\nRun 'coracle {verb} --help' for more information");
    Error::exit(code)
}

/// A wrong command line of `run` or `create`.
pub fn usage_failure(verb: &str, error: Error) -> Error {
    eprintln!("coracle: {error}\n\nRun 'coracle {verb} --help' for more information");
    Error::exit(125)
}
