//! The ordinary user as whom the rootless tests run: made once, named for the project.

use crate::Result;
use crate::setup::is_root;
use std::path::PathBuf;
use std::process::Command;

/// The name of the user that `cargo xtask test`, run as root, makes for the rootless tests.
pub const ORDINARY_USER: &str = "coracle-test";

/// Makes the ordinary user if it is missing, and returns its home.
pub fn ordinary_user() -> Result<PathBuf> {
    if let Some(home) = home(ORDINARY_USER)? {
        return Ok(home);
    }
    if !is_root() {
        return Err(format!(
            "the user {ORDINARY_USER} is missing; as root: useradd --create-home {ORDINARY_USER}"
        ));
    }
    println!("setup: useradd {ORDINARY_USER}: the ordinary user of the rootless tests");
    let status = Command::new("/usr/sbin/useradd")
        .args(["--create-home", "--shell", "/bin/sh", ORDINARY_USER])
        .status()
        .map_err(|error| format!("useradd cannot be started: {error}"))?;
    if !status.success() {
        return Err(format!("useradd {ORDINARY_USER}: {status}"));
    }
    home(ORDINARY_USER)?.ok_or_else(|| format!("useradd made no {ORDINARY_USER}"))
}

/// A command that runs as the ordinary user, with nothing of root's environment.
pub fn as_ordinary_user() -> Result<Command> {
    let home = ordinary_user()?;
    let mut command = Command::new("setpriv");
    command.args(["--reuid", ORDINARY_USER, "--regid", ORDINARY_USER, "--clear-groups", "--"]);
    command
        .env_clear()
        .env("HOME", &home)
        .env("USER", ORDINARY_USER)
        .env("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin");
    command.current_dir(home);
    Ok(command)
}

fn home(user: &str) -> Result<Option<PathBuf>> {
    let passwd = std::fs::read_to_string("/etc/passwd").map_err(|error| format!("/etc/passwd: {error}"))?;
    let line = passwd.lines().find(|line| line.split(':').next() == Some(user));
    Ok(line.and_then(|line| line.split(':').nth(5)).map(PathBuf::from))
}
