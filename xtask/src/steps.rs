//! Steps of a run: each is announced, timed, and counted as passed, failed or skipped with its reason.

use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// Longer than any step takes: what is not done by then hangs, and the step fails by name.
const STEP_MAX: Duration = Duration::from_secs(30 * 60);
/// What takes longer is told by the summary: it decides how long the whole run takes.
const LONG: Duration = Duration::from_secs(30);
/// How often a step's command is looked at.
const LOOK: Duration = Duration::from_millis(50);

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
    long: Vec<(String, Duration)>,
}

impl Steps {
    /// Runs a command as a step; it fails when the command does, hangs or cannot be started.
    pub fn command(&mut self, name: &str, command: &mut Command) {
        self.check(name, || match command.spawn() {
            Ok(child) => wait(child, STEP_MAX),
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
        let took = start.elapsed();
        println!("── {name}: {:.1} s", took.as_secs_f32());
        if took > LONG {
            self.long.push((name.into(), took));
        }
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
        for (name, took) in &self.long {
            println!("  {:>5.0} s  {name}", took.as_secs_f32());
        }
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

/// Waits for a command; one that hangs is ended, with what it has started.
fn wait(mut child: Child, limit: Duration) -> Result<(), String> {
    let deadline = Instant::now() + limit;
    loop {
        match child.try_wait().map_err(|error| error.to_string())? {
            Some(status) if status.success() => return Ok(()),
            Some(status) => return Err(status.to_string()),
            None if Instant::now() < deadline => std::thread::sleep(LOOK),
            None => {
                let family = family(child.id());
                let _ = Command::new("kill").arg("-KILL").args(&family).status();
                let _ = child.wait();
                return Err(format!("hangs: not done in {} minutes", limit.as_secs() / 60));
            }
        }
    }
}

/// A process and all its descendants, as far as none of those between has ended.
fn family(pid: u32) -> Vec<String> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let children = pids.filter(|child| parent_of(*child) == Some(pid));
    children.flat_map(family).chain([pid.to_string()]).collect()
}

/// The fourth field of /proc/PID/stat; the second, a name in parentheses, may have spaces (proc(5)).
fn parent_of(pid: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_hangs_is_ended_with_what_it_started() {
        let mut shell = Command::new("sh");
        let child = shell.args(["-c", "sleep 600; true"]).spawn().unwrap();
        let pid = child.id();
        while family(pid).len() < 2 {
            std::thread::sleep(LOOK);
        }
        let started: Vec<String> = family(pid);
        assert!(wait(child, Duration::ZERO).unwrap_err().starts_with("hangs"));
        let lives = |pid: &String| {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            !stat.is_empty() && !stat.contains(") Z")
        };
        let deadline = Instant::now() + Duration::from_secs(10);
        while started.iter().any(lives) {
            assert!(Instant::now() < deadline, "some of {started:?} live on");
            std::thread::sleep(LOOK);
        }
    }
}
