//! Who is measured, and which programs that takes.

use super::command;
use super::targets::OURS;
use crate::Result;
use crate::setup::is_installed;
use std::process::Command;

/// One that is measured.
pub struct Contender {
    /// As in the table and after `--without`.
    pub name: &'static str,
    suites: &'static [&'static str],
    program: &'static str,
    /// Whether the bench goes on without it unasked.
    optional: bool,
}

const fn contender(name: &'static str, program: &'static str, suites: &'static [&'static str]) -> Contender {
    Contender { name, suites, program, optional: false }
}

static CONTENDERS: &[Contender] = &[
    contender("floor", "gcc", &["runtime"]),
    contender(OURS, "cargo", &["runtime", "engine", "images"]),
    contender("crun", "crun", &["runtime"]),
    contender("runc", "runc", &["runtime"]),
    Contender { optional: true, ..contender("youki", "youki", &["runtime"]) },
    contender("dockerd", "dockerd", &["engine", "images"]),
    Contender { optional: true, ..contender("podman", "podman", &["engine"]) },
    contender("pipe", "curl", &["images"]),
];

/// What the suites need besides the contenders: the program, and the suites.
static TOOLS: &[(&str, &[&str])] = &[
    ("busybox", &["runtime", "engine"]),
    ("strace", &["runtime"]),
    ("ip", &["engine", "images"]),
    ("docker", &["engine", "images"]),
    ("skopeo", &["engine", "images"]),
    ("docker-registry", &["engine", "images"]),
    ("debootstrap", &["engine", "images"]),
];

/// Who takes part in this suite.
///
/// # Errors
/// A peer or a tool that is missing, and a name after `--without` that nobody has.
pub fn of(suite: &str, without: &[String]) -> Result<Vec<&'static Contender>> {
    let mut present = Vec::new();
    for name in without {
        if !CONTENDERS.iter().any(|contender| contender.name == name) {
            return Err(format!("--without {name}: there is no such contender"));
        }
    }
    for contender in CONTENDERS.iter().filter(|contender| contender.suites.contains(&suite)) {
        let Contender { name, program, .. } = contender;
        match (without.iter().any(|left_out| left_out == name), is_installed(program)) {
            (true, _) => {}
            (false, true) => present.push(contender),
            (false, false) if contender.optional => {}
            (false, false) => {
                return Err(format!("{program} is missing; install it, or say --without {name}"));
            }
        }
    }
    let missing = TOOLS.iter().find(|(program, suites)| suites.contains(&suite) && !is_installed(program));
    match missing {
        Some((program, _)) => Err(format!("{program} is missing, and this bench cannot do without it")),
        None => Ok(present),
    }
}

/// Those of the suite who do not take part.
pub fn left_out(suite: &str, present: &[&Contender]) -> Vec<&'static str> {
    let of_suite = CONTENDERS.iter().filter(|contender| contender.suites.contains(&suite));
    let absent = of_suite.filter(|contender| !present.iter().any(|other| other.name == contender.name));
    absent.map(|contender| contender.name).collect()
}

impl Contender {
    /// The first line that the program says about its version.
    pub fn version(&self) -> String {
        let said = command::output(Command::new(self.program).arg("--version")).unwrap_or_default();
        said.lines().next().unwrap_or("unknown").to_owned()
    }
}
