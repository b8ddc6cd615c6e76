//! Long tail: how a process is scheduled, from the spec's words.

use super::word;
use crate::{Error, Result};
use oci_spec::runtime::{
    IOPriorityClass, LinuxIOPriority, LinuxMemoryPolicy, LinuxPersonality, LinuxPersonalityDomain,
    MemoryPolicyFlagType, MemoryPolicyModeType,
};
use privileges::Scheduler;

/// `SCHED_FLAG_UTIL_CLAMP` (sched_setattr(2)).
const UTIL_CLAMP: u64 = 0x60;

/// `PER_LINUX32` (personality(2)).
const LINUX32: i32 = 8;

#[cfg(target_os = "linux")]
/// The processors of `process.execCPUAffinity`, before it is in the container's cgroup, and after.
pub fn processors(affinity: &oci_spec::runtime::ExecCPUAffinity) -> Result<[Option<Vec<usize>>; 2]> {
    let read = |field: &str, text: &Option<String>| {
        let text = text.as_deref().filter(|text| !text.is_empty());
        text.map(|text| numbers(&format!("process.execCPUAffinity.{field}"), text)).transpose()
    };
    Ok([read("initial", affinity.initial())?, read("final", affinity.cpu_affinity_final())?])
}

/// Its policy, and what belongs to that.
pub fn scheduler(scheduler: &oci_spec::runtime::Scheduler) -> Result<Scheduler> {
    let policy = word(scheduler.policy());
    let wrong = |field: &str, value: String, why: &str| {
        Err(Error::invalid(format!("process.scheduler.{field} {value}: {why}")))
    };
    let number = match policy.as_str() {
        "SCHED_OTHER" => 0,
        "SCHED_FIFO" => 1,
        "SCHED_RR" => 2,
        "SCHED_BATCH" => 3,
        "SCHED_IDLE" => 5,
        "SCHED_DEADLINE" => 6,
        _ => return wrong("policy", policy, "no kernel has it"),
    };
    let (nice, priority) = (scheduler.nice().unwrap_or_default(), scheduler.priority().unwrap_or_default());
    if !(-20..=19).contains(&nice) {
        return wrong("nice", nice.to_string(), "must be from -20 to 19");
    }
    let is_real_time = number == 1 || number == 2;
    match u32::try_from(priority) {
        Ok(1..=99) if is_real_time => {}
        Ok(0) if !is_real_time => {}
        _ if is_real_time => return wrong("priority", priority.to_string(), "must be from 1 to 99"),
        _ => return wrong("priority", priority.to_string(), "belongs to SCHED_FIFO and SCHED_RR"),
    }
    let times =
        [scheduler.runtime(), scheduler.deadline(), scheduler.period()].map(|time| time.unwrap_or_default());
    if number != 6 && times != [0, 0, 0] {
        return wrong("runtime, deadline, period", format!("{times:?}"), "belong to SCHED_DEADLINE");
    }
    let [runtime, deadline, period] = times;
    let flags =
        scheduler.flags().iter().flatten().map(|flag| 1 << (*flag as u64)).fold(0, |all, one: u64| all | one);
    if flags & UTIL_CLAMP != 0 {
        return wrong(
            "flags",
            format!("{flags:#x}"),
            "SCHED_FLAG_UTIL_CLAMP_*: leave them out: the specification has no values for them",
        );
    }
    Ok(Scheduler { policy: number, flags, nice, priority: priority as u32, runtime, deadline, period })
}

/// Its turn at the disks: class and priority.
pub fn io_priority(asked: &LinuxIOPriority) -> Result<(u32, u32)> {
    let class = match asked.class() {
        IOPriorityClass::IoprioClassRt => 1,
        IOPriorityClass::IoprioClassBe => 2,
        IOPriorityClass::IoprioClassIdle => 3,
    };
    match u32::try_from(asked.priority()) {
        Ok(priority @ 0..=7) => Ok((class, priority)),
        _ => {
            let why = format!("process.ioPriority.priority {}: must be from 0 to 7", asked.priority());
            Err(Error::invalid(why))
        }
    }
}

/// What it believes to run on.
pub fn personality(asked: &LinuxPersonality) -> Result<i32> {
    if let Some(flag) = asked.flags().iter().flatten().next() {
        return Err(Error::not_supported(&format!("linux.personality.flags {flag:?}")));
    }
    Ok(match asked.domain() {
        LinuxPersonalityDomain::PerLinux => 0,
        LinuxPersonalityDomain::PerLinux32 => LINUX32,
    })
}

/// `MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES` (set_mempolicy(2)).
const STATIC_OR_RELATIVE: u32 = 3 << 14;

