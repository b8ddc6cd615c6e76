//! Calls cargo on a project that we laid out, and finds the program that it built.

use crate::Result;
use crate::folder::{work, workspace};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// cargo on a project, in a target folder that all participants share: what is below is compiled once.
pub fn cargo(project: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command.args(arguments).arg("--manifest-path").arg(project.join("Cargo.toml"));
    // Started from the workspace, cargo reads the workspace's configuration and not the participant's.
    command.current_dir(workspace()).env("CARGO_TARGET_DIR", work().join("target"));
    command.env_remove("RUSTC_WRAPPER").env_remove("RUSTC_WORKSPACE_WRAPPER").stdout(Stdio::piped());
    command
}

/// Runs a build that tells in JSON what it made, and returns the program among it.
pub fn executable(build: &mut Command) -> Result<PathBuf> {
    let output = build.stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| format!("cargo cannot be started: {error}"))?;
    if !output.status.success() {
        return Err("it does not compile; what the compiler says is above".into());
    }
    let messages = String::from_utf8_lossy(&output.stdout).into_owned();
    let artifacts = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let program =
        artifacts.filter_map(|message| Some(PathBuf::from(message["executable"].as_str()?))).next_back();
    program.ok_or_else(|| "cargo built no program".into())
}
