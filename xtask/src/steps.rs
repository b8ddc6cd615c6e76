//! Steps of a run: each is announced, timed, and counted as passed, failed or skipped with its reason.

use std::process::Command;
use std::time::Instant;

/// What became of a step.
enum Outcome {
    Passed,
    Failed(String),
    Skipped(String),
}

/// The steps of one run so far, in order.
#[derive(Default)]
pub struct Steps {
    done: Vec<(String, Outcome)>,
}

impl Steps {
    /// Runs a command as a step; it fails when the command does or cannot be started.
    pub fn command(&mut self, name: &str, command: &mut Command) {
        self.check(name, || match command.status() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(status.to_string()),
            Err(error) => Err(format!("{:?} cannot be started: {error}", command.get_program())),
        });
    }

    /// Runs a function as a step.
    pub fn check(&mut self, name: &str, work: impl FnOnce() -> Result<(), String>) {
        println!("\n── {name}");
        let start = Instant::now();
        let outcome = match work() {
            Ok(()) => Outcome::Passed,
            Err(why) => Outcome::Failed(why),
        };
        if let Outcome::Failed(why) = &outcome {
            println!("── {name} FAILED: {why}");
        }
        println!("── {name}: {:.1} s", start.elapsed().as_secs_f32());
        self.done.push((name.into(), outcome));
    }

    /// Records that a step was not run, and why; the summary names it.
    pub fn skip(&mut self, name: &str, why: &str) {
        println!("\n── {name} SKIPPED: {why}");
        self.done.push((name.into(), Outcome::Skipped(why.into())));
    }

    /// Prints the plain summary; an error when a step failed.
    pub fn summary(self) -> Result<(), String> {
        let (mut passed, mut failed, mut skipped) = (0, 0, 0);
        println!("\nSummary");
        for (name, outcome) in &self.done {
            match outcome {
                Outcome::Passed => passed += 1,
                Outcome::Failed(why) => {
                    failed += 1;
                    println!("  failed   {name}: {why}");
                }
                Outcome::Skipped(why) => {
                    skipped += 1;
                    println!("  skipped  {name}: {why}");
                }
            }
        }
        println!("{passed} passed, {failed} failed, {skipped} skipped");
        if failed == 0 { Ok(()) } else { Err(format!("{failed} of the steps failed")) }
    }
}
