//! The plan: which file of which hierarchy gets which value, in order. Pure.

use crate::{DeviceRule, Layout, Limits, more, v1};
use serde::{Deserialize, Serialize};

/// One step of limiting a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Op {
    /// Writes a value to a file of the group.
    Write(Write),
    /// Loads a program that judges every opening of a device (v2 has no files for it).
    Devices(Vec<DeviceRule>),
}

/// A value for a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Write {
    /// The controller whose hierarchy it is on v1; none on v2.
    pub controller: Option<String>,
    /// The file.
    pub file: String,
    /// The value.
    pub value: String,
    /// When the kernel has no such file.
    pub otherwise: Otherwise,
}

/// What is done when the kernel has no such file: controllers are compiled in by parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Otherwise {
    /// Nothing can be limited; said by the file's name.
    Refuse,
    /// The value says what is true without the file anyway.
    PassOver,
    /// Another file of the same controller, and the value in its unit.
    Use(String, String),
}

/// The controllers that everybody asks something of, by their names on v2.
const CONTROLLERS: [&str; 4] = ["memory", "cpu", "cpuset", "pids"];

/// The steps that set these limits; the error names a limit that this machine cannot set.
pub fn plan(layout: &Layout, limits: &Limits) -> Result<Vec<Op>, String> {
    let limits = &accountable(layout, limits);
    let mut steps = Vec::new();
    for controller in CONTROLLERS {
        steps.extend(told(layout, controller, limits)?.into_iter().map(Op::Write));
    }
    if limits.has_more() {
        steps.extend(more::steps(layout, limits)?);
    }
    Ok(steps)
}

/// What a controller is told, in the words of the hierarchy that it is bound to.
pub fn told(layout: &Layout, controller: &str, limits: &Limits) -> Result<Vec<Write>, String> {
    if !layout.v1.is_empty() && layout.hierarchy(v1::name(controller)).is_some() {
        return v1::translate(controller, limits);
    }
    let writes = v2(controller, limits)?;
    let is_there = layout.unified_controllers.iter().any(|own| own == controller);
    if is_there || writes.is_empty() { Ok(writes) } else { Err(more::not_there(controller)) }
}

/// What of these limits this kernel cannot keep, and is set without it all the same, in Docker's words.
pub fn warnings(layout: &Layout, limits: &Limits) -> Vec<String> {
    let is_dropped = accountable(layout, limits) != *limits;
    let warning = "Your kernel does not support swap limit capabilities or the cgroup is not mounted. \
                   Memory limited without swap.";
    is_dropped.then(|| warning.to_string()).into_iter().collect()
}

/// Without swap accounting memory is limited alone, as Docker does it.
fn accountable(layout: &Layout, limits: &Limits) -> Limits {
    let is_limited =
        limits.memory.is_some_and(|bytes| bytes > 0) && limits.memory_swap.is_some_and(|both| both > 0);
    let memory_swap = limits.memory_swap.filter(|_| layout.accounts_swap || !is_limited);
    Limits { memory_swap, ..limits.clone() }
}

/// What a controller of v2 is told.
pub fn v2(controller: &str, limits: &Limits) -> Result<Vec<Write>, String> {
    Ok(match controller {
        "memory" => memory(limits)?,
        "cpu" => cpu(limits),
        "cpuset" => cpuset(limits),
        "pids" => pids(limits),
        rare => more::v2(rare, limits),
    })
}

/// A value for a file of v2 that must be there.
pub fn write(file: impl Into<String>, value: impl ToString) -> Write {
    Write { controller: None, file: file.into(), value: value.to_string(), otherwise: Otherwise::Refuse }
}

/// -1 is v2's `max`.
fn or_max(value: i64) -> String {
    if value < 0 { "max".into() } else { value.to_string() }
}

fn memory(limits: &Limits) -> Result<Vec<Write>, String> {
    let mut steps = Vec::new();
    let given = |limit: Option<i64>| limit.filter(|bytes| *bytes != 0);
    steps.extend(given(limits.memory).map(|bytes| write("memory.max", or_max(bytes))));
    steps.extend(given(limits.memory_reservation).map(|bytes| write("memory.low", or_max(bytes))));
    let swap = swap(limits.memory.unwrap_or_default(), limits.memory_swap.unwrap_or_default())?;
    steps.extend(swap.map(|bytes| Write {
        // Without swap nothing is swapped, and nothing needs to be unlimited.
        otherwise: if bytes > 0 { Otherwise::Refuse } else { Otherwise::PassOver },
        ..write("memory.swap.max", or_max(bytes))
    }));
    Ok(steps)
}

/// v2 limits swap by itself, where the spec counts memory and swap together; in both 0 is not said, and -1 no limit.
fn swap(memory: i64, both: i64) -> Result<Option<i64>, String> {
    match (memory, both) {
        (-1, 0) | (_, -1) => Ok(Some(-1)),
        (_, 0) => Ok(None),
        (..=0, _) => Err("unable to set swap limit without memory limit".into()),
        _ if both < memory => Err(SWAP_BELOW_MEMORY.into()),
        _ => Ok(Some(both - memory)),
    }
}

/// Docker's words.
pub const SWAP_BELOW_MEMORY: &str = "memory+swap limit should be >= memory limit";

fn cpu(limits: &Limits) -> Vec<Write> {
    let mut steps = Vec::new();
    steps.extend(limits.cpu_idle.map(|idle| write("cpu.idle", idle)));
    // The kernel refuses a weight of a group that is idle.
    let shares = limits.cpu_shares.filter(|shares| *shares > 0 && limits.cpu_idle != Some(1));
    steps.extend(shares.map(|shares| write("cpu.weight", weight(shares))));
    let (quota, period) = (limits.cpu_quota.unwrap_or_default(), limits.cpu_period.unwrap_or_default());
    if quota != 0 || period != 0 {
        let quota = if quota > 0 { quota.to_string() } else { "max".into() };
        let period = if period > 0 { period } else { DEFAULT_PERIOD };
        steps.push(write("cpu.max", format_args!("{quota} {period}")));
    }
    // After the quota, which it may not exceed.
    steps.extend(limits.cpu_burst.map(|burst| write("cpu.max.burst", burst)));
    steps
}

/// Microseconds; the kernel's own.
const DEFAULT_PERIOD: u64 = 100_000;

/// Shares of v1, 2 to 262144, as a weight of v2, 1 to 10000: on a straight line, as runtimes did until 2025.
fn weight(shares: u64) -> u64 {
    1 + (shares.clamp(2, 262_144) - 2) * 9999 / 262_142
}

fn cpuset(limits: &Limits) -> Vec<Write> {
    let files = [("cpuset.cpus", &limits.cpuset_cpus), ("cpuset.mems", &limits.cpuset_mems)];
    let given = files.into_iter().filter_map(|(file, value)| Some((file, value.as_deref()?)));
    given.filter(|(_, value)| !value.is_empty()).map(|(file, value)| write(file, value)).collect()
}

fn pids(limits: &Limits) -> Vec<Write> {
    let count = limits.pids.filter(|count| *count != 0);
    count.map(|count| write("pids.max", or_max(count))).into_iter().collect()
}

#[cfg(test)]
mod tests;
