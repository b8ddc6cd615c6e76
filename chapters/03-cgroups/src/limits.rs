//! What a group of processes may use: plain data, in the units of the OCI runtime spec (config-linux.md, "Control groups").

use crate::{DeviceRule, DiskLimits, FurtherLimits};
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
    /// Shares and rates of disks.
    pub disks: DiskLimits,
    /// Bytes in pages of a size, by the size's name: `2MB`.
    pub hugetlb: BTreeMap<String, u64>,
    /// Which devices may be used; the last rule that fits decides.
    pub devices: Vec<DeviceRule>,
    /// Files of v2 and their values, as they are.
    pub unified: BTreeMap<String, String>,
    /// What few machines can limit.
    #[serde(default)]
    pub further: FurtherLimits,
}

impl Limits {
    /// Whether something is limited that few ask for: what that takes is in the long tail.
    pub(crate) fn has_more(&self) -> bool {
        self.disks != DiskLimits::default()
            || self.further != FurtherLimits::default()
            || !(self.hugetlb.is_empty() && self.devices.is_empty() && self.unified.is_empty())
    }
}
