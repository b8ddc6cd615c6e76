//! Long tail: cgroup v1, where each controller has a hierarchy and files of its own. The one place that knows them.

use crate::plan::{Otherwise, SWAP_BELOW_MEMORY, Write};
use crate::{Hierarchy, Layout, Limits, disks, more};

impl Hierarchy {
    /// Whether this controller is bound to it.
    pub fn has(&self, controller: &str) -> bool {
        self.name.split(',').any(|own| own == controller)
    }
}

impl Layout {
    /// The hierarchy of v1 that a controller is bound to.
    pub fn hierarchy(&self, controller: &str) -> Option<&Hierarchy> {
        self.v1.iter().find(|hierarchy| hierarchy.has(controller))
    }

    /// A mount of v1, whose options name its controllers; a second mount of the same hierarchy adds nothing.
    pub(crate) fn add_v1(&mut self, options: &str, mount: &str) {
        let words = options.split(',').filter(|word| !is_option(word));
        let name = words.collect::<Vec<_>>().join(",");
        if self.v1.iter().all(|hierarchy| hierarchy.name != name) {
            self.v1.push(Hierarchy { name, mount: mount.into() });
        }
    }
}

/// Words of a mount that are no controller.
fn is_option(word: &str) -> bool {
    let options = [
        "rw",
        "ro",
        "xattr",
        "noprefix",
        "clone_children",
        "cpuset_v2_mode",
        "seclabel",
        "relatime",
        "release_agent",
    ];
    options.iter().any(|option| word == *option || word.starts_with(&format!("{option}=")))
}

/// The name that a controller of v2 has on v1.
pub fn name(controller: &str) -> &str {
    if controller == "io" { "blkio" } else { controller }
}

/// What one controller is told on v1, in the spec's own units, which were v1's.
pub fn translate(controller: &str, limits: &Limits) -> Result<Vec<Write>, String> {
    Ok(match controller {
        "memory" => memory(limits)?,
        "cpu" => cpu(limits),
        "io" => disks::v1(&limits.disks),
        "hugetlb" => {
            more::pages(limits, "limit_in_bytes").into_iter().map(|write| on("hugetlb", write)).collect()
        }
        // The others are told the same in files of the same names.
        same => crate::plan::v2(same, limits)?.into_iter().map(|write| on(same, write)).collect(),
    })
}

/// The same for a controller's own hierarchy.
pub fn on(controller: &str, write: Write) -> Write {
    Write { controller: Some(controller.into()), ..write }
}

fn write(controller: &str, file: impl Into<String>, value: impl ToString) -> Write {
    on(controller, crate::plan::write(file, value))
}

/// Memory before memory and swap together: the kernel holds the one never above the other.
fn memory(limits: &Limits) -> Result<Vec<Write>, String> {
    let given = |limit: Option<i64>| limit.filter(|bytes| *bytes != 0);
    let (memory, both) = (given(limits.memory), given(limits.memory_swap));
    if matches!((memory, both), (Some(memory), Some(both)) if both > 0 && both < memory) {
        return Err(SWAP_BELOW_MEMORY.into());
    }
    let write = |file: &str, value: i64| write("memory", file, value);
    let mut steps = Vec::new();
    steps.extend(memory.map(|bytes| write("memory.limit_in_bytes", bytes)));
    steps.extend(both.map(|bytes| Write {
        otherwise: if bytes < 0 { Otherwise::PassOver } else { Otherwise::Refuse },
        ..write("memory.memsw.limit_in_bytes", bytes)
    }));
    steps.extend(given(limits.memory_reservation).map(|bytes| write("memory.soft_limit_in_bytes", bytes)));
    steps.extend(limits.further.memory_swappiness.map(|percent| write("memory.swappiness", percent as i64)));
    steps.extend(limits.further.oom_kill_disable.then(|| write("memory.oom_control", 1)));
    Ok(steps)
}

/// The period before the quota, which is checked against it.
fn cpu(limits: &Limits) -> Vec<Write> {
    let shares = limits.cpu_shares.filter(|_| limits.cpu_idle != Some(1));
    let files = [
        ("cpu.shares", shares.map(|shares| shares as i64)),
        ("cpu.cfs_period_us", limits.cpu_period.map(|period| period as i64)),
        ("cpu.cfs_quota_us", limits.cpu_quota),
    ];
    let given = files.into_iter().filter_map(|(file, value)| Some((file, value?)));
    let given = given.filter(|(_, value)| *value != 0).map(|(file, value)| write("cpu", file, value));
    let burst = limits.cpu_burst.map(|burst| write("cpu", "cpu.cfs_burst_us", burst));
    let idle = limits.cpu_idle.map(|idle| write("cpu", "cpu.idle", idle));
    idle.into_iter().chain(given).chain(burst).collect()
}
