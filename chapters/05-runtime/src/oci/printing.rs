//! `state`, `spec`: what is printed.

use super::store::{Entry, Store};
use crate::{Error, Result, default_spec, spec_to_json};
use clap::Args;
use kernel::Strace;
use serde_json::{Value, json};
use std::io::Write;
use std::path::PathBuf;

#[derive(Args)]
pub struct Spec {
    /// Where config.json is written
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    bundle: PathBuf,
    /// For an ordinary user
    #[arg(long)]
    rootless: bool,
}

/// To standard output; a reader that has gone away wants no more.
pub fn print(text: &str) -> Result<u8> {
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(Error::system(error)),
        _ => Ok(0),
    }
}

/// A container's state, as the specification has it, and with the fields that runc adds.
pub fn state_of(entry: &Entry) -> Value {
    let record = &entry.record;
    let status = entry.status();
    let has_process = !matches!(status, super::store::Status::Stopped | super::store::Status::Creating);
    let mut state = json!({
        "ociVersion": record.oci_version,
        "id": record.id,
        "pid": record.process.filter(|_| has_process).map_or(0, |process| process.pid),
        "status": status,
        "bundle": record.bundle,
        "rootfs": record.rootfs,
        "created": record.created,
        "owner": "",
    });
    if !record.annotations.is_empty() {
        state["annotations"] = json!(record.annotations);
    }
    state
}

pub fn state(store: &Store, id: &str) -> Result<u8> {
    print(&format!("{:#}", state_of(&store.look(id)?)))
}

impl Spec {
    pub fn run(&self) -> Result<u8> {
        let user = self.rootless.then(|| (nix::unistd::geteuid().as_raw(), nix::unistd::getegid().as_raw()));
        let path = self.bundle.join("config.json");
        let spec: Value =
            serde_json::from_slice(&spec_to_json(&default_spec(user)?)?).map_err(Error::system)?;
        let json = serde_json::to_string_pretty(&spec).map_err(Error::system)? + "\n";
        let mut options = std::fs::OpenOptions::new();
        let file = options.write(true).create_new(true).open(&path);
        let written = file.and_then(|mut file| file.write_all(json.as_bytes()));
        written.strace(|| format!("write({path:?})"))?;
        Ok(0)
    }
}