/// From which nodes its memory comes.
pub fn memory_policy(asked: &LinuxMemoryPolicy) -> Result<(u32, Vec<u64>)> {
    let mode = match asked.mode() {
        MemoryPolicyModeType::MpolDefault => 0,
        MemoryPolicyModeType::MpolPreferred => 1,
        MemoryPolicyModeType::MpolBind => 2,
        MemoryPolicyModeType::MpolInterleave => 3,
        MemoryPolicyModeType::MpolLocal => 4,
        MemoryPolicyModeType::MpolPreferredMany => 5,
        MemoryPolicyModeType::MpolWeightedInterleave => 6,
    };
    let flag = |flag: &MemoryPolicyFlagType| match flag {
        MemoryPolicyFlagType::MpolFNumaBalancing => 1 << 13,
        MemoryPolicyFlagType::MpolFRelativeNodes => 1 << 14,
        MemoryPolicyFlagType::MpolFStaticNodes => 1 << 15,
    };
    let flags: u32 = asked.flags().iter().flatten().map(flag).fold(0, |all, one| all | one);
    let mut nodes = Vec::new();
    if let Some(text) = asked.nodes().as_deref().filter(|text| !text.is_empty()) {
        for node in numbers("linux.memoryPolicy.nodes", text)? {
            nodes.resize(nodes.len().max(node / 64 + 1), 0u64);
            nodes[node / 64] |= 1 << (node % 64);
        }
    }
    let wrong = |field: &str, why: &str| Err(Error::invalid(format!("linux.memoryPolicy.{field}: {why}")));
    match asked.mode() {
        MemoryPolicyModeType::MpolDefault | MemoryPolicyModeType::MpolLocal if !nodes.is_empty() => {
            return wrong("nodes", "MPOL_DEFAULT and MPOL_LOCAL have none: leave them out");
        }
        MemoryPolicyModeType::MpolDefault
        | MemoryPolicyModeType::MpolLocal
        | MemoryPolicyModeType::MpolPreferred => {}
        _ if nodes.is_empty() => return wrong("nodes", "must name at least one for this mode"),
        _ => {}
    }
    if flags & STATIC_OR_RELATIVE == STATIC_OR_RELATIVE {
        return wrong("flags", "MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES: must not be there both");
    }
    Ok((mode | flags, nodes))
}

/// `0-3,7`, as the kernel writes such lists (cpuset(7), "List format").
fn numbers(field: &str, text: &str) -> Result<Vec<usize>> {
    /// More than any kernel is built for.
    const MAX: usize = 8192;
    let wrong = || Error::invalid(format!("{field} {text:?}: must be a list of numbers, as 0-3,7"));
    let mut numbers = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let number = |text: &str| text.trim().parse::<usize>().ok().filter(|number| *number < MAX);
        let (first, last) = (number(first).ok_or_else(wrong)?, number(last).ok_or_else(wrong)?);
        if first > last {
            return Err(wrong());
        }
        numbers.extend(first..=last);
    }
    Ok(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::privilege;
    use privileges::Scheduling;
    use serde_json::{Value, json};

    fn planned(value: Value) -> Result<Scheduling> {
        let mut process = json!({"user": {"uid": 0, "gid": 0}, "cwd": "/"});
        process.as_object_mut().unwrap().extend(value.as_object().unwrap().clone());
        privilege::scheduling(&serde_json::from_value(process).unwrap())
    }

    #[test]
    fn policies_and_priorities() {
        let planned = planned(json!({
            "scheduler": {"policy": "SCHED_RR", "priority": 10, "flags": ["SCHED_RESET_ON_FORK"]},
            "ioPriority": {"class": "IOPRIO_CLASS_BE", "priority": 4}
        }));
        let planned = planned.unwrap();
        let expected = Scheduler { policy: 2, flags: 1, priority: 10, ..Scheduler::default() };
        assert_eq!((planned.scheduler, planned.io_priority), (Some(expected), Some((2, 4))));
    }

    #[test]
    fn what_contradicts_itself_is_refused_by_its_path() {
        let refusals = [
            json!({"scheduler": {"policy": "SCHED_ISO"}}),
            json!({"scheduler": {"policy": "SCHED_OTHER", "nice": 20}}),
            json!({"scheduler": {"policy": "SCHED_FIFO"}}),
            json!({"scheduler": {"policy": "SCHED_BATCH", "priority": 5}}),
            json!({"scheduler": {"policy": "SCHED_OTHER", "runtime": 5}}),
            json!({"ioPriority": {"class": "IOPRIO_CLASS_RT", "priority": 8}}),
        ]
        .map(|value| planned(value).unwrap_err().to_string());
        let expected = [
            "process.scheduler.policy SCHED_ISO: no kernel has it",
            "process.scheduler.nice 20: must be from -20 to 19",
            "process.scheduler.priority 0: must be from 1 to 99",
            "process.scheduler.priority 5: belongs to SCHED_FIFO and SCHED_RR",
            "process.scheduler.runtime, deadline, period [5, 0, 0]: belong to SCHED_DEADLINE",
            "process.ioPriority.priority 8: must be from 0 to 7",
        ];
        assert_eq!(refusals, expected);
    }

    #[test]
    fn lists_of_numbers() {
        assert_eq!(numbers("x", "0-2,7").unwrap(), [0, 1, 2, 7]);
        for wrong in ["", "a", "2-1", "1-", "99999"] {
            assert!(numbers("x", wrong).is_err(), "{wrong:?}");
        }
    }
}
