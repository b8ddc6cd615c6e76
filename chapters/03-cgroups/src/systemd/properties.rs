//! Long tail: what systemd is told of a scope: properties with values, by the names of org.freedesktop.systemd1(5). Pure.

use super::{Unit, devices};
use crate::plan::{Otherwise, Write};
use crate::{Layout, Limits, Op, plan};
use serde::{Deserialize, Serialize};

/// A property of a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Property {
    /// Its name, as `MemoryMax`.
    pub name: String,
    /// What it is to be.
    pub value: Value,
}

/// Of the types that D-Bus has, those that are needed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Value {
    /// `b`
    Flag(bool),
    /// `t`; the largest is no limit.
    Number(u64),
    /// `s`
    Text(String),
    /// `au`: numbers of processes.
    Processes(Vec<u32>),
    /// `ay`: a set of small numbers, each a bit, beginning with the lowest of the first byte.
    Bits(Vec<u8>),
    /// `a(ss)`: devices and what may be done with them.
    Devices(Vec<(String, String)>),
}

/// No limit, as systemd says it (`CGROUP_LIMIT_MAX`, `USEC_INFINITY`).
const INFINITY: u64 = u64::MAX;
/// Microseconds of processor time in a second that are one percent of a processor.
const PERCENT: u64 = 10_000;
/// The kernel has been built for at most so many processors.
const PROCESSORS_MAX: usize = 8192;

fn property(name: &str, value: Value) -> Property {
    Property { name: name.into(), value }
}

/// What makes a scope of a process.
pub fn scope(unit: &Unit, pid: u32, description: &str) -> Vec<Property> {
    let flag = |name: &str, value| property(name, Value::Flag(value));
    vec![
        property("Description", Value::Text(description.into())),
        property("Slice", Value::Text(unit.slice.clone())),
        property("PIDs", Value::Processes(vec![pid])),
        // Below it we may write, and its processes may be given a group of their own.
        flag("Delegate", true),
        // What is counted is there from the start: the memory controller counts no page that was used before it came.
        flag("MemoryAccounting", true),
        flag("CPUAccounting", true),
        flag("IOAccounting", true),
        flag("TasksAccounting", true),
        // A container is no part of the machine's start or end that others would wait for.
        flag("DefaultDependencies", false),
        // One whose processes were killed is forgotten, too; it would be in the way of the next of its name.
        property("CollectMode", Value::Text("inactive-or-failed".into())),
    ]
}

/// The limits that systemd has a property for. The others it leaves alone in a group that is delegated.
pub fn limits(limits: &Limits, of_user: bool) -> Result<Vec<Property>, String> {
    let mut properties = Vec::new();
    for step in plan(&with_everything(), limits)? {
        match step {
            Op::Write(write) => properties.extend(of_file(&write)),
            // An ordinary user's systemd may load no program, as they may not themselves.
            Op::Devices(_) if of_user => {}
            Op::Devices(rules) => properties.extend(devices::of_rules(&rules)),
        }
    }
    Ok(properties)
}

/// What a machine has is known when the group is there; here it is asked only what would be set.
fn with_everything() -> Layout {
    let controllers = ["cpuset", "cpu", "io", "memory", "hugetlb", "pids", "rdma", "misc"];
    Layout {
        unified: Some("/sys/fs/cgroup".into()),
        unified_controllers: controllers.map(String::from).to_vec(),
        accounts_swap: true,
        ..Layout::default()
    }
}

