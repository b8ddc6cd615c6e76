//! Long tail: what a group has used so far, read from its files: plain data, in one unit for v1 and v2.

use crate::{Cgroup, Pressure, files};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// What a group has used; what this machine does not count is zero or empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statistics {
    /// Processor time.
    pub cpu: CpuStatistics,
    /// Memory alone.
    pub memory: Gauge,
    /// Memory and swap together.
    pub memory_and_swap: Gauge,
    /// Memory of the kernel's own (v1 alone).
    pub kernel_memory: Gauge,
    /// Of that, the buffers of TCP (v1 alone).
    pub tcp_memory: Gauge,
    /// What `memory.stat` counts, as the kernel names it.
    pub memory_details: BTreeMap<String, u64>,
    /// Processes and threads.
    pub pids: Gauge,
    /// Bytes that were moved to and from disks.
    pub disk_bytes: Vec<DiskCount>,
    /// How often.
    pub disk_operations: Vec<DiskCount>,
    /// Large pages, by their size's name: `2MB`.
    pub hugetlb: BTreeMap<String, Gauge>,
    /// How long processes stood still, by what they wanted: `cpu`, `memory`, `io`.
    pub pressure: BTreeMap<String, Pressure>,
}

/// Processor time, all in nanoseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CpuStatistics {
    /// Altogether.
    pub total: u64,
    /// In programs.
    pub user: u64,
    /// In the kernel, for programs.
    pub kernel: u64,
    /// On each processor (v1 alone).
    pub per_cpu: Vec<u64>,
    /// Periods in which there was a quota.
    pub periods: u64,
    /// Of these, how many it was too short for.
    pub throttled_periods: u64,
    /// How long there was something to run and no quota left.
    pub throttled: u64,
}

/// What is used of what is limited.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gauge {
    /// Now.
    pub usage: u64,
    /// At most so far; zero where nobody kept it.
    pub peak: u64,
    /// `u64::MAX` is no limit.
    pub limit: u64,
    /// How often the limit was in the way.
    pub failures: u64,
}

/// A count of one disk and one sort of operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskCount {
    /// The disk's driver.
    pub major: u64,
    /// The driver's disk.
    pub minor: u64,
    /// `Read`, `Write`, `Discard`, and on v1 `Sync`, `Async`, `Total`.
    pub operation: String,
    /// How much, or how often.
    pub value: u64,
}

/// How long v1's unit of time is: a hundred of them are a second everywhere (`USER_HZ`, times(2)).
const NANOSECONDS_PER_TICK: u64 = 10_000_000;

impl Cgroup {
    /// What the group has used so far.
    pub fn statistics(&self) -> Statistics {
        let mut statistics = Statistics::default();
        self.count_cpu(&mut statistics.cpu);
        self.count_memory(&mut statistics);
        if let Some(folder) = self.folder_of("pids") {
            let failures = files::keyed(&folder.join("pids.events"), "max").unwrap_or_default();
            statistics.pids = Gauge { failures, ..gauge(folder, ["pids.current", "pids.peak", "pids.max"]) };
        }
        self.count_disks(&mut statistics);
        self.count_large_pages(&mut statistics);
        statistics.pressure = self.pressure();
        statistics
    }

    /// Where a controller's files are: in its hierarchy of v1, or in v2.
    pub(crate) fn folder_of(&self, controller: &str) -> Option<&Path> {
        self.v1_folder(controller).or_else(|| self.unified_folder())
    }

    fn count_cpu(&self, cpu: &mut CpuStatistics) {
        let stat = |folder: &Path, key: &str| files::keyed(&folder.join("cpu.stat"), key).unwrap_or_default();
        if let Some(folder) = self.folder_of("cpu") {
            cpu.periods = stat(folder, "nr_periods");
            cpu.throttled_periods = stat(folder, "nr_throttled");
            cpu.throttled = stat(folder, "throttled_time").max(stat(folder, "throttled_usec") * 1000);
        }
        if let Some(folder) = self.v1_folder("cpuacct") {
            let ticks = |key| files::keyed(&folder.join("cpuacct.stat"), key).unwrap_or_default();
            cpu.total = number(folder, "cpuacct.usage");
            cpu.user = ticks("user") * NANOSECONDS_PER_TICK;
            cpu.kernel = ticks("system") * NANOSECONDS_PER_TICK;
            let each = files::read(&folder.join("cpuacct.usage_percpu")).unwrap_or_default();
            cpu.per_cpu = each.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        } else if let Some(folder) = self.unified_folder() {
            cpu.total = stat(folder, "usage_usec") * 1000;
            cpu.user = stat(folder, "user_usec") * 1000;
            cpu.kernel = stat(folder, "system_usec") * 1000;
        }
    }

