//! Long tail: cgroup v1, where each controller has a hierarchy and files of its own. The one place that knows them.

use crate::{DeviceRule, Limits, Op};

/// What one controller is told on v1, in the spec's own units, which were v1's.
pub fn translate(controller: &str, limits: &Limits) -> Result<Vec<Op>, String> {
    Ok(match controller {
        "memory" => memory(limits)?,
        "cpu" => cpu(limits),
        "cpuset" => cpuset(limits),
        "pids" => limits
            .pids
            .map(|count| {
                write(
                    "pids",
                    "pids.max",
                    if count > 0 {
                        count.to_string()
                    } else {
                        "max".into()
                    },
                )
            })
            .into_iter()
            .collect(),
        "io" => limits
            .blkio_weight
            .filter(|weight| *weight > 0)
            .map(|weight| write("blkio", "blkio.weight", weight.to_string()))
            .into_iter()
            .collect(),
        _ => Vec::new(),
    })
}

fn write(controller: &str, file: &str, value: String) -> Op {
    Op::Write {
        controller: Some(controller.into()),
        file: file.into(),
        value,
        optional: false,
    }
}

/// Memory before memory and swap together: the kernel holds the one never above the other.
fn memory(limits: &Limits) -> Result<Vec<Op>, String> {
    if let (Some(memory), Some(both)) = (limits.memory, limits.memory_swap)
        && memory > 0
        && both > 0
        && both < memory
    {
        return Err("memory+swap limit should be larger than memory limit".into());
    }
    let mut steps = Vec::new();
    steps.extend(
        limits
            .memory
            .map(|bytes| write("memory", "memory.limit_in_bytes", bytes.to_string())),
    );
    steps.extend(limits.memory_swap.map(|bytes| Op::Write {
        controller: Some("memory".into()),
        file: "memory.memsw.limit_in_bytes".into(),
        value: bytes.to_string(),
        optional: true,
    }));
    steps.extend(
        limits
            .memory_reservation
            .map(|bytes| write("memory", "memory.soft_limit_in_bytes", bytes.to_string())),
    );
    Ok(steps)
}

/// The period before the quota, which is checked against it.
fn cpu(limits: &Limits) -> Vec<Op> {
    let mut steps = Vec::new();
    steps.extend(
        limits
            .cpu_shares
            .filter(|shares| *shares > 0)
            .map(|shares| write("cpu", "cpu.shares", shares.to_string())),
    );
    steps.extend(
        limits
            .cpu_period
            .filter(|period| *period > 0)
            .map(|period| write("cpu", "cpu.cfs_period_us", period.to_string())),
    );
    steps.extend(
        limits
            .cpu_quota
            .filter(|quota| *quota != 0)
            .map(|quota| write("cpu", "cpu.cfs_quota_us", quota.to_string())),
    );
    steps
}

fn cpuset(limits: &Limits) -> Vec<Op> {
    let file = |file: &str, value: &Option<String>| {
        value
            .clone()
            .filter(|value| !value.is_empty())
            .map(|value| write("cpuset", file, value))
    };
    file("cpuset.cpus", &limits.cpuset_cpus)
        .into_iter()
        .chain(file("cpuset.mems", &limits.cpuset_mems))
        .collect()
}

/// Rules for devices are lines written to two files, one after the other.
pub fn devices(rules: &[DeviceRule]) -> Vec<Op> {
    let line = |rule: &DeviceRule| {
        let file = if rule.allow {
            "devices.allow"
        } else {
            "devices.deny"
        };
        write("devices", file, rule.to_string())
    };
    rules.iter().map(line).collect()
}
