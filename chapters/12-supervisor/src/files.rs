//! The files of a run directory. It lies on a tmpfs, so that nothing is synced; each is written beside and renamed.
//!
//! `launch.json`, `config.json` from the daemon · `control.sock`, `state.json`, `exit.json` from the supervisor

use crate::{Exit, Failure, FailureKind, Launch, VERSION};
use runtime::Identity;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::io;
use std::path::Path;

/// `state.json`: what a daemon must know to end a container whose supervisor was killed.
#[derive(Debug, Serialize, Deserialize)]
pub struct Made {
    /// The container's first process.
    pub process: Identity,
    /// Its cgroup, below the cgroup mount points.
    pub cgroup: Option<String>,
}

pub fn write_launch(run_dir: &Path, launch: &Launch) -> io::Result<()> {
    write(&run_dir.join("launch.json"), launch)
}

pub fn read_launch(run_dir: &Path) -> Result<Launch, Failure> {
    let path = run_dir.join("launch.json");
    let launch: Launch = read(&path)
        .and_then(|launch| launch.ok_or_else(|| io::ErrorKind::NotFound.into()))
        .map_err(|error| Failure::system(&format!("{}: {error}", path.display())))?;
    if launch.version == VERSION {
        return Ok(launch);
    }
    let message = format!("{}: version {} is not supported", path.display(), launch.version);
    Err(Failure { kind: FailureKind::NotSupported, message, whole: false })
}

pub fn write_made(run_dir: &Path, made: &Made) -> io::Result<()> {
    write(&run_dir.join("state.json"), made)
}

pub fn read_made(run_dir: &Path) -> io::Result<Option<Made>> {
    read(&run_dir.join("state.json"))
}

pub fn write_exit(run_dir: &Path, exit: &Exit) -> io::Result<()> {
    write(&run_dir.join("exit.json"), exit)
}

pub fn read_exit(run_dir: &Path) -> io::Result<Option<Exit>> {
    read(&run_dir.join("exit.json"))
}

/// The container's spec.
pub fn read_spec(run_dir: &Path) -> io::Result<oci_spec::runtime::Spec> {
    runtime::spec_from_json(&std::fs::read(run_dir.join("config.json"))?).map_err(io::Error::other)
}

fn write(path: &Path, document: &impl Serialize) -> io::Result<()> {
    let beside = path.with_extension("json.new");
    std::fs::write(&beside, serde_json::to_vec(document)?)?;
    std::fs::rename(&beside, path)
}

/// None when there is no such file.
fn read<T: DeserializeOwned>(path: &Path) -> io::Result<Option<T>> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
