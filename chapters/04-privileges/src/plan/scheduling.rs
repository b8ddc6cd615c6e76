//! Long tail: how a process shall be scheduled: plain data.

use serde::{Deserialize, Serialize};

/// How a process is scheduled, and what it takes the machine for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scheduling {
    /// Its policy and what belongs to it.
    pub scheduler: Option<Scheduler>,
    /// Its class for disks, 1 to 3 (real time, best effort, idle), and its priority in that, 0 to 7.
    pub io_priority: Option<(u32, u32)>,
    /// The system that it believes to run on, `PER_*` (personality(2)).
    pub personality: Option<i32>,
    /// The mode, `MPOL_*`, by which its memory is taken from nodes, and these, a bit each (set_mempolicy(2)).
    pub memory_policy: Option<(u32, Vec<u64>)>,
    /// The processors that it may run on.
    pub processors: Option<Vec<usize>>,
}

/// What sched_setattr(2) takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scheduler {
    /// `SCHED_*`
    pub policy: u32,
    /// `SCHED_FLAG_*`
    pub flags: u64,
    /// -20 to 19
    pub nice: i32,
    /// 1 to 99 for a real-time policy, else 0.
    pub priority: u32,
    /// Nanoseconds, for deadlines.
    pub runtime: u64,
    /// Nanoseconds, for deadlines.
    pub deadline: u64,
    /// Nanoseconds, for deadlines.
    pub period: u64,
}
