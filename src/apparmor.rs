//! AppArmor's default profile, loaded into the kernel when a container needs it and it is not there.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use oci_spec::runtime::Process;

use crate::error::{Error, Result};
use crate::system::read_word;

/// The profiles that are loaded, a line each: `docker-default (enforce)` (securityfs, root's alone).
const LOADED: &str = "/sys/kernel/security/apparmor/profiles";

/// Compiles profiles, which the kernel takes only as automata.
const PARSER: &str = "apparmor_parser";

/// Whether containers can be held to profiles: by Docker's rule it takes the kernel's module and the program that loads profiles.
pub fn is_usable() -> bool {
    privileges::has_apparmor() && Path::new(LOADED).exists() && parser().is_some()
}

/// Sees to it that a process's profile is loaded, if it is the default one: others are their makers' to load. Somebody may have
/// taken it away since the last container: an update of the package does.
pub fn make_ready(process: Option<&Process>) -> Result<()> {
    let profile = process.and_then(|process| process.apparmor_profile().as_deref());
    if profile != Some(privileges::DEFAULT_APPARMOR) || is_loaded(privileges::DEFAULT_APPARMOR) {
        return Ok(());
    }
    let own = read_word("/proc/self/attr/current");
    // `name (enforce)`
    let own = own.split(" (").next().filter(|name| !name.is_empty()).unwrap_or("unconfined");
    load(&privileges::default_apparmor(own))
}

fn is_loaded(name: &str) -> bool {
    let profiles = fs::read_to_string(LOADED).unwrap_or_default();
    profiles.lines().any(|line| line.split(" (").next() == Some(name))
}

fn parser() -> Option<PathBuf> {
    ["/sbin", "/usr/sbin"].iter().map(|folder| Path::new(folder).join(PARSER)).find(|path| path.exists())
}

/// Loads a profile, or takes the place of one of that name; nothing of it is kept on disk.
fn load(profile: &str) -> Result<()> {
    let failed = |why: &dyn std::fmt::Display| {
        Error::system(format!("AppArmor's profile {} cannot be loaded: {why}", privileges::DEFAULT_APPARMOR))
    };
    let parser = parser().ok_or_else(|| failed(&"apparmor_parser is not installed"))?;
    let mut child = Command::new(&parser)
        .args(["--replace", "--skip-cache"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| failed(&format_args!("{}: {error}", parser.display())))?;
    let written = child.stdin.take().map_or(Ok(()), |mut stdin| stdin.write_all(profile.as_bytes()));
    let output = child.wait_with_output().map_err(|error| failed(&error))?;
    if output.status.success() {
        return written.map_err(|error| failed(&error));
    }
    Err(failed(&String::from_utf8_lossy(&output.stderr).trim()))
}
