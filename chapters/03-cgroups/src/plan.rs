//! The plan: which file of which hierarchy gets which value, in order. Pure.

use crate::{DeviceRule, Layout, Limits, v1};
use serde::{Deserialize, Serialize};

/// One step of limiting a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Op {
    /// Writes a value to a file of the group.
    Write {
        /// The controller whose hierarchy it is on v1; none on v2.
        controller: Option<String>,
        /// The file.
        file: String,
        /// The value.
        value: String,
        /// Goes on when the kernel has no such file: swap accounting may be compiled out.
        optional: bool,
    },
    /// Loads a program that judges every opening of a device (v2 has no files for it).
    Devices(Vec<DeviceRule>),
}

/// The steps that set these limits; the error names a limit that this machine cannot set.
pub fn plan(layout: &Layout, limits: &Limits) -> Result<Vec<Op>, String> {
    let mut steps = Vec::new();
    for (controller, writes) in by_controller(limits) {
        if layout.hierarchy(controller).is_some() {
            steps.extend(v1::translate(controller, limits)?);
        } else if layout.unified_controllers.iter().any(|own| own == controller) {
            steps.extend(writes);
        } else if !writes.is_empty() {
            return Err(format!(
                "the {controller} controller is not available here: {} cannot be limited",
                what(controller)
            ));
        }
    }
    if layout.hierarchy("devices").is_some() {
        steps.extend(v1::devices(&limits.devices));
    } else if layout.is_unified() && !limits.devices.is_empty() {
        steps.push(Op::Devices(limits.devices.clone()));
    }
    if !limits.unified.is_empty() && !layout.is_unified() {
        return Err("linux.resources.unified: this machine's controllers are bound to cgroup v1".into());
    }
    steps.extend(
        limits
            .unified
            .iter()
            .map(|(file, value)| unified(file, value.clone())),
    );
    Ok(steps)
}

fn what(controller: &str) -> &str {
    match controller {
        "cpu" => "processor time",
        "pids" => "the number of processes",
        "cpuset" => "the processors that are used",
        "io" | "blkio" => "the share of the disks",
        other => other,
    }
}

/// On v2: each controller with what it is told.
fn by_controller(limits: &Limits) -> Vec<(&'static str, Vec<Op>)> {
    vec![
        ("memory", memory(limits)),
        ("cpu", cpu(limits)),
        ("cpuset", cpuset(limits)),
        ("pids", pids(limits)),
        ("io", io(limits)),
    ]
}

fn unified(file: &str, value: String) -> Op {
    Op::Write {
        controller: None,
        file: file.into(),
        value,
        optional: false,
    }
}

/// -1 is v2's `max`.
fn or_max(value: i64) -> String {
    if value < 0 {
        "max".into()
    } else {
        value.to_string()
    }
}

fn memory(limits: &Limits) -> Vec<Op> {
    let mut steps = Vec::new();
    steps.extend(limits.memory.map(|bytes| unified("memory.max", or_max(bytes))));
    steps.extend(
        limits
            .memory_reservation
            .map(|bytes| unified("memory.low", or_max(bytes))),
    );
    // v2 limits swap by itself, where the spec counts memory and swap together.
    let swap = limits.memory_swap.map(|both| {
        if both < 0 {
            both
        } else {
            both - limits.memory.unwrap_or(0).max(0)
        }
    });
    steps.extend(swap.map(|bytes| Op::Write {
        controller: None,
        file: "memory.swap.max".into(),
        value: or_max(bytes),
        optional: true,
    }));
    steps
}

fn cpu(limits: &Limits) -> Vec<Op> {
    let mut steps = Vec::new();
    steps.extend(
        limits
            .cpu_shares
            .filter(|shares| *shares > 0)
            .map(|shares| unified("cpu.weight", weight(shares).to_string())),
    );
    if limits.cpu_quota.is_some() || limits.cpu_period.is_some() {
        let quota = limits
            .cpu_quota
            .filter(|quota| *quota > 0)
            .map_or("max".to_string(), |quota| quota.to_string());
        steps.push(unified(
            "cpu.max",
            format!("{quota} {}", limits.cpu_period.unwrap_or(100_000)),
        ));
    }
    steps
}

/// Shares of v1, 2 to 262144, as a weight of v2, 1 to 10000.
fn weight(shares: u64) -> u64 {
    1 + (shares.clamp(2, 262_144) - 2) * 9999 / 262_142
}

fn cpuset(limits: &Limits) -> Vec<Op> {
    let file = |file: &str, value: &Option<String>| {
        value
            .clone()
            .filter(|value| !value.is_empty())
            .map(|value| unified(file, value))
    };
    file("cpuset.cpus", &limits.cpuset_cpus)
        .into_iter()
        .chain(file("cpuset.mems", &limits.cpuset_mems))
        .collect()
}

fn pids(limits: &Limits) -> Vec<Op> {
    limits
        .pids
        .map(|count| unified("pids.max", or_max(if count == 0 { -1 } else { count })))
        .into_iter()
        .collect()
}

/// A weight of v1, 10 to 1000, as one of v2, 1 to 10000.
fn io(limits: &Limits) -> Vec<Op> {
    let weight = limits.blkio_weight.filter(|weight| *weight > 0).map(u64::from);
    weight
        .map(|weight| {
            unified(
                "io.weight",
                (1 + (weight.clamp(10, 1000) - 10) * 9999 / 990).to_string(),
            )
        })
        .into_iter()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Hierarchy;

    fn limits() -> Limits {
        Limits {
            memory: Some(64 << 20),
            memory_swap: Some(128 << 20),
            cpu_quota: Some(50_000),
            cpu_period: Some(100_000),
            cpu_shares: Some(512),
            pids: Some(20),
            cpuset_cpus: Some("0".into()),
            devices: vec![
                DeviceRule {
                    allow: false,
                    ..DeviceRule::default()
                },
                DeviceRule::character(1, 3),
            ],
            ..Limits::default()
        }
    }

    #[test]
    fn on_v2() {
        let controllers = ["memory", "cpu", "cpuset", "pids", "io"]
            .map(String::from)
            .to_vec();
        let layout = Layout {
            unified: Some("/sys/fs/cgroup".into()),
            unified_controllers: controllers,
            ..Layout::default()
        };
        insta::assert_debug_snapshot!(plan(&layout, &limits()).unwrap());
    }

    #[test]
    fn on_v1() {
        let names = ["memory", "cpu,cpuacct", "cpuset", "pids", "devices", "blkio"];
        let v1 = names.map(|name| Hierarchy {
            name: name.into(),
            mount: format!("/sys/fs/cgroup/{name}").into(),
        });
        let layout = Layout {
            v1: v1.to_vec(),
            ..Layout::default()
        };
        insta::assert_debug_snapshot!(plan(&layout, &limits()).unwrap());
    }

    #[test]
    fn what_cannot_be_limited_is_named() {
        let error = plan(
            &Layout::default(),
            &Limits {
                memory: Some(1),
                ..Limits::default()
            },
        )
        .unwrap_err();
        assert_eq!(
            error,
            "the memory controller is not available here: memory cannot be limited"
        );
    }
}
