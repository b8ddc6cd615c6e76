//! Long tail: limits of memory, processors, disks, huge pages, networks and RDMA, as far as a spec has them.

use crate::{Error, Result};
use cgroups::{DeviceValue, Limits, RdmaLimit};
use oci_spec::runtime::{
    LinuxBlockIo, LinuxCpu, LinuxHugepageLimit, LinuxMemory, LinuxNetwork, LinuxRdma, LinuxResources,
    LinuxThrottleDevice,
};
use std::collections::HashMap;

/// Huge pages, by their size.
pub fn take_pages(limits: &mut Limits, pages: &[LinuxHugepageLimit]) -> Result<()> {
    for (index, pages) in pages.iter().enumerate() {
        let place = format!("hugepageLimits[{index}]");
        let Ok(limit) = u64::try_from(pages.limit()) else {
            return wrong(&format!("{place}.limit"), pages.limit(), "must not be negative");
        };
        if !is_page_size(pages.page_size()) {
            return wrong(
                &format!("{place}.pageSize"),
                pages.page_size(),
                "must be a size as 64KB, 2MB or 1GB",
            );
        }
        limits.hugetlb.insert(pages.page_size().clone(), limit);
    }
    Ok(())
}

/// As the kernel names its files (`hugetlb.2MB.max`): a number and a unit, and no path to another group's.
fn is_page_size(size: &str) -> bool {
    let number = ["KB", "MB", "GB"].iter().find_map(|unit| size.strip_suffix(unit));
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A limit that is none.
fn set<T: Default + PartialEq>(limit: T) -> Option<T> {
    (limit != T::default()).then_some(limit)
}

/// Memory, and swap.
pub fn take_memory(limits: &mut Limits, memory: &LinuxMemory) -> Result<()> {
    // No limit is what there is anyway.
    if let Some(bytes) = memory.kernel().and_then(set).filter(|bytes| *bytes != -1) {
        return wrong("memory.kernel", bytes, "no kernel since 5.16 limits it by itself: set memory.limit");
    }
    if let Some(percent) = memory.swappiness().filter(|percent| *percent > 100) {
        return wrong("memory.swappiness", percent, "must be from 0 to 100");
    }
    if memory.use_hierarchy() == Some(false) {
        return wrong(
            "memory.useHierarchy",
            false,
            "every kernel since 5.11 counts what is below: leave it out",
        );
    }
    limits.further.kernel_tcp = memory.kernel_tcp().and_then(set).filter(|bytes| *bytes != -1);
    limits.memory = memory.limit().and_then(set);
    limits.memory_swap = memory.swap().and_then(set);
    limits.memory_reservation = memory.reservation().and_then(set);
    limits.further.memory_swappiness = memory.swappiness();
    limits.further.oom_kill_disable = memory.disable_oom_killer().unwrap_or_default();
    Ok(())
}

/// Time on processors, and which.
pub fn take_cpu(limits: &mut Limits, cpu: &LinuxCpu) -> Result<()> {
    limits.further.realtime_runtime = cpu.realtime_runtime().and_then(set);
    limits.further.realtime_period = cpu.realtime_period().and_then(set);
    limits.cpu_shares = cpu.shares().and_then(set);
    limits.cpu_quota = cpu.quota().and_then(set);
    limits.cpu_period = cpu.period().and_then(set);
    // Zero says something here: to save nothing up, and not to be idle.
    limits.cpu_burst = cpu.burst();
    limits.cpu_idle = cpu.idle();
    if let Some(idle) = cpu.idle().filter(|idle| !(0..=1).contains(idle)) {
        return wrong("cpu.idle", idle, "must be 0 or 1");
    }
    if let (Some(burst), Some(quota @ 1..)) = (cpu.burst(), cpu.quota())
        && burst > quota.unsigned_abs()
    {
        return wrong("cpu.burst", burst, "must not be above cpu.quota");
    }
    limits.cpuset_cpus = cpu.cpus().clone().and_then(set);
    limits.cpuset_mems = cpu.mems().clone().and_then(set);
    Ok(())
}

/// Traffic to disks.
pub fn take_disks(limits: &mut Limits, disks: &LinuxBlockIo) -> Result<()> {
    const NO_LEAVES: &str = "no kernel since 5.0 has it: leave it out, and set weight";
    if let Some(weight) = disks.leaf_weight().and_then(set) {
        return wrong("blockIO.leafWeight", weight, NO_LEAVES);
    }
    limits.disks.weight = disks.weight().and_then(set);
    for (index, disk) in disks.weight_device().iter().flatten().enumerate() {
        let place = format!("blockIO.weightDevice[{index}]");
        if let Some(weight) = disk.leaf_weight().and_then(set) {
            return wrong(&format!("{place}.leafWeight"), weight, NO_LEAVES);
        }
        let Some(weight) = disk.weight() else {
            return Err(Error::invalid(format!("linux.resources.{place}.weight: must be given")));
        };
        limits.disks.weight_devices.push(disk_limit(disk.major(), disk.minor(), weight.into())?);
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

/// What hardly any file has.
pub fn take_rare(limits: &mut Limits, resources: &LinuxResources) -> Result<()> {
    resources.network().as_ref().map_or(Ok(()), |network| take_network(limits, network))?;
    resources.rdma().as_ref().map_or(Ok(()), |devices| take_rdma(limits, devices))
}

/// Marks and priorities of packets.
fn take_network(limits: &mut Limits, network: &LinuxNetwork) -> Result<()> {
    limits.further.network_class = network.class_id();
    for (index, device) in network.priorities().iter().flatten().enumerate() {
        let name = device.name();
        // The kernel takes a name of 15 letters, and what comes after a space for the priority.
        if name.is_empty() || name.len() > 15 || name.contains(char::is_whitespace) {
            let place = format!("network.priorities[{index}].name");
            return wrong(&place, name, "must be the name of a network device");
        }
        limits.further.network_priorities.push((name.clone(), device.priority()));
    }
    Ok(())
}

/// Devices for remote access to memory, by their names.
fn take_rdma(limits: &mut Limits, devices: &HashMap<String, LinuxRdma>) -> Result<()> {
    for (name, device) in devices {
        let limit = RdmaLimit { handles: device.hca_handles(), objects: device.hca_objects() };
        if limit == RdmaLimit::default() {
            let why = format!("linux.resources.rdma.{name}: must have hcaHandles or hcaObjects");
            return Err(Error::invalid(why));
        }
        if name.is_empty() || name.contains(|letter: char| letter.is_whitespace() || letter == '=') {
            return wrong("rdma", name, "must be the name of an RDMA device");
        }
        limits.further.rdma.insert(name.clone(), limit);
    }
    Ok(())
}

fn wrong<T>(field: &str, value: impl std::fmt::Debug, remedy: &str) -> Result<T> {
    Err(Error::invalid(format!("linux.resources.{field} {value:?}: {remedy}")))
}
