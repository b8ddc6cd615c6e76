//! Docker's defaults: what is hidden, what cannot be written, which system calls are forbidden.

use crate::CapSet;
use oci_spec::runtime::{
    Arch, LinuxSeccomp, LinuxSeccompAction, LinuxSeccompArg, LinuxSeccompArgBuilder, LinuxSeccompBuilder,
    LinuxSeccompOperator, LinuxSyscall, LinuxSyscallBuilder,
};

/// System calls, a line each: `name`, or `name CAPABILITY` for those that need one.
const SYSTEM_CALLS: &str = include_str!("default_seccomp.txt");

/// Every namespace's flag of clone(2) but the time namespace's, which clone cannot make.
const CLONE_NAMESPACES: u64 = 0x7e02_0000;

/// The personalities that are harmless: Linux, its 32-bit kin, and the question which one it is (personality(2)).
const PERSONALITIES: &[u64] = &[0x0, 0x8, 0x2_0000, 0x2_0008, 0xffff_ffff];

/// ENOSYS: makes C libraries fall back from clone3, whose flags lie in memory where no filter sees them, to clone.
const ENOSYS: u32 = 38;

/// Paths whose contents tell of the host.
pub fn masked_paths() -> &'static [&'static str] {
    &[
        "/proc/asound",
        "/proc/acpi",
        "/proc/kcore",
        "/proc/keys",
        "/proc/latency_stats",
        "/proc/timer_list",
        "/proc/timer_stats",
        "/proc/sched_debug",
        "/proc/scsi",
        "/sys/firmware",
    ]
}

/// Paths that would change the host.
pub fn readonly_paths() -> &'static [&'static str] {
    &["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]
}

/// Docker's seccomp profile for a container with these capabilities, by name.
pub fn default_seccomp(capabilities: &[String]) -> LinuxSeccomp {
    let held: Vec<&str> = capabilities.iter().map(String::as_str).collect();
    let is_admin = held.contains(&"CAP_SYS_ADMIN");
    let names = SYSTEM_CALLS.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        match line.split_once(' ') {
            None => Some(line.to_string()),
            Some((name, capability)) => held.contains(&capability).then(|| name.to_string()),
        }
    });
    let mut rules = vec![rule(names.collect(), LinuxSeccompAction::ScmpActAllow, None, Vec::new())];
    for personality in PERSONALITIES {
        let same = argument(LinuxSeccompOperator::ScmpCmpEq, *personality);
        rules.push(rule(vec!["personality".into()], LinuxSeccompAction::ScmpActAllow, None, vec![same]));
    }
    if !is_admin {
        let without = argument(LinuxSeccompOperator::ScmpCmpMaskedEq, CLONE_NAMESPACES);
        rules.push(rule(vec!["clone".into()], LinuxSeccompAction::ScmpActAllow, None, vec![without]));
        rules.push(rule(vec!["clone3".into()], LinuxSeccompAction::ScmpActErrno, Some(ENOSYS), Vec::new()));
    }
    let profile = LinuxSeccompBuilder::default()
        .default_action(LinuxSeccompAction::ScmpActErrno)
        .default_errno_ret(1_u32)
        .architectures(architectures())
        .syscalls(rules)
        .build();
    profile.expect("every required field is set")
}

fn architectures() -> Vec<Arch> {
    match std::env::consts::ARCH {
        "aarch64" => vec![Arch::ScmpArchAarch64, Arch::ScmpArchArm],
        _ => vec![Arch::ScmpArchX86_64, Arch::ScmpArchX86, Arch::ScmpArchX32],
    }
}

fn rule(
    names: Vec<String>,
    action: LinuxSeccompAction,
    errno: Option<u32>,
    arguments: Vec<LinuxSeccompArg>,
) -> LinuxSyscall {
    let mut rule = LinuxSyscallBuilder::default().names(names).action(action);
    if let Some(errno) = errno {
        rule = rule.errno_ret(errno);
    }
    if !arguments.is_empty() {
        rule = rule.args(arguments);
    }
    rule.build().expect("every required field is set")
}

/// A condition on the first argument; of a masked comparison with zero, this is the mask.
fn argument(operator: LinuxSeccompOperator, value: u64) -> LinuxSeccompArg {
    let argument =
        LinuxSeccompArgBuilder::default().index(0_usize).value(value).value_two(0_u64).op(operator).build();
    argument.expect("every required field is set")
}

/// Docker's default capabilities.
pub fn default_capabilities() -> CapSet {
    let names = [
        "CAP_AUDIT_WRITE",
        "CAP_CHOWN",
        "CAP_DAC_OVERRIDE",
        "CAP_FOWNER",
        "CAP_FSETID",
        "CAP_KILL",
        "CAP_MKNOD",
        "CAP_NET_BIND_SERVICE",
        "CAP_NET_RAW",
        "CAP_SETFCAP",
        "CAP_SETGID",
        "CAP_SETPCAP",
        "CAP_SETUID",
        "CAP_SYS_CHROOT",
    ];
    CapSet::from_names(names).expect("these are capabilities")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_open_system_calls() {
        let allowed = |capabilities: &[&str], name: &str| {
            let capabilities: Vec<String> = capabilities.iter().map(|name| name.to_string()).collect();
            let profile = default_seccomp(&capabilities);
            let plain = |rule: &&LinuxSyscall| {
                rule.args().is_none() && rule.action() == LinuxSeccompAction::ScmpActAllow
            };
            profile
                .syscalls()
                .iter()
                .flatten()
                .filter(plain)
                .any(|rule| rule.names().iter().any(|own| own == name))
        };
        assert!(!allowed(&[], "mount") && allowed(&["CAP_SYS_ADMIN"], "mount"));
        assert!(!allowed(&[], "clone3") && allowed(&["CAP_SYS_ADMIN"], "clone3"));
        assert!(allowed(&[], "read"));
    }
}
