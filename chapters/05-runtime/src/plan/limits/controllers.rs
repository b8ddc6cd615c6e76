//! Long tail: limits of memory, processors, disks and huge pages, as far as a spec has them.

use crate::{Error, Result};
use cgroups::{DeviceValue, Limits};
use oci_spec::runtime::{LinuxBlockIo, LinuxCpu, LinuxHugepageLimit, LinuxMemory, LinuxThrottleDevice};

/// Huge pages, by their size.
pub fn take_pages(limits: &mut Limits, pages: &[LinuxHugepageLimit]) -> Result<()> {
    for pages in pages {
        let limit = u64::try_from(pages.limit())
            .map_err(|_| Error::invalid("linux.resources.hugepageLimits: a negative number"))?;
        limits.hugetlb.insert(pages.page_size().clone(), limit);
    }
    Ok(())
}

/// A limit that is none.
fn set<T: Default + PartialEq>(limit: T) -> Option<T> {
    (limit != T::default()).then_some(limit)
}

/// Memory, and swap.
pub fn take_memory(limits: &mut Limits, memory: &LinuxMemory) -> Result<()> {
    refuse("memory.kernel", memory.kernel().and_then(set).is_some())?;
    refuse("memory.kernelTCP", memory.kernel_tcp().and_then(set).is_some())?;
    limits.memory = memory.limit().and_then(set);
    limits.memory_swap = memory.swap().and_then(set);
    limits.memory_reservation = memory.reservation().and_then(set);
    limits.memory_swappiness = memory.swappiness();
    limits.oom_kill_disable = memory.disable_oom_killer().unwrap_or_default();
    Ok(())
}

/// Time on processors, and which.
pub fn take_cpu(limits: &mut Limits, cpu: &LinuxCpu) -> Result<()> {
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

/// Traffic to disks.
pub fn take_disks(limits: &mut Limits, disks: &LinuxBlockIo) -> Result<()> {
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
