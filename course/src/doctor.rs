//! What the machine lacks for the exercises, and the exact command that mends it.

use crate::folder::workspace;
use namespaces::{Failure, FailureKind, IdMap, Namespaces, SpawnPlan};
use std::convert::Infallible;
use std::fs::File;
use std::io::Read;
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::process::{Command, Stdio};

/// What was found: well, a note, or in the way.
enum Finding {
    Well(String),
    Note(String),
    Bad(String),
}

/// Prints every finding; whether nothing is in the way.
pub fn run() -> bool {
    let mut findings = vec![kernel(), rust(), user_namespaces(), offline(), rust_analyzer()];
    findings.extend(SESSIONS.map(session_program));
    for finding in &findings {
        match finding {
            Finding::Well(text) => println!("well  {text}"),
            Finding::Note(text) => println!("note  {text}"),
            Finding::Bad(text) => println!("BAD   {text}"),
        }
    }
    !findings.iter().any(|finding| matches!(finding, Finding::Bad(_)))
}

/// What the book's sessions type that is not ours: the program, and Debian's package.
const SESSIONS: [(&str, &str); 5] = [
    ("busybox", "busybox-static"),
    ("strace", "strace"),
    ("pgrep", "procps"),
    ("unshare", "util-linux"),
    ("script", "bsdutils"),
];

/// Only who types the sessions needs them.
fn session_program((program, package): (&str, &str)) -> Finding {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let found =
        std::env::split_paths(&folders).map(|folder| folder.join(program)).find(|path| path.is_file());
    let remedy = format!("which the book's sessions use: apt install {package}");
    match found {
        None => Finding::Note(format!("{program} is absent, {remedy}")),
        // In a container's root it is alone, without the libraries that it would load.
        Some(path) if program == "busybox" && is_dynamic(&path) => {
            Finding::Note(format!("{program} loads libraries; a static one is needed, {remedy}"))
        }
        Some(_) => Finding::Well(format!("{program} is installed, for the book's sessions")),
    }
}

/// Whether a program names a loader: the path of one stands near its beginning, after the headers.
fn is_dynamic(program: &Path) -> bool {
    let mut beginning = Vec::new();
    let read = File::open(program).and_then(|file| file.take(4096).read_to_end(&mut beginning));
    read.is_ok() && beginning.windows(4).any(|bytes| bytes == b"/ld-")
}

/// The compiler must be as new as the workspace says.
fn rust() -> Finding {
    let needed = env!("CARGO_PKG_RUST_VERSION");
    let output = Command::new("rustc").arg("--version").output();
    let said = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_string());
    let Ok(said) = said else {
        return Finding::Bad(format!("rustc cannot be started; Rust {needed} is needed: https://rustup.rs"));
    };
    let version = said.split(' ').nth(1).unwrap_or_default();
    if numbers(version) >= numbers(needed) {
        return Finding::Well(format!("Rust {version}"));
    }
    Finding::Bad(format!("Rust {version} is older than {needed}: rustup update"))
}

/// The chapters need clone3, pidfd, openat2, the mount API and cgroup.kill.
fn kernel() -> Finding {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let release = release.trim();
    if is_new_enough(release) {
        return Finding::Well(format!("Linux {release}"));
    }
    Finding::Bad(format!(
        "Linux {release} is older than 5.14. Boot a newer one: Debian: apt install linux-image-amd64; Ubuntu 20.04: apt install linux-generic-hwe-20.04"
    ))
}

fn is_new_enough(release: &str) -> bool {
    numbers(release) >= (5, 14)
}

/// The first two numbers of a version.
fn numbers(version: &str) -> (u32, u32) {
    let mut numbers = version.split(['.', '-', '+']).map_while(|word| word.parse::<u32>().ok());
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

/// Chapter 02 itself is tried; its error names the setting that is in the way, and the command that opens it.
fn user_namespaces() -> Finding {
    let sure = |_: BorrowedFd<'_>| Err::<Infallible, _>(Failure::new(FailureKind::System, "here"));
    let uid_map = vec![IdMap::root_is(nix::unistd::geteuid().as_raw())];
    let gid_map = vec![IdMap::root_is(nix::unistd::getegid().as_raw())];
    let plan = SpawnPlan { new: Namespaces::all(), uid_map, gid_map, ..SpawnPlan::default() };
    let spawned = namespaces::spawn(&plan, None, |_| Ok(()), sure).map_err(Failure::from);
    let failure = match spawned {
        Ok(child) => {
            let pid = child.pid;
            let failure = child.executed().err();
            namespaces::exit_code_of(pid);
            failure.unwrap_or_else(|| Failure::new(FailureKind::System, "the child ended without a word"))
        }
        Err(failure) => failure,
    };
    match failure.message.as_str() {
        "here" => Finding::Well("namespaces of all eight kinds can be made by this user".into()),
        other => Finding::Bad(other.to_string()),
    }
}

/// Everything that the workspace is made of must have been fetched.
fn offline() -> Finding {
    let mut cargo = Command::new("cargo");
    cargo.args(["metadata", "--offline", "--locked", "--format-version", "1"]).current_dir(workspace());
    match cargo.stdout(Stdio::null()).stderr(Stdio::null()).status() {
        Ok(status) if status.success() => Finding::Well("exercises can be built without a network".into()),
        Ok(_) => Finding::Bad(format!(
            "something that the book is made of was not fetched: cargo fetch --locked --manifest-path {}",
            workspace().join("Cargo.toml").display()
        )),
        Err(error) => Finding::Bad(format!("cargo cannot be started ({error}): https://rustup.rs")),
    }
}

/// Without it everything works but the editor's help.
fn rust_analyzer() -> Finding {
    let found =
        Command::new("rust-analyzer").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if found.is_ok_and(|status| status.success()) {
        return Finding::Well("rust-analyzer is installed".into());
    }
    Finding::Note(
        "rust-analyzer is absent, by which editors explain code: rustup component add rust-analyzer".into(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_are_compared_by_number() {
        for (release, expected) in [
            ("5.14.0", true),
            ("6.1-rc3", true),
            ("10.0.0-amd64", true),
            ("5.4.0-generic", false),
            ("4.19.0", false),
            ("5.13.19+", false),
        ] {
            assert_eq!(is_new_enough(release), expected, "{release}");
        }
    }
}
