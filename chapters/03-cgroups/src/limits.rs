//! What a group of processes may use: plain data, in the units of the OCI runtime spec (config-linux.md, "Control groups").

use crate::DeviceRule;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The limits; what is absent is not limited.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Bytes; -1 is no limit.
    pub memory: Option<i64>,
    /// Bytes of memory and swap together; -1 is no limit.
    pub memory_swap: Option<i64>,
    /// Bytes that are spared when memory is short.
    pub memory_reservation: Option<i64>,
    /// Microseconds of processor time in each period; -1 is no limit.
    pub cpu_quota: Option<i64>,
    /// Microseconds.
    pub cpu_period: Option<u64>,
    /// Microseconds of a quota that were not used and may be used later on, in one period (Linux 5.14).
    pub cpu_burst: Option<u64>,
    /// 1: they run only when nothing else does, and their share does not count (Linux 5.15).
    pub cpu_idle: Option<i64>,
    /// The share of the processors when they are contended, relative to 1024.
    pub cpu_shares: Option<u64>,
    /// Processors, as `0-1,3`.
    pub cpuset_cpus: Option<String>,
    /// Nodes of memory.
    pub cpuset_mems: Option<String>,
    /// Processes and threads; -1 is no limit.
    pub pids: Option<i64>,
    /// How readily memory is swapped out, 0 to 100; v1 alone.
    pub memory_swappiness: Option<u64>,
    /// Processes wait for memory where they would be killed; v1 alone.
    pub oom_kill_disable: bool,
    /// The share of the disks, 10 to 1000.
    pub blkio_weight: Option<u16>,
    /// The share of one disk.
    pub blkio_weight_devices: Vec<DeviceValue>,
    /// Bytes a second that are read from one disk.
    pub read_bytes: Vec<DeviceValue>,
    /// Bytes a second that are written to it.
    pub write_bytes: Vec<DeviceValue>,
    /// Reads a second.
    pub read_operations: Vec<DeviceValue>,
    /// Writes a second.
    pub write_operations: Vec<DeviceValue>,
    /// Bytes in pages of a size, by the size's name: `2MB`.
    pub hugetlb: BTreeMap<String, u64>,
    /// Which devices may be used; the last rule that fits decides.
    pub devices: Vec<DeviceRule>,
    /// Files of v2 and their values, as they are.
    pub unified: BTreeMap<String, String>,
}

/// A limit of one disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceValue {
    /// The disk's driver.
    pub major: u32,
    /// The driver's disk.
    pub minor: u32,
    /// The limit.
    pub value: u64,
}

impl std::fmt::Display for DeviceValue {
    /// As a line of v1: `254:0 1048576`.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}:{} {}", self.major, self.minor, self.value)
    }
}

impl Limits {
    /// Whether nothing is limited. Rules for devices do not count where there is no group: an ordinary user opens no others anyway.
    pub fn is_empty(&self) -> bool {
        Limits { devices: Vec::new(), ..self.clone() } == Limits::default()
    }
}
