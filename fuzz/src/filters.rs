//! The seccomp compiler.

use crate::Bytes;
use models::{Call, Instruction, answer};
use oci_spec::runtime::LinuxSeccomp;
use privileges::seccomp::{self, Action, Arch, Comparison, Condition, Profile, Rule, Table};
use std::sync::LazyLock;

const ARCHES: [Arch; 5] = [Arch::X86_64, Arch::X32, Arch::I386, Arch::Aarch64, Arch::Arm];
const ACTIONS: [Action; 7] = [
    Action::Allow,
    Action::Errno(1),
    Action::Errno(38),
    Action::Trap,
    Action::Trace(9),
    Action::Log,
    Action::KillThread,
];
/// Calls with numbers next to each other, far from each other, and on some architectures only.
const NAMES: [&str; 16] = [
    "read",
    "write",
    "open",
    "close",
    "stat",
    "mmap",
    "ioctl",
    "clone",
    "execve",
    "kill",
    "mount",
    "personality",
    "socket",
    "clone3",
    "openat2",
    "no_such_call",
];

/// What a compiled filter answers is what the profile says, and a profile in JSON gives a filter or an error that says something.
pub fn law(bytes: &[u8]) {
    if let Ok(seccomp) = serde_json::from_slice::<LinuxSeccomp>(bytes) {
        match seccomp::profile(&seccomp) {
            Ok(profile) => judged(&profile, &mut Bytes::new(bytes)),
            Err(message) => assert!(message.starts_with("linux.seccomp"), "{message}"),
        }
        return;
    }
    let mut bytes = Bytes::new(bytes);
    let profile = profile(&mut bytes);
    judged(&profile, &mut bytes);
}

fn judged(profile: &Profile, bytes: &mut Bytes<'_>) {
    let program = seccomp::compile(profile);
    let convert =
        |one: &seccomp::Instruction| Instruction { code: one.code, jt: one.jt, jf: one.jf, k: one.k };
    let program: Vec<Instruction> = program.instructions.iter().map(convert).collect();
    for _ in 0..16 {
        let (arch, call) = call(bytes);
        let said = meaning(profile, arch, &call).value();
        assert_eq!(answer(&program, &call), Some(said), "{arch:?} {call:x?} under {profile:#?}");
    }
}

fn profile(bytes: &mut Bytes<'_>) -> Profile {
    let default_action = bytes.one(&ACTIONS);
    let beyond = bytes.flag().then_some(Action::Errno(38));
    let architectures = ARCHES.into_iter().filter(|_| bytes.flag()).collect();
    let rules = (0..bytes.below(12)).map(|_| rule(bytes)).collect();
    Profile { default_action, beyond, architectures, rules, flags: 0 }
}

fn rule(bytes: &mut Bytes<'_>) -> Rule {
    let names = (0..1 + bytes.below(4)).map(|_| bytes.one(&NAMES).to_string()).collect();
    let action = bytes.one(&ACTIONS);
    let conditions = (0..bytes.below(4)).map(|_| condition(bytes)).collect();
    Rule { names, action, conditions }
}

fn condition(bytes: &mut Bytes<'_>) -> Condition {
    let index = bytes.below(6) as u32;
    let comparison = match bytes.below(7) {
        0 => Comparison::NotEqual,
        1 => Comparison::Less,
        2 => Comparison::LessOrEqual,
        3 => Comparison::Equal,
        4 => Comparison::GreaterOrEqual,
        5 => Comparison::Greater,
        _ => Comparison::MaskedEqual { mask: bytes.number() },
    };
    Condition { index, comparison, value: bytes.number() }
}

fn call(bytes: &mut Bytes<'_>) -> (Arch, Call) {
    let arch = bytes.one(&ARCHES);
    let bit = if arch == Arch::X32 { 0x4000_0000 } else { 0 };
    let named = table(arch).get(bytes.one(&NAMES)).copied().filter(|_| bytes.below(4) > 0);
    let number = named.unwrap_or_else(|| (bytes.below(256) as u32 * 2) | bit);
    let mut argument = || if arch.is_wide() { bytes.number() } else { bytes.number() & 0xffff_ffff };
    let arguments = std::array::from_fn(|_| argument());
    (arch, Call { number, arch: arch.audit(), instruction_pointer: 0, arguments })
}

/// The numbers of an architecture's calls, read once.
fn table(arch: Arch) -> &'static Table {
    static TABLES: LazyLock<Vec<Table>> = LazyLock::new(|| ARCHES.iter().map(|arch| arch.table()).collect());
    &TABLES[ARCHES.iter().position(|other| *other == arch).expect("all of them are there")]
}

/// What the profile says of a call, in so many words (see [`Profile`]).
fn meaning(profile: &Profile, arch: Arch, call: &Call) -> Action {
    if !profile.architectures.contains(&arch) {
        // Told apart by their numbers alone where they share the architecture's.
        return Action::KillProcess;
    }
    let table = table(arch);
    let numbers = |rule: &Rule| -> Vec<u32> {
        rule.names.iter().filter_map(|name| table.get(name.as_str()).copied()).collect()
    };
    let mut own = profile.rules.iter().filter(|rule| numbers(rule).contains(&call.number));
    let unconditional = own.clone().find(|rule| rule.conditions.is_empty());
    let holds = |rule: &&Rule| rule.conditions.iter().all(|one| holds(one, arch, call));
    if let Some(rule) = unconditional.or_else(|| own.find(holds)) {
        return rule.action;
    }
    let last = profile.rules.iter().flat_map(numbers).max();
    match profile.beyond {
        Some(beyond) if last.is_some_and(|last| call.number > last) => beyond,
        _ => profile.default_action,
    }
}

fn holds(one: &Condition, arch: Arch, call: &Call) -> bool {
    let all = if arch.is_wide() { u64::MAX } else { 0xffff_ffff };
    let (argument, value) = (call.arguments[one.index as usize], one.value & all);
    match one.comparison {
        Comparison::NotEqual => argument != value,
        Comparison::Less => argument < value,
        Comparison::LessOrEqual => argument <= value,
        Comparison::Equal => argument == value,
        Comparison::GreaterOrEqual => argument >= value,
        Comparison::Greater => argument > value,
        Comparison::MaskedEqual { mask } => argument & mask & all == value,
    }
}
