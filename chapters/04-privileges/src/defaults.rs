//! Docker's defaults: which capabilities a container has, and which system calls it may make.

use crate::CapSet;
use crate::seccomp::{Action, Arch, Comparison, Condition, Profile, Rule};
use std::ops::RangeInclusive;

/// System calls, a line each: `name`, or `name CAPABILITY` for those that need one.
const SYSTEM_CALLS: &str = include_str!("default_seccomp.txt");

/// Every namespace's flag of clone(2) but the time namespace's, which clone cannot make.
const CLONE_NAMESPACES: u64 = 0x7e02_0000;

/// The personalities that are harmless: Linux, its 32-bit kin, and the question which one it is (personality(2)).
const PERSONALITIES: [u64; 5] = [0x0, 0x8, 0x2_0000, 0x2_0008, 0xffff_ffff];

/// The families of sockets (socket(2)) that programs in containers use, besides the first twelve. The others are gone from Linux or
/// hardly looked after, and two are holes: 38, AF_ALG, made anybody root (CVE-2026-31431), and 40, AF_VSOCK, leads past every
/// network namespace.
const SOCKET_FAMILIES: [RangeInclusive<u64>; 7] =
    [13..=18, 21..=22, 24..=24, 26..=33, 35..=36, 39..=39, 41..=45];

/// What a forbidden call answers.
const EPERM: Action = Action::Errno(1);

/// No such call. Makes C libraries fall back from clone3, whose flags lie in memory where no filter sees them, to clone; and
/// programs from calls that are newer than the profile.
const ENOSYS: Action = Action::Errno(38);

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

/// Docker's seccomp profile for a container with these capabilities.
pub fn default_profile(capabilities: CapSet) -> Profile {
    let held: Vec<&str> = capabilities.names().collect();
    let lines = SYSTEM_CALLS.lines().filter(|line| !line.starts_with('#'));
    let names = lines.filter_map(|line| match line.split_once(' ') {
        None => Some(line),
        Some((name, capability)) => held.contains(&capability).then_some(name),
    });
    let mut rules = vec![rule(names, Action::Allow, None)];
    let allow = |name, first| rule([name], Action::Allow, Some((Comparison::Equal, first)));
    rules.extend(PERSONALITIES.map(|one| allow("personality", one)));
    rules.push(rule(["socket"], Action::Allow, Some((Comparison::Less, 12))));
    rules.extend(SOCKET_FAMILIES.into_iter().flatten().map(|family| allow("socket", family)));
    if !held.contains(&"CAP_SYS_ADMIN") {
        let without = (Comparison::MaskedEqual { mask: CLONE_NAMESPACES }, 0);
        rules.push(rule(["clone"], Action::Allow, Some(without)));
        rules.push(rule(["clone3"], ENOSYS, None));
    }
    Profile { default_action: EPERM, beyond: Some(ENOSYS), architectures: architectures(), rules, flags: 0 }
}

/// What becomes of these calls, where there is a condition on the first argument that it holds.
fn rule<'a>(
    names: impl IntoIterator<Item = &'a str>,
    action: Action,
    first: Option<(Comparison, u64)>,
) -> Rule {
    let condition = |(comparison, value)| Condition { index: 0, comparison, value };
    let names = names.into_iter().map(String::from).collect();
    Rule { names, action, conditions: first.map(condition).into_iter().collect() }
}

/// This machine's, and those of programs for its older kin.
fn architectures() -> Vec<Arch> {
    match std::env::consts::ARCH {
        "aarch64" => vec![Arch::Aarch64, Arch::Arm],
        _ => vec![Arch::X86_64, Arch::I386, Arch::X32],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_open_system_calls() {
        let allowed = |capabilities: &[&str], name: &str| {
            let profile = default_profile(CapSet::from_names(capabilities).unwrap());
            let plain = |rule: &&Rule| rule.conditions.is_empty() && rule.action == Action::Allow;
            profile.rules.iter().filter(plain).any(|rule| rule.names.iter().any(|own| own == name))
        };
        assert!(!allowed(&[], "mount") && allowed(&["CAP_SYS_ADMIN"], "mount"));
        assert!(!allowed(&[], "clone3") && allowed(&["CAP_SYS_ADMIN"], "clone3"));
        assert!(allowed(&[], "read") && !allowed(&[], "io_uring_setup") && !allowed(&[], "socket"));
    }

    #[test]
    fn its_words_in_a_spec_mean_the_same() {
        for names in [
            vec![],
            vec!["CAP_SYS_ADMIN".to_string()],
            crate::default_capabilities().names().map(String::from).collect(),
        ] {
            let capabilities = CapSet::from_names(&names).unwrap();
            let spec = crate::default_seccomp(&names);
            assert_eq!(crate::seccomp::profile(&spec).unwrap(), default_profile(capabilities));
        }
    }
}
