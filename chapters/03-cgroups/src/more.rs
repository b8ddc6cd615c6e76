//! Long tail: limits that few ask for: disks, large pages, devices, and files of v2 by their names.

use crate::plan::{Otherwise, Write, told, write};
use crate::{FurtherLimits, Layout, Limits, Op, disks, further, v1_devices};

/// The steps that set them, in this order, after those of everybody.
pub fn steps(layout: &Layout, limits: &Limits) -> Result<Vec<Op>, String> {
    if layout.hierarchy("memory").is_none() {
        refuse_what_v1_has(limits)?;
    }
    let mut writes = told(layout, "io", limits)?;
    writes.extend(told(layout, "hugetlb", limits)?);
    if limits.further != FurtherLimits::default() {
        writes.extend(further::v1_steps(layout, &limits.further)?);
        writes.extend(told(layout, "rdma", limits)?);
    }
    let mut steps: Vec<Op> = writes.into_iter().map(Op::Write).collect();
    if layout.hierarchy("devices").is_some() {
        steps.extend(v1_devices::writes(&limits.devices)?.into_iter().map(Op::Write));
    } else if layout.is_unified() && !limits.devices.is_empty() {
        steps.push(Op::Devices(limits.devices.clone()));
    }
    steps.extend(as_they_are(layout, limits)?.into_iter().map(Op::Write));
    Ok(steps)
}

fn refuse_what_v1_has(limits: &Limits) -> Result<(), String> {
    if limits.further.memory_swappiness.is_some() {
        return Err("memory swappiness is not supported by cgroup v2".into());
    }
    if limits.further.oom_kill_disable {
        return Err("disabling the OOM killer is not supported by cgroup v2".into());
    }
    Ok(())
}

/// What the other controllers of v2 are told.
pub fn v2(controller: &str, limits: &Limits) -> Vec<Write> {
    match controller {
        "io" => disks::v2(&limits.disks),
        "hugetlb" => pages(limits, "max"),
        "rdma" => further::rdma(&limits.further),
        _ => Vec::new(),
    }
}

/// Large pages, as they are used, and as they are reserved: whoever may reserve none is told so by mmap(2) instead of being killed
/// later. Kernels before 5.7 do not count reservations.
pub fn pages(limits: &Limits, end: &str) -> Vec<Write> {
    let files = |(size, bytes): (&String, &u64)| {
        let reserved = write(format!("hugetlb.{size}.rsvd.{end}"), bytes);
        [write(format!("hugetlb.{size}.{end}"), bytes), Write { otherwise: Otherwise::PassOver, ..reserved }]
    };
    limits.hugetlb.iter().flat_map(files).collect()
}

/// Whether a controller of v2 must be passed on for these limits, beside those that always are.
#[cfg(target_os = "linux")]
pub fn wants(controller: &str, limits: &Limits) -> bool {
    let is_named = |file: &String| file.split('.').next() == Some(controller);
    let has_limit = match controller {
        "hugetlb" => !limits.hugetlb.is_empty(),
        "rdma" => !limits.further.rdma.is_empty(),
        _ => false,
    };
    has_limit || limits.unified.keys().any(is_named)
}

/// That a machine, or a user, does not have a controller.
pub fn not_there(controller: &str) -> String {
    let what = match controller {
        "cpu" => "processor time",
        "pids" => "the number of processes",
        "cpuset" => "the processors that are used",
        "io" => "the use of disks",
        "hugetlb" => "large pages",
        "rdma" => "the use of RDMA devices",
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
