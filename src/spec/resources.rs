//! Limits: Docker's numbers in the words of the OCI spec. Zero means: not limited.

use oci_spec::runtime::{
    LinuxCpu, LinuxDeviceCgroup, LinuxDeviceCgroupBuilder, LinuxDeviceType, LinuxMemory, LinuxPids,
    LinuxResources,
};

use super::Facts;
use crate::error::Result;

/// Microseconds of the period that `--cpus` is a share of.
const CPU_PERIOD: i64 = 100_000;

/// What a container may use.
pub fn resources(host: &api::HostConfig, facts: &Facts) -> Result<LinuxResources> {
    let mut resources = LinuxResources::default();
    resources.set_memory(memory(host)).set_cpu(cpu(host)).set_pids(pids(host));
    // The rules are a program in the container's cgroup, which an ordinary user cannot load; they can make no devices either.
    resources.set_devices(facts.rootless.is_none().then(devices));
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

/// Docker's devices: everything is forbidden but to make nodes, and to use these.
fn devices() -> Vec<LinuxDeviceCgroup> {
    const CHARACTERS: [(i64, Option<i64>); 9] = [
        (1, Some(3)), // null
        (1, Some(5)), // zero
        (1, Some(7)), // full
        (1, Some(8)), // random
        (1, Some(9)), // urandom
        (5, Some(0)), // tty
        (5, Some(1)), // console
        (5, Some(2)), // ptmx
        (136, None),  // pts
    ];
    let rule = |allow: bool, kind: LinuxDeviceType, access: &str| {
        LinuxDeviceCgroupBuilder::default().allow(allow).typ(kind).access(access)
    };
    let mut rules = vec![
        rule(false, LinuxDeviceType::A, "rwm"),
        rule(true, LinuxDeviceType::C, "m"),
        rule(true, LinuxDeviceType::B, "m"),
    ];
    for (major, minor) in CHARACTERS {
        let mut allowed = rule(true, LinuxDeviceType::C, "rwm").major(major);
        if let Some(minor) = minor {
            allowed = allowed.minor(minor);
        }
        rules.push(allowed);
    }
    rules.into_iter().map(|rule| rule.build().expect("every field is given")).collect()
}
