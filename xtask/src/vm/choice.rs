//! What is tried in the machine: which tests, how cargo is asked for them, and the script that runs them.

use super::contents::{self, Executable, Purpose};
use super::guest::Guest;
use super::security;
use std::path::Path;

/// A test by cargo's name, and how those of its parts begin that are run; all when there is none.
type Chosen = (&'static str, &'static [&'static str]);

/// The tests that are run in it: cargo's name of the test, and of those of the black box those that begin with these words.
const TESTS: &[Chosen] = &[
    ("kernel", &[]),
    ("running", &[]),
    ("blackbox", &["apparmor::", "limits::"]),
    ("chapter_03", &[]),
    ("oci", &["confinement::", "criu::"]),
];

/// How cargo is asked for them. The packages in one command, so that they are compiled as the black-box tests' step does it.
const TEST_BINARIES: &[&str] = &[
    "test",
    "--no-run",
    "--package",
    "coracle",
    "--package",
    "cgroups",
    "--package",
    "transcripts",
    "--package",
    "runtime",
    "--test",
    "kernel",
    "--test",
    "running",
    "--test",
    "blackbox",
    "--test",
    "chapter_03",
    "--test",
    "oci",
];

/// The sessions' test, and what a reader runs in them.
const SESSIONS: [&[&str]; 2] = [
    &["test", "--no-run", "--package", "transcripts", "--test", "chapter_03"],
    &[
        "build",
        "--bins",
        "--examples",
        "--package",
        "chroot",
        "--package",
        "namespaces",
        "--package",
        "cgroups",
        "--package",
        "xtask",
    ],
];

/// What a foreign machine shows: that containers are made by that architecture's calls and numbers, and that its filter holds. What
/// it has no programs for is left to the others.
const FOREIGN_TESTS: &[Chosen] = &[
    ("kernel", &["::tests::", "limits_are", "running_out", "processes_are", "groups_that", "a_refused"]),
    ("roots", &[]),
    ("processes", &[]),
    ("running", &[]),
    ("oci", &["life::", "added::", "asked::", "confinement::", "mounts::"]),
];

/// How cargo is asked for them.
const FOREIGN_TEST_BINARIES: &[&str] = &[
    "test",
    "--no-run",
    "--package",
    "kernel",
    "--package",
    "chroot",
    "--package",
    "namespaces",
    "--package",
    "cgroups",
    "--package",
    "runtime",
    "--lib",
    "--test",
    "roots",
    "--test",
    "processes",
    "--test",
    "kernel",
    "--test",
    "running",
    "--test",
    "oci",
];

/// How it is asked for what a reader tries; and for what of it a foreign machine has, since a second engine is long in the making.
const BINARIES: &[&str] = &["build", "--bins"];
const FOREIGN_BINARIES: &[&str] = &[
    "build",
    "--bins",
    "--package",
    "chroot",
    "--package",
    "namespaces",
    "--package",
    "cgroups",
    "--package",
    "privileges",
    "--package",
    "runtime",
];

/// Cargo's command lines for this purpose.
pub fn builds(guest: &Guest, purpose: &Purpose<'_>) -> Vec<&'static [&'static str]> {
    match purpose {
        Purpose::Test(_) if guest.is_foreign() => vec![FOREIGN_TEST_BINARIES],
        Purpose::Test(_) => vec![TEST_BINARIES, SESSIONS[1]],
        Purpose::Sessions(_) => SESSIONS.to_vec(),
        Purpose::Shell | Purpose::Command(_) if guest.is_foreign() => vec![FOREIGN_BINARIES],
        Purpose::Shell | Purpose::Command(_) => vec![BINARIES],
    }
}

/// The tests of a machine.
pub fn tests(guest: &Guest) -> &'static [Chosen] {
    if guest.is_foreign() { FOREIGN_TESTS } else { TESTS }
}

/// Runs each of the tests, shows what failed, and tells at the end what was skipped.
pub fn script(
    executables: &[Executable],
    only: Option<&str>,
    workspace: &Path,
    tests: &[(&str, &[&str])],
) -> String {
    let mut script = format!(
        "chosen={} INSTA_WORKSPACE_ROOT='{}' sessions={}\n{}",
        only.map_or("", |_| "yes"),
        workspace.display(),
        contents::RECORDED,
        include_str!("tests.sh")
    );
    let usual = tests.iter().map(|(name, prefixes)| (security::USUAL, *name, *prefixes));
    for (module, name, prefixes) in usual.chain(security::OTHERS.iter().copied()) {
        let tests = executables.iter().filter(|executable| executable.is_test && executable.name == name);
        let words: Vec<&str> = only.map_or(prefixes.to_vec(), |only| vec![only]);
        for path in tests.map(|executable| executable.path.display()) {
            script += &format!("under {module} {name} {path} {}\n", words.join(" "));
        }
    }
    script + "finish\n"
}