    fn count_memory(&self, statistics: &mut Statistics) {
        let Some(folder) = self.folder_of("memory") else { return };
        let text = files::read(&folder.join("memory.stat")).unwrap_or_default();
        let entry = |line: &str| {
            let (name, value) = line.split_once(' ')?;
            Some((name.to_string(), value.parse().ok()?))
        };
        statistics.memory_details = text.lines().filter_map(entry).collect();
        if self.v1_folder("memory").is_some() {
            let gauge_of = |kind: &str| {
                let file = |name: &str| format!("memory.{kind}{name}");
                let failures = number(folder, &file("failcnt"));
                let names = [file("usage_in_bytes"), file("max_usage_in_bytes"), file("limit_in_bytes")];
                Gauge { failures, ..gauge(folder, names) }
            };
            statistics.memory = gauge_of("");
            statistics.memory_and_swap = gauge_of("memsw.");
            statistics.kernel_memory = gauge_of("kmem.");
            statistics.tcp_memory = gauge_of("kmem.tcp.");
            return;
        }
        let failures = files::keyed(&folder.join("memory.events"), "max").unwrap_or_default();
        let memory = gauge(folder, ["memory.current", "memory.peak", "memory.max"]);
        let swap = gauge(folder, ["memory.swap.current", "memory.swap.peak", "memory.swap.max"]);
        statistics.memory = Gauge { failures, ..memory };
        // v2 counts swap by itself; together they are what v1 and the spec speak of.
        statistics.memory_and_swap = Gauge {
            usage: memory.usage + swap.usage,
            limit: memory.limit.saturating_add(swap.limit),
            ..Gauge::default()
        };
    }

    fn count_disks(&self, statistics: &mut Statistics) {
        if let Some(folder) = self.v1_folder("blkio") {
            let read = |file: &str| files::read(&folder.join(file)).unwrap_or_default();
            statistics.disk_bytes = disks_of_v1(&read("blkio.throttle.io_service_bytes_recursive"));
            statistics.disk_operations = disks_of_v1(&read("blkio.throttle.io_serviced_recursive"));
        } else if let Some(folder) = self.unified_folder() {
            let text = files::read(&folder.join("io.stat")).unwrap_or_default();
            statistics.disk_bytes = disks_of_v2(&text, "bytes");
            statistics.disk_operations = disks_of_v2(&text, "ios");
        }
    }

    fn count_large_pages(&self, statistics: &mut Statistics) {
        let Some(folder) = self.folder_of("hugetlb") else { return };
        let is_v1 = self.v1_folder("hugetlb").is_some();
        let usage = if is_v1 { ".usage_in_bytes" } else { ".current" };
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = entry.file_name().into_string().unwrap_or_default();
            let size = name.strip_prefix("hugetlb.").and_then(|name| name.strip_suffix(usage));
            let Some(size) = size.filter(|size| !size.contains('.')) else { continue };
            let file = |name: &str| format!("hugetlb.{size}.{name}");
            let counted = if is_v1 {
                let names = [file("usage_in_bytes"), file("max_usage_in_bytes"), file("limit_in_bytes")];
                Gauge { failures: number(folder, &file("failcnt")), ..gauge(folder, names) }
            } else {
                let failures = files::keyed(&folder.join(file("events")), "max").unwrap_or_default();
                Gauge { failures, ..gauge(folder, [file("current"), file("peak"), file("max")]) }
            };
            statistics.hugetlb.insert(size.to_string(), counted);
        }
    }
}

/// From three files: what is used, what was at most, the limit.
fn gauge(folder: &Path, [usage, peak, limit]: [impl AsRef<str>; 3]) -> Gauge {
    Gauge {
        usage: number(folder, usage.as_ref()),
        peak: number(folder, peak.as_ref()),
        limit: number(folder, limit.as_ref()),
        failures: 0,
    }
}

/// The number that is all of a file; `max` is the largest.
fn number(folder: &Path, file: &str) -> u64 {
    let text = std::fs::read_to_string(folder.join(file)).unwrap_or_default();
    if text.trim() == "max" { u64::MAX } else { text.trim().parse().unwrap_or_default() }
}

/// `254:0 Read 4096`; the sum at the end has no disk.
fn disks_of_v1(text: &str) -> Vec<DiskCount> {
    let count = |line: &str| {
        let mut words = line.split_whitespace();
        let (major, minor) = words.next()?.split_once(':')?;
        Some(DiskCount {
            major: major.parse().ok()?,
            minor: minor.parse().ok()?,
            operation: words.next()?.into(),
            value: words.next()?.parse().ok()?,
        })
    };
    text.lines().filter_map(count).collect()
}

/// `254:0 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0`
fn disks_of_v2(text: &str, unit: &str) -> Vec<DiskCount> {
    let mut counts = Vec::new();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        let Some((major, minor)) = words.next().and_then(|disk| disk.split_once(':')) else { continue };
        let (Ok(major), Ok(minor)) = (major.parse(), minor.parse()) else { continue };
        for (key, value) in words.filter_map(|word| word.split_once('=')) {
            let operation = match key.strip_suffix(unit) {
                Some("r") => "Read",
                Some("w") => "Write",
                Some("d") => "Discard",
                _ => continue,
            };
            let value = value.parse().unwrap_or_default();
            counts.push(DiskCount { major, minor, operation: operation.into(), value });
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(operation: &str, value: u64) -> DiskCount {
        DiskCount { major: 254, minor: 3, operation: operation.into(), value }
    }

    #[test]
    fn disks_are_counted_alike() {
        let v1 = disks_of_v1("254:3 Read 4096\n254:3 Write 512\nTotal 4608\n");
        let text = "254:3 rbytes=4096 wbytes=512 rios=1 wios=7 dbytes=0 dios=0\n8:0 \n";
        assert_eq!(v1, [count("Read", 4096), count("Write", 512)]);
        assert_eq!(disks_of_v2(text, "bytes")[..2], v1);
        assert_eq!(disks_of_v2(text, "ios"), [count("Read", 1), count("Write", 7), count("Discard", 0)]);
    }
}