/// A file and its value in systemd's words. A value that cannot be read is left to the kernel, which refuses it by the file's name.
fn of_file(write: &Write) -> Vec<Property> {
    let value = write.value.trim();
    let one =
        |name: &str, value: Option<Value>| value.map(|value| property(name, value)).into_iter().collect();
    let number = |name: &str| one(name, number(value).map(Value::Number));
    match write.file.as_str() {
        "memory.max" => number("MemoryMax"),
        "memory.high" => number("MemoryHigh"),
        "memory.low" => number("MemoryLow"),
        "memory.min" => number("MemoryMin"),
        "memory.swap.max" => number("MemorySwapMax"),
        "pids.max" => number("TasksMax"),
        "cpu.weight" => number("CPUWeight"),
        // Of systemd 252: the weight of a group that runs only when nothing else does.
        "cpu.idle" if value == "1" => one("CPUWeight", Some(Value::Number(0))),
        "cpu.max" => quota(value).unwrap_or_default(),
        "cpuset.cpus" => one("AllowedCPUs", bits(value).map(Value::Bits)),
        "cpuset.mems" => one("AllowedMemoryNodes", bits(value).map(Value::Bits)),
        "io.weight" => number("IOWeight"),
        "io.bfq.weight" => match &write.otherwise {
            Otherwise::Use(_, weight) => one("IOWeight", weight.parse().ok().map(Value::Number)),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

fn number(value: &str) -> Option<u64> {
    if value == "max" { Some(INFINITY) } else { value.parse().ok() }
}

/// `50000 100000`. systemd keeps whole percents of a processor: what lies between is rounded up, or the file would be given less when
/// systemd is reloaded.
fn quota(value: &str) -> Option<Vec<Property>> {
    let mut words = value.split_whitespace();
    let (quota, period) = (number(words.next()?)?, words.next().map_or(Some(100_000), number)?);
    let a_second = match quota {
        INFINITY => INFINITY,
        quota => {
            let exact = u128::from(quota) * 1_000_000 / u128::from(period.max(1));
            u64::try_from(exact).ok()?.div_ceil(PERCENT) * PERCENT
        }
    };
    Some(vec![
        property("CPUQuotaPeriodUSec", Value::Number(period)),
        property("CPUQuotaPerSecUSec", Value::Number(a_second)),
    ])
}

/// `0-1,3` as bits: 0b1011.
fn bits(list: &str) -> Option<Vec<u8>> {
    let mut bits = Vec::new();
    for range in list.split(',').map(str::trim) {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
        if first > last || last >= PROCESSORS_MAX {
            return None;
        }
        bits.resize(bits.len().max(last / 8 + 1), 0);
        (first..=last).for_each(|number| bits[number / 8] |= 1 << (number % 8));
    }
    Some(bits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DeviceRule, DiskLimits};

    /// One a line, so that a snapshot is read as a table.
    fn lines(properties: &[Property]) -> String {
        properties.iter().map(|property| format!("{} {:?}\n", property.name, property.value)).collect()
    }

    #[test]
    fn a_scope() {
        let unit = Unit::named("machine.slice:libpod:box", false).unwrap();
        insta::assert_snapshot!(lines(&scope(&unit, 7, "container box")));
    }

    #[test]
    fn limits_in_systemds_words() {
        let all = Limits {
            memory: Some(64 << 20),
            memory_swap: Some(96 << 20),
            memory_reservation: Some(32 << 20),
            cpu_quota: Some(33_333),
            cpu_period: Some(50_000),
            cpu_shares: Some(512),
            cpuset_cpus: Some("0-1,9".into()),
            cpuset_mems: Some("0".into()),
            pids: Some(-1),
            disks: DiskLimits { weight: Some(500), ..DiskLimits::default() },
            devices: vec![DeviceRule::deny_all(), DeviceRule::character(1, 3)],
            unified: [("memory.high".into(), "max".into()), ("memory.oom.group".into(), "1".into())].into(),
            ..Limits::default()
        };
        insta::assert_snapshot!(lines(&limits(&all, false).unwrap()));
        let of_user = limits(&all, true).unwrap();
        assert!(of_user.iter().all(|property| !property.name.starts_with("Device")));
    }

    #[test]
    fn what_is_not_limited_is_not_said() {
        assert_eq!(limits(&Limits::default(), false), Ok(Vec::new()));
        let idle = Limits { cpu_idle: Some(1), cpu_shares: Some(512), ..Limits::default() };
        assert_eq!(limits(&idle, false).unwrap(), [property("CPUWeight", Value::Number(0))]);
        let wrong = Limits { memory: Some(2), memory_swap: Some(1), ..Limits::default() };
        assert!(limits(&wrong, false).is_err());
    }

    #[test]
    fn quotas_are_rounded_up_to_a_percent() {
        let a_second = |value: &str| quota(value).map(|all| all[1].value.clone());
        assert_eq!(a_second("50000 100000"), Some(Value::Number(500_000)));
        assert_eq!(a_second("33333 100000"), Some(Value::Number(340_000)));
        assert_eq!(a_second("150000"), Some(Value::Number(1_500_000)));
        assert_eq!(a_second("max 100000"), Some(Value::Number(INFINITY)));
        assert_eq!(a_second("x"), None);
    }

    #[test]
    fn lists_are_bits() {
        assert_eq!(bits("0-1,3"), Some(vec![0b1011]));
        assert_eq!(bits("8,15-16"), Some(vec![0, 0b1000_0001, 1]));
        for wrong in ["", "1-", "3-1", "x", "0-4294967295"] {
            assert_eq!(bits(wrong), None, "{wrong}");
        }
    }
}
