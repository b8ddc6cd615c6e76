//! What a participant reads: the exercises, and the results of a check.

use crate::Result;
use crate::checks::{CheckResult, Verdict};
use crate::exercise::{ALL, Exercise};
use crate::folder::command;
use crate::{folder, holes};
use nix::unistd::geteuid;
use serde_json::{Value, json};
use std::path::Path;

/// The exercises, and how far each is.
pub fn list() -> Result<()> {
    for exercise in ALL {
        let (_, folder) = folder::find(Some(exercise.number), None)?;
        let state = match folder::recall(&folder) {
            Err(_) => format!("not begun: cargo course start {}", exercise.number),
            Ok(memory) => {
                format!(
                    "{} of {} checks hold, in {}",
                    memory.held.len(),
                    exercise.checks.len(),
                    folder.display()
                )
            }
        };
        println!("{}  {}\n    {state}", exercise.chapter, exercise.task);
    }
    Ok(())
}

/// A check a line; of the first that failed, everything that is known.
pub fn print(exercise: &Exercise, folder: &Path, results: &[CheckResult]) {
    for result in results {
        let sign = match &result.verdict {
            Verdict::Held(_) => "holds",
            Verdict::Failed(_) => "FAILS",
            Verdict::Unchecked(_) => "  ?  ",
        };
        println!("{sign}  {:<24} {}", result.check.name, result.check.contract);
        match &result.verdict {
            Verdict::Held(seen) => println!("{:33}{seen}", ""),
            Verdict::Unchecked(why) => println!("{:33}not checked: {why}", ""),
            Verdict::Failed(_) => {}
        }
    }
    let failed = results.iter().filter(|result| result.verdict.is_failure()).count();
    let first = results.iter().find_map(|result| Some((result.check, result.verdict.fault()?)));
    match first {
        None => println!(
            "\n{}{} Yours beside ours: {}",
            all_hold(results),
            less_without_root(exercise, geteuid().is_root()),
            command("diff", exercise, folder)
        ),
        Some((check, fault)) => {
            let place = exercise.hole(&fault.seen).map(|hole| format!("  where     {}\n", hole.place()));
            println!(
                "\n{failed} of {} fail{}. The first is `{}`:\n  expected  {}\n  seen      {}\n{}Stuck? {}",
                results.len(),
                still_holes(exercise, folder),
                check.name,
                fault.expected,
                fault.seen,
                place.unwrap_or_default(),
                command("hint", exercise, folder)
            );
        }
    }
}

/// How far the participant is, whatever checks wait for one hole.
fn still_holes(exercise: &Exercise, folder: &Path) -> String {
    let source = |file: &str| folder::read_file(&folder.join("src").join(file)).unwrap_or_default();
    match holes::left(exercise.holes, source) {
        0 => String::new(),
        left => format!("; {left} of {} functions are still holes", exercise.holes.len()),
    }
}

/// What of it an ordinary user's run has not shown.
fn less_without_root(exercise: &Exercise, is_root: bool) -> String {
    match exercise.less_without_root {
        _ if is_root => String::new(),
        [] => String::new(),
        names => format!(" As an ordinary user you are shown less by {}: root sees more.", names.join(", ")),
    }
}

/// That everything holds, and what of it nobody has seen.
fn all_hold(results: &[CheckResult]) -> String {
    let is_unchecked = |result: &&CheckResult| matches!(result.verdict, Verdict::Unchecked(_));
    let unchecked: Vec<&str> = results.iter().filter(is_unchecked).map(|result| result.check.name).collect();
    match unchecked.as_slice() {
        [] => format!("All {} hold.", results.len()),
        names => format!(
            "All {} hold that can be checked here; not checked: {}.",
            results.len() - names.len(),
            names.join(", ")
        ),
    }
}

/// The results for programs.
pub fn json(results: &[CheckResult]) -> Value {
    let one = |result: &CheckResult| {
        let (outcome, seen, expected, hint) = match &result.verdict {
            Verdict::Held(seen) => ("held", seen, None, None),
            Verdict::Unchecked(why) => ("unchecked", why, None, None),
            Verdict::Failed(fault) => ("failed", &fault.seen, Some(&fault.expected), Some(fault.hint)),
        };
        json!({ "check": result.check.name, "outcome": outcome, "seen": seen, "expected": expected, "hint": hint })
    };
    results.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ordinary_user_is_told_which_checks_see_less() {
        for exercise in ALL {
            let is_check = |name: &&str| exercise.checks.iter().any(|check| check.name == *name);
            assert!(exercise.less_without_root.iter().all(is_check), "{}", exercise.number);
            assert_eq!(less_without_root(exercise, true), "");
        }
        let told = less_without_root(ALL[0], false);
        let names =
            "only-what-is-asked, id-maps, root-inside, loopback, a-failed-entry, an-ordinary-caller, clocks";
        assert_eq!(told, format!(" As an ordinary user you are shown less by {names}: root sees more."));
    }
}
