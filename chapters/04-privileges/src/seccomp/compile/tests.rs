//! The program's verdict equals the profile's, on random profiles and calls; the machine here is a filter's, in small.

use super::super::compare::{AND, GREATER};
use super::*;
use crate::seccomp::{Comparison, Rule, Table};

/// What a filter answers to a call (bpf(4)): an interpreter of the few instructions that filters use.
fn run(program: &Program, arch: Arch, number: u32, arguments: [u64; 6]) -> u32 {
    let word = |at: u32| match at {
        AT_NUMBER => number,
        AT_ARCH => arch.audit(),
        at => {
            let argument = arguments[(at as usize - 16) / 8];
            if at % 8 == 0 { argument as u32 } else { (argument >> 32) as u32 }
        }
    };
    let (mut at, mut accumulator) = (0, 0);
    loop {
        let Instruction { code, jt, jf, k } = program.instructions[at];
        at += 1;
        let jump = |holds: bool| usize::from(if holds { jt } else { jf });
        match code {
            LOAD => accumulator = word(k),
            AND => accumulator &= k,
            JUMP => at += k as usize,
            EQUAL => at += jump(accumulator == k),
            GREATER => at += jump(accumulator > k),
            GREATER_OR_EQUAL => at += jump(accumulator >= k),
            RETURN => return k,
            other => panic!("instruction {other:#x}"),
        }
    }
}

/// What the profile says of a call, in so many words.
fn meaning(profile: &Profile, table: &Table, arch: Arch, number: u32, arguments: [u64; 6]) -> u32 {
    let is_this = |name: &String| table.get(name.as_str()) == Some(&number);
    let rules: Vec<&Rule> = profile.rules.iter().filter(|rule| rule.names.iter().any(is_this)).collect();
    let of = |argument: u64, one: &Condition| {
        let argument = if arch.is_wide() { argument } else { argument & 0xffff_ffff };
        let value = if arch.is_wide() { one.value } else { one.value & 0xffff_ffff };
        match one.comparison {
            Comparison::NotEqual => argument != value,
            Comparison::Less => argument < value,
            Comparison::LessOrEqual => argument <= value,
            Comparison::Equal => argument == value,
            Comparison::GreaterOrEqual => argument >= value,
            Comparison::Greater => argument > value,
            Comparison::MaskedEqual { mask } => argument & mask == value,
        }
    };
    let unconditional = rules.iter().find(|rule| rule.conditions.is_empty());
    let holds = |rule: &&&Rule| rule.conditions.iter().all(|one| of(arguments[one.index as usize], one));
    let deciding = unconditional.or_else(|| rules.iter().find(holds));
    let named = |rule: &Rule| rule.names.iter().filter_map(|name| table.get(name.as_str())).max().copied();
    let last = profile.rules.iter().filter_map(named).max();
    let unnamed = match profile.beyond {
        Some(beyond) if last.is_some_and(|last| number > last) => beyond,
        _ => profile.default_action,
    };
    deciding.map_or(unnamed, |rule| rule.action).value()
}

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    /// Values that are near each other in both halves, so that comparisons go either way.
    fn value(&mut self) -> u64 {
        let halves = [0, 1, 2, 0xffff_fffe, 0xffff_ffff];
        halves[self.below(5)] << 32 | halves[self.below(5)]
    }

    fn condition(&mut self) -> Condition {
        let comparisons = [
            Comparison::NotEqual,
            Comparison::Less,
            Comparison::LessOrEqual,
            Comparison::Equal,
            Comparison::GreaterOrEqual,
            Comparison::Greater,
            Comparison::MaskedEqual { mask: self.value() },
        ];
        Condition { index: self.below(6) as u32, comparison: comparisons[self.below(7)], value: self.value() }
    }

    fn action(&mut self) -> Action {
        [Action::Allow, Action::Errno(1), Action::Errno(38), Action::Trap, Action::Log, Action::KillThread]
            [self.below(6)]
    }
}

const ARCHES: [Arch; 5] = [Arch::X86_64, Arch::X32, Arch::I386, Arch::Aarch64, Arch::Arm];

fn random_profile(random: &mut Random, names: &[&str]) -> Profile {
    let rule = |random: &mut Random| Rule {
        names: (0..1 + random.below(40)).map(|_| names[random.below(names.len())].to_string()).collect(),
        action: random.action(),
        conditions: (0..random.below(4)).map(|_| random.condition()).collect(),
    };
    Profile {
        default_action: random.action(),
        beyond: (random.below(2) == 0).then_some(Action::Errno(38)),
        architectures: ARCHES.into_iter().filter(|_| random.below(3) > 0).collect(),
        rules: (0..random.below(12)).map(|_| rule(random)).collect(),
        flags: 0,
    }
}

#[test]
fn programs_mean_what_profiles_say() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let table = Arch::X86_64.table();
    let names: Vec<&str> = table.names().collect();
    let tables: BTreeMap<Arch, Table> = ARCHES.into_iter().map(|arch| (arch, arch.table())).collect();
    for _ in 0..200 {
        let profile = random_profile(&mut random, &names);
        let program = compile(&profile);
        for _ in 0..100 {
            let arch = ARCHES[random.below(5)];
            let number =
                if random.below(10) == 0 { random.next() as u32 >> 2 } else { random.below(470) as u32 };
            let number = if arch == Arch::X32 { number | X32_BIT } else { number };
            let arguments = std::array::from_fn(|_| random.value());
            let expected = if profile.architectures.contains(&arch) {
                meaning(&profile, &tables[&arch], arch, number, arguments)
            } else {
                Action::KillProcess.value()
            };
            assert_eq!(
                run(&program, arch, number, arguments),
                expected,
                "{profile:#?} {arch:?} {number} {arguments:x?}"
            );
        }
    }
}

#[test]
fn the_default_profile_is_short_enough_for_the_kernel() {
    let names = ["CAP_CHOWN".to_string()];
    let profile = crate::seccomp::profile(&crate::default_seccomp(&names)).unwrap();
    let length = compile(&profile).instructions.len();
    assert!(length < 4096, "{length} instructions");
}
