//! The way of a call through the program that chapter 04's compiler makes, on the model of the kernel's machine.

use super::{SeccompFilter, Whose};
use models::{Call, Instruction, Machine, Step, step};
use privileges::seccomp::{Action, Arch, Comparison, Condition, Profile, Rule, compile, number};
use privileges::{default_capabilities, default_profile};
use std::sync::LazyLock;

/// Compiled once: what a reader changes is the call.
static SMALL: LazyLock<Vec<Instruction>> = LazyLock::new(|| program(&small()));
static DOCKER: LazyLock<Vec<Instruction>> = LazyLock::new(|| {
    let architectures = vec![Arch::X86_64, Arch::I386, Arch::X32];
    program(&Profile { architectures, ..default_profile(default_capabilities()) })
});

/// A number beyond those that any profile here names.
const NEW: u32 = 600;

/// How many instructions are shown behind the next one.
const SHOWN: usize = 8;

/// Marks a call of x32.
const X32_BIT: u32 = 0x4000_0000;

/// One instruction that is executed.
#[derive(Debug, Clone, Copy)]
pub struct Executed {
    /// Where it stands in the program.
    pub at: usize,
    /// The instruction.
    pub instruction: Instruction,
    /// What it leads to.
    pub leads_to: Step,
}

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It is made.
    Allowed,
    /// It fails with EPERM.
    Refused,
    /// It fails with ENOSYS.
    Unknown,
    /// The process ends.
    Killed,
}

impl Answer {
    /// What a filter's number means: the filters here have four answers.
    pub fn of(value: u32) -> Answer {
        match value {
            _ if value == Action::Allow.value() => Answer::Allowed,
            _ if value == Action::Errno(1).value() => Answer::Refused,
            _ if value == Action::Errno(38).value() => Answer::Unknown,
            _ => Answer::Killed,
        }
    }

    /// What the reader sees.
    pub fn label(self) -> &'static str {
        match self {
            Answer::Allowed => "it is made",
            Answer::Refused => "EPERM",
            Answer::Unknown => "ENOSYS",
            Answer::Killed => "the process ends",
        }
    }
}

/// Three calls, and two that depend on their argument; for one architecture.
fn small() -> Profile {
    let rule = |names: &[&str], condition: Option<(Comparison, u64)>| Rule {
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        action: Action::Allow,
        conditions: condition
            .map(|(comparison, value)| Condition { index: 0, comparison, value })
            .into_iter()
            .collect(),
    };
    let rules = vec![
        rule(&["read", "write", "exit_group"], None),
        rule(&["clone"], Some((Comparison::MaskedEqual { mask: 0x7e02_0000 }, 0))),
        rule(&["personality"], Some((Comparison::Equal, 0))),
    ];
    Profile {
        default_action: Action::Errno(1),
        beyond: Some(Action::Errno(38)),
        architectures: vec![Arch::X86_64],
        rules,
        flags: 0,
    }
}

fn program(profile: &Profile) -> Vec<Instruction> {
    let same = |one: privileges::seccomp::Instruction| Instruction {
        code: one.code,
        jt: one.jt,
        jf: one.jf,
        k: one.k,
    };
    compile(profile).instructions.into_iter().map(same).collect()
}

/// The program that is stepped through.
pub fn program_of(state: &SeccompFilter) -> &'static [Instruction] {
    match state.whose {
        Whose::Small => &SMALL,
        Whose::Docker => &DOCKER,
    }
}

/// What the filter sees of the call.
pub fn call(state: &SeccompFilter) -> Call {
    let arch = state.by.arch();
    let bit = if arch == Arch::X32 { X32_BIT } else { 0 };
    let number = state.made.name().and_then(|name| number(arch, name)).unwrap_or(NEW | bit);
    let argument = if arch.is_wide() { state.argument.value() } else { state.argument.value() & 0xffff_ffff };
    Call { number, arch: arch.audit(), instruction_pointer: 0, arguments: [argument, 0, 0, 0, 0, 0] }
}

/// Every instruction that is executed for it; the last one answers.
pub fn of(state: &SeccompFilter) -> Vec<Executed> {
    let (program, call) = (program_of(state), call(state));
    let (mut machine, mut path) = (Machine::default(), Vec::new());
    while let Some(instruction) = program.get(machine.at) {
        let leads_to = step(program, &call, machine);
        path.push(Executed { at: machine.at, instruction: *instruction, leads_to });
        match leads_to {
            Step::Goes(next) => machine = next,
            Step::Answers(_) | Step::Invalid => break,
        }
    }
    path
}

/// What stands behind the instruction that comes next, as far as is shown: where a jump may lead.
pub fn behind(
    state: &SeccompFilter,
    path: &[Executed],
) -> impl Iterator<Item = (usize, &'static Instruction)> {
    let next = path.get(state.steps).map(|one| one.at + 1);
    let numbered = program_of(state).iter().enumerate();
    next.map(|next| numbered.skip(next).take(SHOWN)).into_iter().flatten()
}

/// The accumulator after so many steps.
pub fn accumulator(path: &[Executed], steps: usize) -> u32 {
    let after = |one: &Executed| match one.leads_to {
        Step::Goes(machine) => Some(machine.accumulator),
        Step::Answers(_) | Step::Invalid => None,
    };
    path[..steps].iter().rev().find_map(after).unwrap_or_default()
}

/// The filter's answer, once it has been given.
pub fn answer(path: &[Executed], steps: usize) -> Option<Answer> {
    match path.get(steps.checked_sub(1)?)?.leads_to {
        Step::Answers(value) => Some(Answer::of(value)),
        Step::Goes(_) | Step::Invalid => None,
    }
}
