//! The ordinary users as whom the rootless tests run: made once, named for the project.

use crate::Result;
use crate::setup::is_root;
use std::path::PathBuf;
use std::process::Command;

/// The name of the user that `cargo xtask test`, run as root, makes for the rootless tests: with one id.
pub const ORDINARY_USER: &str = "coracle-test";

/// The same with ranges of ids in /etc/subuid and /etc/subgid, as Debian's useradd gives them.
const USER_WITH_RANGES: &str = "coracle-ranges";

/// Where ranges are given (subuid(5)), and what usermod(8) calls them.
const RANGES: [(&str, &str); 2] = [("/etc/subuid", "--add-subuids"), ("/etc/subgid", "--add-subgids")];

/// Makes the ordinary user if it is missing, takes its ranges of ids away if it has any, and returns its home.
pub fn ordinary_user() -> Result<PathBuf> {
    let home = user(ORDINARY_USER)?;
    for (file, _) in RANGES {
        take_ranges(file, ORDINARY_USER)?;
    }
    Ok(home)
}

/// Makes the user with ranges if it is missing, and gives it ranges if it has none.
pub fn user_with_ranges() -> Result<()> {
    user(USER_WITH_RANGES)?;
    for (file, option) in RANGES {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        if !text.lines().any(|line| is_of(line, USER_WITH_RANGES)) {
            println!("setup: usermod {option}: ranges of ids for {USER_WITH_RANGES}");
            run("usermod", &[option, &free_range(&text), USER_WITH_RANGES])?;
        }
    }
    Ok(())
}

/// A user's home; made if the user is missing.
fn user(name: &str) -> Result<PathBuf> {
    if let Some(home) = home(name)? {
        return Ok(home);
    }
    if !is_root() {
        return Err(format!("the user {name} is missing; as root: useradd --create-home {name}"));
    }
    println!("setup: useradd {name}: an ordinary user of the rootless tests");
    run("useradd", &["--create-home", "--shell", "/bin/sh", name])?;
    home(name)?.ok_or_else(|| format!("useradd made no {name}"))
}

fn is_of(line: &str, user: &str) -> bool {
    line.split(':').next() == Some(user)
}

/// usermod would refuse that while a process of the user's runs, whoever has started it.
fn take_ranges(file: &str, user: &str) -> Result<()> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let rest: String =
        text.lines().filter(|line| !is_of(line, user)).map(|line| format!("{line}\n")).collect();
    if rest.lines().count() == text.lines().count() {
        return Ok(());
    }
    if !is_root() {
        return Err(format!("the user {user} shall have no ranges of ids: take its line out of {file}"));
    }
    println!("setup: {file}: no ranges of ids for {user}");
    let new = format!("{file}.{user}");
    let written = std::fs::write(&new, rest).and_then(|()| std::fs::rename(&new, file));
    written.map_err(|error| format!("{file}: {error}"))
}

/// As many as Debian's useradd gives (login.defs(5)), behind those that are given already.
fn free_range(text: &str) -> String {
    let end = |line: &str| {
        let mut numbers = line.split(':').skip(1).map_while(|number| number.parse::<u64>().ok());
        Some(numbers.next()? + numbers.next()?)
    };
    let first = text.lines().filter_map(end).max().unwrap_or_default().max(100_000);
    format!("{first}-{}", first + 65_535)
}

fn run(program: &str, arguments: &[&str]) -> Result<()> {
    let status = Command::new(format!("/usr/sbin/{program}"))
        .args(arguments)
        .status()
        .map_err(|error| format!("{program} cannot be started: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{program} {}: {status}", arguments.join(" "))) }
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
