//! Random profiles and calls. Left out is where libseccomp (2.5.4) does not do what a profile says: of several rules for one call
//! one that fails halfway may hide the next, unless they compare for equality; several actions for one call come in an order of
//! its own; numbers wider than the machine's are not cut. And names that x86 has twice, as calls of their own and through
//! socketcall(2) or ipc(2). What ours does there is held to the profile's words by the compiler's own tests.

use models::Call;
use privileges::seccomp::{Action, Arch, Comparison, Condition, Profile, Rule, number};

/// Calls that exist, once, on all architectures that are tried, or on some of them.
const NAMES: &[&str] = &[
    "read",
    "write",
    "close",
    "fstat",
    "lseek",
    "mprotect",
    "munmap",
    "brk",
    "ioctl",
    "pread64",
    "dup",
    "nanosleep",
    "getpid",
    "clone",
    "execve",
    "exit",
    "kill",
    "uname",
    "fcntl",
    "flock",
    "fsync",
    "truncate",
    "getcwd",
    "chdir",
    "fchdir",
    "umask",
    "ptrace",
    "personality",
    "prctl",
    "mount",
    "swapon",
    "reboot",
    "gettid",
    "futex",
    "unshare",
    "splice",
    "openat",
    "mknodat",
    "setns",
    "getrandom",
    "bpf",
    "userfaultfd",
    "copy_file_range",
    "statx",
    "clone3",
    "openat2",
    "open",
    "stat",
    "poll",
    "access",
    "pipe",
    "pause",
    "fork",
    "vfork",
    "creat",
    "mkdir",
    "arch_prctl",
];

/// xorshift64*
pub struct Random {
    state: u64,
    /// Numbers have 64 bits, not 32.
    wide: bool,
}

impl Random {
    pub fn new(seed: u64) -> Random {
        Random { state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15), wide: true }
    }

    fn next(&mut self) -> u64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        self.state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    pub fn below(&mut self, count: usize) -> usize {
        (self.next() % count as u64) as usize
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// Numbers near each other in both halves, so that comparisons go either way.
    fn value(&mut self) -> u64 {
        let halves = [0, 1, 2, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff];
        let upper = if self.wide { self.one(&halves) } else { 0 };
        upper << 32 | self.one(&halves)
    }
}

const ACTIONS: [Action; 9] = [
    Action::Allow,
    Action::Errno(1),
    Action::Errno(38),
    Action::Trap,
    Action::Trace(7),
    Action::Log,
    Action::Notify,
    Action::KillThread,
    Action::KillProcess,
];

pub fn profile(random: &mut Random) -> Profile {
    // x32 is a second set of numbers of x86_64, whose arguments libseccomp takes to have 32 bits: the kernel does not.
    let all = [Arch::X86_64, Arch::I386, Arch::Aarch64, Arch::Arm];
    let mut architectures: Vec<Arch> = all.into_iter().filter(|_| random.below(2) == 0).collect();
    if architectures.is_empty() {
        architectures.push(random.one(&all));
    }
    random.wide = architectures.iter().all(|arch| arch.is_wide());
    let mut names = NAMES.to_vec();
    let mut rules = Vec::new();
    for _ in 0..1 + random.below(12) {
        let action = random.one(&ACTIONS);
        let count = (1 + random.below(4)).min(names.len());
        let group: Vec<String> =
            (0..count).map(|_| names.swap_remove(random.below(names.len())).to_string()).collect();
        if random.below(3) > 0 {
            let count = random.below(4);
            rules.push(Rule { names: group, action, conditions: conditions(random, count) });
            continue;
        }
        // Alternatives, as Docker's profile has them for personality(2): an argument has one of several values.
        let index = random.below(6) as u32;
        for _ in 0..2 + random.below(3) {
            let conditions = vec![Condition { index, comparison: Comparison::Equal, value: random.value() }];
            rules.push(Rule { names: group.clone(), action, conditions });
        }
    }
    Profile { default_action: random.one(&ACTIONS), beyond: None, architectures, rules, flags: 0 }
}

/// Conditions, each on another argument.
fn conditions(random: &mut Random, count: usize) -> Vec<Condition> {
    let mut indices = vec![0, 1, 2, 3, 4, 5];
    let one = |random: &mut Random, index: u32| {
        let comparison = random.one(&[
            Comparison::NotEqual,
            Comparison::Less,
            Comparison::LessOrEqual,
            Comparison::Equal,
            Comparison::GreaterOrEqual,
            Comparison::Greater,
            Comparison::MaskedEqual { mask: 0 },
        ]);
        let value = random.value();
        match comparison {
            Comparison::MaskedEqual { .. } => {
                let mask = random.value();
                Condition { index, comparison: Comparison::MaskedEqual { mask }, value: value & mask }
            }
            comparison => Condition { index, comparison, value },
        }
    };
    let mut conditions = Vec::new();
    for _ in 0..count {
        let index = indices.swap_remove(random.below(indices.len()));
        conditions.push(one(random, index));
    }
    conditions
}

/// A call that the profile may say something of: on one of its architectures, mostly, with arguments near those compared with.
pub fn call(random: &mut Random, profile: &Profile) -> Call {
    let arch = match random.below(20) {
        0 => random.one(&[Arch::X86_64, Arch::I386, Arch::Aarch64, Arch::Arm]),
        _ => random.one(&profile.architectures),
    };
    let named: Vec<&String> = profile.rules.iter().flat_map(|rule| &rule.names).collect();
    let name =
        if random.below(4) == 0 { random.one(NAMES) } else { named[random.below(named.len())].as_str() };
    let anything = random.below(500) as u32;
    let compared: Vec<u64> =
        profile.rules.iter().flat_map(|rule| &rule.conditions).map(|one| one.value).collect();
    let arguments = std::array::from_fn(|_| {
        let value = if compared.is_empty() { random.value() } else { random.one(&compared) };
        // Where arguments have 32 bits the kernel shows no others.
        let value = value.wrapping_add([0, 0, 1, u64::MAX][random.below(4)]);
        if arch.is_wide() { value } else { value & 0xffff_ffff }
    });
    let number = number(arch, name).unwrap_or(anything);
    Call { number, arch: arch.audit(), instruction_pointer: 0, arguments }
}
