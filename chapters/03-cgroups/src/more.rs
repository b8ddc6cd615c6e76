//! Long tail: limits that few ask for: disks, large pages, devices, and files of v2 by their names.

use crate::plan::{Write, told, write};
use crate::{Layout, Limits, Op, disks, v1};

/// The steps that set them, in this order, after those of everybody.
pub fn steps(layout: &Layout, limits: &Limits) -> Result<Vec<Op>, String> {
    if layout.hierarchy("memory").is_none() {
        refuse_what_v1_has(limits)?;
    }
    let mut writes = told(layout, "io", limits)?;
    writes.extend(told(layout, "hugetlb", limits)?);
    let mut steps: Vec<Op> = writes.into_iter().map(Op::Write).collect();
    if layout.hierarchy("devices").is_some() {
        steps.extend(v1::devices(&limits.devices).map(Op::Write));
    } else if layout.is_unified() && !limits.devices.is_empty() {
        steps.push(Op::Devices(limits.devices.clone()));
    }
    steps.extend(as_they_are(layout, limits)?.into_iter().map(Op::Write));
    Ok(steps)
}

fn refuse_what_v1_has(limits: &Limits) -> Result<(), String> {
    if limits.memory_swappiness.is_some() {
        return Err("memory swappiness is not supported by cgroup v2".into());
    }
    if limits.oom_kill_disable {
        return Err("disabling the OOM killer is not supported by cgroup v2".into());
    }
    Ok(())
}

/// What the other controllers of v2 are told.
pub fn v2(controller: &str, limits: &Limits) -> Vec<Write> {
    match controller {
        "io" => disks::v2(&limits.disks),
        "hugetlb" => {
            let sizes = limits.hugetlb.iter();
            sizes.map(|(size, bytes)| write(format!("hugetlb.{size}.max"), bytes)).collect()
        }
        _ => Vec::new(),
    }
}

/// That a machine, or a user, does not have a controller.
pub fn not_there(controller: &str) -> String {
    let what = match controller {
        "cpu" => "processor time",
        "pids" => "the number of processes",
        "cpuset" => "the processors that are used",
        "io" => "the use of disks",
        "hugetlb" => "large pages",
        other => other,
    };
    format!("the {controller} controller is not available here: {what} cannot be limited")
}

/// Files of v2 that the spec names itself. A name is no path: `../x` would be a file of another group.
fn as_they_are(layout: &Layout, limits: &Limits) -> Result<Vec<Write>, String> {
    if let Some(file) = limits.unified.keys().find(|_| !layout.is_unified()) {
        return Err(format!("unified resource {file:?}: this machine's controllers are bound to cgroup v1"));
    }
    let mut steps = Vec::new();
    for (file, value) in &limits.unified {
        let controller = file.split('.').next().unwrap_or_default();
        if file.contains('/') || !file.contains('.') {
            return Err(format!("unified resource {file:?} must be a file name, as \"memory.high\""));
        }
        if controller != "cgroup" && !layout.unified_controllers.iter().any(|own| own == controller) {
            return Err(format!(
                "unified resource {file:?} can't be set: controller {controller:?} not available"
            ));
        }
        steps.push(write(file, value));
    }
    Ok(steps)
}
