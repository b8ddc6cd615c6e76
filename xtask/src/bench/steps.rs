//! Where the time of a container goes: what each step costs the kernel alone, and how often a runtime asks it for anything.

use super::command;
use super::report::Unit;
use super::runtime::Sample;
use crate::Result;
use std::path::Path;
use std::process::Command;

/// The floor's steps, in the order in which it prints them.
const STEPS: [&str; 4] = [
    "the floor's clone3 into six namespaces",
    "the floor's eight mounts",
    "the floor's pivot_root and umount",
    "the floor's exec, true, and the end of the namespaces",
];

/// How many system calls one `run` makes.
const CALLS: &str = "system calls of run, the container's own included";

/// What each step of the floor took.
pub fn of_the_floor(folder: &Path) -> Result<Vec<Sample>> {
    let printed =
        command::output(Command::new(folder.join("floor")).arg(folder.join("rootfs")).arg("steps"))?;
    let samples = STEPS.iter().zip(printed.lines()).map(|(step, line)| {
        let nanoseconds: f64 = line.parse().map_err(|error| format!("floor: {line}: {error}"))?;
        Ok((*step, Unit::Time, nanoseconds / 1e6))
    });
    samples.collect()
}

/// The system calls that a command and all that it starts make, as strace(1) counts them.
pub fn calls(command: &Command, folder: &Path) -> Result<Sample> {
    let counts = folder.join("calls");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-c", "-U", "calls,name", "-o"]).arg(&counts);
    command::output(strace.arg(command.get_program()).args(command.get_args()))?;
    let table = std::fs::read_to_string(&counts).map_err(|error| format!("{}: {error}", counts.display()))?;
    let total = table.lines().find_map(|line| line.trim().strip_suffix("total")?.trim().parse().ok());
    Ok((CALLS, Unit::Count, total.ok_or_else(|| format!("strace told no total: {table}"))?))
}
