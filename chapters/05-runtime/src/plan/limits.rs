//! What the container is limited to: the spec's resources as chapter 03 takes them. Zero is Docker's word for "not set".

use crate::{Error, Result};
use cgroups::{DeviceRule, DeviceValue, Limits};
use oci_spec::runtime::{
    Linux, LinuxBlockIo, LinuxCpu, LinuxDeviceCgroup, LinuxDeviceType, LinuxMemory, LinuxResources,
    LinuxThrottleDevice,
};

/// What chapter 03 shall limit.
pub fn limits(linux: &Linux) -> Result<Limits> {
    let Some(resources) = linux.resources() else {
        return Ok(Limits::default());
    };
    let unified = resources.unified().clone().unwrap_or_default();
    let mut limits = Limits {
        pids: resources.pids().as_ref().and_then(|pids| set(pids.limit())),
        devices: devices(resources)?,
        unified: unified.into_iter().collect(),
        ..Limits::default()
    };
    for pages in resources.hugepage_limits().iter().flatten() {
        let limit = u64::try_from(pages.limit())
            .map_err(|_| Error::invalid("linux.resources.hugepageLimits: a negative number"))?;
        limits.hugetlb.insert(pages.page_size().clone(), limit);
    }
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

/// A limit that is none.
fn set<T: Default + PartialEq>(limit: T) -> Option<T> {
    (limit != T::default()).then_some(limit)
}

fn take_memory(limits: &mut Limits, memory: &LinuxMemory) -> Result<()> {
    refuse("memory.kernel", memory.kernel().and_then(set).is_some())?;
    refuse("memory.kernelTCP", memory.kernel_tcp().and_then(set).is_some())?;
    limits.memory = memory.limit().and_then(set);
    limits.memory_swap = memory.swap().and_then(set);
    limits.memory_reservation = memory.reservation().and_then(set);
    limits.memory_swappiness = memory.swappiness();
    limits.oom_kill_disable = memory.disable_oom_killer().unwrap_or_default();
    Ok(())
}

fn take_cpu(limits: &mut Limits, cpu: &LinuxCpu) -> Result<()> {
    refuse("cpu.realtimeRuntime", cpu.realtime_runtime().and_then(set).is_some())?;
    refuse("cpu.realtimePeriod", cpu.realtime_period().and_then(set).is_some())?;
    limits.cpu_shares = cpu.shares().and_then(set);
    limits.cpu_quota = cpu.quota().and_then(set);
    limits.cpu_period = cpu.period().and_then(set);
    // Zero says something here: to save nothing up, and not to be idle.
    limits.cpu_burst = cpu.burst();
    limits.cpu_idle = cpu.idle();
    limits.cpuset_cpus = cpu.cpus().clone().and_then(set);
    limits.cpuset_mems = cpu.mems().clone().and_then(set);
    Ok(())
}

fn take_disks(limits: &mut Limits, disks: &LinuxBlockIo) -> Result<()> {
    refuse("blockIO.leafWeight", disks.leaf_weight().and_then(set).is_some())?;
    limits.disks.weight = disks.weight().and_then(set);
    for disk in disks.weight_device().iter().flatten() {
        refuse("blockIO.weightDevice.leafWeight", disk.leaf_weight().and_then(set).is_some())?;
        let weight = u64::from(disk.weight().unwrap_or_default());
        limits.disks.weight_devices.push(disk_limit(disk.major(), disk.minor(), weight)?);
    }
    limits.disks.read_bytes = rates(disks.throttle_read_bps_device())?;
    limits.disks.write_bytes = rates(disks.throttle_write_bps_device())?;
    limits.disks.read_operations = rates(disks.throttle_read_iops_device())?;
    limits.disks.write_operations = rates(disks.throttle_write_iops_device())?;
    Ok(())
}

fn rates(disks: &Option<Vec<LinuxThrottleDevice>>) -> Result<Vec<DeviceValue>> {
    let limit = |disk: &LinuxThrottleDevice| disk_limit(disk.major(), disk.minor(), disk.rate());
    disks.iter().flatten().map(limit).collect()
}

fn disk_limit(major: i64, minor: i64, value: u64) -> Result<DeviceValue> {
    match (u32::try_from(major), u32::try_from(minor)) {
        (Ok(major), Ok(minor)) => Ok(DeviceValue { major, minor, value }),
        _ => Err(Error::invalid(format!("linux.resources.blockIO: {major}:{minor} is no disk"))),
    }
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
    let mknod =
        |kind| DeviceRule { allow: true, kind: Some(kind), access: "m".into(), ..DeviceRule::default() };
    let terminals = DeviceRule { minor: None, ..DeviceRule::character(136, 0) };
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
