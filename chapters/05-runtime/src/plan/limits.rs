//! What the container is limited to: the spec's resources as chapter 03 takes them. Zero is Docker's word for "not set".

mod controllers;

use crate::{Error, Result};
use cgroups::{DeviceRule, Limits};
use oci_spec::runtime::{Linux, LinuxDeviceCgroup, LinuxDeviceType, LinuxResources};

/// What chapter 03 shall limit.
pub fn limits(linux: &Linux) -> Result<Limits> {
    let Some(resources) = linux.resources() else {
        return Ok(Limits::default());
    };
    let unified = resources.unified().clone().unwrap_or_default();
    let mut limits = Limits {
        pids: resources.pids().as_ref().map(|pids| pids.limit()).filter(|limit| *limit != 0),
        devices: devices(resources)?,
        unified: unified.into_iter().collect(),
        ..Limits::default()
    };
    take_controllers(&mut limits, resources)?;
    Ok(limits)
}

/// The parts of it that have a name in the file, where they are there.
fn take_controllers(limits: &mut Limits, resources: &LinuxResources) -> Result<()> {
    if let Some(pages) = resources.hugepage_limits() {
        controllers::take_pages(limits, pages)?;
    }
    if let Some(memory) = resources.memory() {
        controllers::take_memory(limits, memory)?;
    }
    if let Some(cpu) = resources.cpu() {
        controllers::take_cpu(limits, cpu)?;
    }
    if let Some(disks) = resources.block_io() {
        controllers::take_disks(limits, disks)?;
    }
    let has_rare = resources.network().is_some() || resources.rdma().is_some();
    if has_rare { controllers::take_rare(limits, resources) } else { Ok(()) }
}

/// Devices that a container may use whatever the spec says, as under runc: those that it always has, its terminals, and making
/// nodes, which does not give the right to open them.
fn always_allowed() -> Vec<DeviceRule> {
    let mknod =
        |kind| DeviceRule { allow: true, kind: Some(kind), access: "m".into(), ..DeviceRule::default() };
    let terminals = DeviceRule { minor: None, ..DeviceRule::character(136, 0) };
    let mut rules = vec![mknod('c'), mknod('b'), terminals];
    let devices = [(1, 3), (1, 5), (1, 7), (1, 8), (1, 9), (5, 0), (5, 2)];
    rules.extend(devices.map(|(major, minor)| DeviceRule::character(major, minor)));
    rules
}

fn devices(resources: &LinuxResources) -> Result<Vec<DeviceRule>> {
    let rules = resources.devices().iter().flatten().enumerate().map(device);
    let mut rules: Vec<DeviceRule> = rules.collect::<Result<_>>()?;
    if !rules.is_empty() {
        rules.extend(always_allowed());
    }
    Ok(rules)
}

fn device((index, rule): (usize, &LinuxDeviceCgroup)) -> Result<DeviceRule> {
    let wrong = |what: String| Error::invalid(format!("linux.resources.devices[{index}].{what}"));
    let number = |name: &str, number: Option<i64>| match number {
        None | Some(-1) => Ok(None),
        Some(number) => u32::try_from(number).map(Some).map_err(|_| {
            wrong(format!("{name} {number}: must be the number of a device, or -1 for every one"))
        }),
    };
    let access = rule.access().clone().unwrap_or_default();
    if access.contains(|letter| !"rwm".contains(letter)) {
        return Err(wrong(format!("access {access:?}: must be made of r, w and m")));
    }
    Ok(DeviceRule {
        allow: rule.allow(),
        kind: kind(rule.typ()).ok_or_else(|| wrong("type \"p\": a pipe is no device".into()))?,
        major: number("major", rule.major())?,
        minor: number("minor", rule.minor())?,
        access,
    })
}

/// The letter of a kind. `Some(None)` stands for both kinds, `None` for what is no device.
fn kind(kind: Option<LinuxDeviceType>) -> Option<Option<char>> {
    match kind {
        None | Some(LinuxDeviceType::A) => Some(None),
        Some(LinuxDeviceType::C | LinuxDeviceType::U) => Some(Some('c')),
        Some(LinuxDeviceType::B) => Some(Some('b')),
        Some(LinuxDeviceType::P) => None,
    }
}
