//! Limits: Docker's numbers in the words of the OCI spec. Zero means: not limited.

use oci_spec::runtime::{
    LinuxBlockIo, LinuxCpu, LinuxMemory, LinuxPids, LinuxResources, LinuxThrottleDevice,
    LinuxThrottleDeviceBuilder, LinuxWeightDeviceBuilder,
};

use super::machine::{Disk, Disks, Machine};
use super::{Facts, devices};
use crate::error::Result;

/// Microseconds of the period that `--cpus` is a share of.
const CPU_PERIOD: i64 = 100_000;

/// What a container may use.
pub fn resources(host: &api::HostConfig, facts: &Facts, machine: &Machine) -> Result<LinuxResources> {
    let mut resources = LinuxResources::default();
    resources.set_memory(memory(host)).set_cpu(cpu(host)).set_pids(pids(host));
    resources.set_block_io(disks(host, &machine.disks));
    // The rules are a program in the container's cgroup, which an ordinary user cannot load; they can make no devices either.
    let rules = facts.rootless.is_none().then(|| devices::rules(host, &machine.devices));
    resources.set_devices(rules.transpose()?);
    Ok(resources)
}

fn limited(number: i64) -> Option<i64> {
    (number != 0).then_some(number)
}

fn memory(host: &api::HostConfig) -> Option<LinuxMemory> {
    let mut memory = LinuxMemory::default();
    memory
        .set_limit(limited(host.memory))
        .set_reservation(limited(host.memory_reservation))
        .set_swap(limited(host.memory_swap))
        .set_swappiness(host.memory_swappiness.and_then(|value| u64::try_from(value).ok()))
        .set_disable_oom_killer(host.oom_kill_disable.filter(|disable| *disable));
    (memory != LinuxMemory::default()).then_some(memory)
}

fn cpu(host: &api::HostConfig) -> Option<LinuxCpu> {
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let mut cpu = LinuxCpu::default();
    cpu.set_shares(limited(host.cpu_shares).map(|shares| shares.max(2) as u64))
        .set_quota(limited(host.cpu_quota))
        .set_period(limited(host.cpu_period).map(|period| period as u64))
        .set_cpus(text(&host.cpuset_cpus))
        .set_mems(text(&host.cpuset_mems));
    if host.nano_cpus > 0 {
        cpu.set_period(Some(CPU_PERIOD as u64)).set_quota(Some(host.nano_cpus * CPU_PERIOD / 1_000_000_000));
    }
    (cpu != LinuxCpu::default()).then_some(cpu)
}

/// Docker says "no limit" by 0, by -1, and by not saying anything.
fn pids(host: &api::HostConfig) -> Option<LinuxPids> {
    let limit = host.pids_limit.filter(|limit| *limit > 0)?;
    let mut pids = LinuxPids::default();
    pids.set_limit(limit);
    Some(pids)
}

fn disks(host: &api::HostConfig, disks: &Disks) -> Option<LinuxBlockIo> {
    let bounds = |list: &[Disk]| -> Option<Vec<LinuxThrottleDevice>> {
        let one = |(major, minor, rate): &Disk| {
            let disk = LinuxThrottleDeviceBuilder::default().major(*major).minor(*minor).rate(*rate);
            disk.build().expect("every field is given")
        };
        (!list.is_empty()).then(|| list.iter().map(one).collect())
    };
    let weight = |(major, minor, weight): &Disk| {
        let disk = LinuxWeightDeviceBuilder::default().major(*major).minor(*minor).weight(*weight as u16);
        disk.build().expect("every field is given")
    };
    let weights: Vec<_> = disks.weights.iter().map(weight).collect();
    let mut block = LinuxBlockIo::default();
    block
        .set_weight((host.blkio_weight != 0).then_some(host.blkio_weight))
        .set_weight_device((!weights.is_empty()).then_some(weights))
        .set_throttle_read_bps_device(bounds(&disks.read_bytes))
        .set_throttle_write_bps_device(bounds(&disks.write_bytes))
        .set_throttle_read_iops_device(bounds(&disks.read_operations))
        .set_throttle_write_iops_device(bounds(&disks.write_operations));
    (block != LinuxBlockIo::default()).then_some(block)
}
