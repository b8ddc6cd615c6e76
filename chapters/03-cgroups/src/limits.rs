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
    /// The share of the processors when they are contended, relative to 1024.
    pub cpu_shares: Option<u64>,
    /// Processors, as `0-1,3`.
    pub cpuset_cpus: Option<String>,
    /// Nodes of memory.
    pub cpuset_mems: Option<String>,
    /// Processes and threads; -1 is no limit.
    pub pids: Option<i64>,
    /// The share of the disks, 10 to 1000.
    pub blkio_weight: Option<u16>,
    /// Which devices may be used; the last rule that fits decides.
    pub devices: Vec<DeviceRule>,
    /// Files of v2 and their values, as they are.
    pub unified: BTreeMap<String, String>,
}

impl Limits {
    /// Whether nothing is limited. Rules for devices do not count where there is no group: an ordinary user opens no others anyway.
    pub fn is_empty(&self) -> bool {
        Limits {
            devices: Vec::new(),
            ..self.clone()
        } == Limits::default()
    }
}
