//! What the container is limited to: the spec's resources as chapter 03 takes them. Zero is Docker's word for "not set".

use crate::{Error, Result};
use cgroups::{DeviceRule, Limits};
use oci_spec::runtime::{
    Linux, LinuxBlockIo, LinuxCpu, LinuxDeviceCgroup, LinuxDeviceType, LinuxMemory, LinuxResources,
};

/// What chapter 03 shall limit.
pub fn limits(linux: &Linux) -> Result<Limits> {
    let Some(resources) = linux.resources() else {
        return Ok(Limits::default());
    };
    let mut limits = Limits {
        pids: resources
            .pids()
            .as_ref()
            .map(|pids| pids.limit())
            .filter(|limit| *limit != 0),
        devices: devices(resources)?,
        unified: resources
            .unified()
            .clone()
            .unwrap_or_default()
            .into_iter()
            .collect(),
        ..Limits::default()
    };
    refuse(
        "hugepageLimits",
        resources
            .hugepage_limits()
            .as_ref()
            .is_some_and(|limits| !limits.is_empty()),
    )?;
    if let Some(memory) = resources.memory() {
        take_memory(&mut limits, memory)?;
    }
    if let Some(cpu) = resources.cpu() {
        take_cpu(&mut limits, cpu)?;
    }
    if let Some(disks) = resources.block_io() {
        take_disks(&mut limits, disks)?;
    }
    Ok(limits)
}

fn take_memory(limits: &mut Limits, memory: &LinuxMemory) -> Result<()> {
    let set = |limit: Option<i64>| limit.filter(|limit| *limit != 0);
    refuse("memory.kernel", set(memory.kernel()).is_some())?;
    refuse("memory.kernelTCP", set(memory.kernel_tcp()).is_some())?;
    refuse("memory.swappiness", memory.swappiness().is_some())?;
    refuse(
        "memory.disableOOMKiller",
        memory.disable_oom_killer() == Some(true),
    )?;
    refuse(
        "memory.checkBeforeUpdate",
        memory.check_before_update() == Some(true),
    )?;
    limits.memory = set(memory.limit());
    limits.memory_swap = set(memory.swap());
    limits.memory_reservation = set(memory.reservation());
    Ok(())
}

fn take_cpu(limits: &mut Limits, cpu: &LinuxCpu) -> Result<()> {
    refuse(
        "cpu.realtimeRuntime",
        cpu.realtime_runtime().is_some_and(|time| time != 0),
    )?;
    refuse(
        "cpu.realtimePeriod",
        cpu.realtime_period().is_some_and(|time| time != 0),
    )?;
    refuse("cpu.burst", cpu.burst().is_some_and(|time| time != 0))?;
    refuse("cpu.idle", cpu.idle().is_some_and(|idle| idle != 0))?;
    limits.cpu_shares = cpu.shares().filter(|shares| *shares != 0);
    limits.cpu_quota = cpu.quota().filter(|quota| *quota != 0);
    limits.cpu_period = cpu.period().filter(|period| *period != 0);
    limits.cpuset_cpus = cpu.cpus().clone().filter(|list| !list.is_empty());
    limits.cpuset_mems = cpu.mems().clone().filter(|list| !list.is_empty());
    Ok(())
}

fn take_disks(limits: &mut Limits, disks: &LinuxBlockIo) -> Result<()> {
    let any = |list: &Option<Vec<_>>| list.as_ref().is_some_and(|list| !list.is_empty());
    refuse(
        "blockIO.leafWeight",
        disks.leaf_weight().is_some_and(|weight| weight != 0),
    )?;
    refuse(
        "blockIO.weightDevice",
        disks
            .weight_device()
            .as_ref()
            .is_some_and(|list| !list.is_empty()),
    )?;
    refuse(
        "blockIO.throttleReadBpsDevice",
        any(disks.throttle_read_bps_device()),
    )?;
    refuse(
        "blockIO.throttleWriteBpsDevice",
        any(disks.throttle_write_bps_device()),
    )?;
    refuse(
        "blockIO.throttleReadIOPSDevice",
        any(disks.throttle_read_iops_device()),
    )?;
    refuse(
        "blockIO.throttleWriteIOPSDevice",
        any(disks.throttle_write_iops_device()),
    )?;
    limits.blkio_weight = disks.weight().filter(|weight| *weight != 0);
    Ok(())
}

fn refuse(field: &str, is_present: bool) -> Result<()> {
    if is_present {
        return Err(Error::not_supported(&format!("linux.resources.{field}")));
    }
    Ok(())
}

/// Devices that a container may use whatever the spec says, as under runc: those that it always has, its terminals, and making
/// nodes, which does not give the right to open them.
fn always_allowed() -> Vec<DeviceRule> {
    let mknod = |kind| DeviceRule {
        allow: true,
        kind: Some(kind),
        access: "m".into(),
        ..DeviceRule::default()
    };
    let terminals = DeviceRule {
        minor: None,
        ..DeviceRule::character(136, 0)
    };
    let mut rules = vec![mknod('c'), mknod('b'), terminals];
    let devices = [(1, 3), (1, 5), (1, 7), (1, 8), (1, 9), (5, 0), (5, 2)];
    rules.extend(devices.map(|(major, minor)| DeviceRule::character(major, minor)));
    rules
}

fn devices(resources: &LinuxResources) -> Result<Vec<DeviceRule>> {
    let rules = resources.devices().iter().flatten().map(device);
    let mut rules: Vec<DeviceRule> = rules.collect::<Result<_>>()?;
    if !rules.is_empty() {
        rules.extend(always_allowed());
    }
    Ok(rules)
}

fn device(rule: &LinuxDeviceCgroup) -> Result<DeviceRule> {
    let number = |number: Option<i64>| match number {
        None | Some(-1) => Ok(None),
        Some(number) => u32::try_from(number)
            .map(Some)
            .map_err(|_| Error::invalid(format!("linux.resources.devices: {number} is no device number"))),
    };
    Ok(DeviceRule {
        allow: rule.allow(),
        kind: match rule.typ() {
            None | Some(LinuxDeviceType::A) => None,
            Some(LinuxDeviceType::C | LinuxDeviceType::U) => Some('c'),
            Some(LinuxDeviceType::B) => Some('b'),
            Some(LinuxDeviceType::P) => {
                return Err(Error::invalid("linux.resources.devices: a pipe is no device"));
            }
        },
        major: number(rule.major())?,
        minor: number(rule.minor())?,
        access: rule.access().clone().unwrap_or_default(),
    })
}
