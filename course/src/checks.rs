//! Runs an exercise's checks: each makes containers by the participant's crate, and looks at them from outside.

pub mod chance;
pub mod group;
pub mod knob;
pub mod language;
pub mod look;
pub mod process;
pub mod site;
pub mod socket;
pub mod stage;
pub mod trial;

use crate::Result;
use crate::exercise::{Check, Exercise};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::geteuid;
use std::path::Path;

pub use language::Language;
pub use stage::Stage;

/// What became of a check.
pub struct CheckResult {
    /// Which it was.
    pub check: &'static Check,
    /// How it went.
    pub verdict: Verdict,
}

/// How a check went.
pub enum Verdict {
    /// It holds; what was seen.
    Held(String),
    /// It does not.
    Failed(Fault),
    /// It cannot be looked at here; why.
    Unchecked(String),
}

impl Verdict {
    /// What is wrong, if anything.
    pub fn fault(&self) -> Option<&Fault> {
        if let Verdict::Failed(fault) = self { Some(fault) } else { None }
    }

    /// Whether something is wrong.
    pub fn is_failure(&self) -> bool {
        self.fault().is_some()
    }
}

/// What is wrong.
#[derive(Debug)]
pub struct Fault {
    /// What should have been seen.
    pub expected: String,
    /// What was.
    pub seen: String,
    /// The name of the hint that helps.
    pub hint: &'static str,
}

impl Fault {
    /// A fault, with the hint that belongs to it.
    pub fn new(expected: impl Into<String>, seen: impl Into<String>, hint: &'static str) -> Fault {
        Fault { expected: expected.into(), seen: seen.into(), hint }
    }
}

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Fault {
        Fault::new("the checks can look", error.to_string(), "not-our-fault")
    }
}

impl From<nix::errno::Errno> for Fault {
    fn from(error: nix::errno::Errno) -> Fault {
        std::io::Error::from(error).into()
    }
}

/// A root's spawn that forgets the UTS namespace gives its hostname to whoever called it; the machine shall keep its own.
fn keep_our_name() -> Result<()> {
    if !geteuid().is_root() {
        return Ok(());
    }
    unshare(CloneFlags::CLONE_NEWUTS).map_err(|error| format!("unshare(CLONE_NEWUTS): {error}"))
}

/// Which checks are carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Which {
    /// All of them.
    All,
    /// No further than the first that fails.
    ToTheFirstFailure,
    /// Those that do without the chapter's long tail.
    MainPath,
}

/// Runs the checks of an exercise on a program, in order.
pub fn run(exercise: &'static Exercise, program: &Path, which: Which) -> Result<Vec<CheckResult>> {
    // What a container leaves behind becomes our child, and is found.
    nix::sys::prctl::set_child_subreaper(true)
        .map_err(|error| format!("prctl(PR_SET_CHILD_SUBREAPER): {error}"))?;
    keep_our_name()?;
    let program = program.canonicalize().map_err(|error| format!("{}: {error}", program.display()))?;
    let stage = Stage::new(program, &exercise.harness.language);
    let mut results: Vec<CheckResult> = Vec::new();
    for check in exercise.checks {
        if which == Which::MainPath && check.is_of_the_long_tail {
            continue;
        }
        if which == Which::ToTheFirstFailure
            && results.last().is_some_and(|result| result.verdict.is_failure())
        {
            break;
        }
        let verdict = match (check.obstacle)(&stage) {
            Some(why) => Verdict::Unchecked(why),
            None => (check.observe)(&stage).map_or_else(Verdict::Failed, Verdict::Held),
        };
        if let Some(fault) = verdict.fault() {
            exercise.hint(fault.hint);
        }
        results.push(CheckResult { check, verdict });
    }
    Ok(results)
}
