//! Conditions on arguments: 64-bit comparisons on a machine of 32 bits.

use super::{Comparison, Condition, Instruction};

/// `BPF_LD|BPF_W|BPF_ABS`: loads a word of `struct seccomp_data`.
pub const LOAD: u16 = 0x20;
/// `BPF_JMP|BPF_JA`
pub const JUMP: u16 = 0x05;
/// `BPF_JMP|BPF_JEQ|BPF_K`
pub const EQUAL: u16 = 0x15;
/// `BPF_JMP|BPF_JGT|BPF_K`
pub const GREATER: u16 = 0x25;
/// `BPF_JMP|BPF_JGE|BPF_K`
pub const GREATER_OR_EQUAL: u16 = 0x35;
/// `BPF_ALU|BPF_AND|BPF_K`
pub const AND: u16 = 0x54;
/// `BPF_RET|BPF_K`
pub const RETURN: u16 = 0x06;

/// Where a comparison goes from one of its instructions.
#[derive(Clone, Copy, PartialEq)]
enum To {
    Next,
    Holds,
    Fails,
}

/// Code that falls through its end when the condition holds, and jumps `beyond` instructions past its end when it fails.
pub fn condition(condition: &Condition, wide: bool, beyond: usize) -> Vec<Instruction> {
    let steps = steps(condition);
    // Where arguments have 32 bits, the upper half is no part of them.
    let at_low = load(16 + 8 * condition.index);
    let upper = if wide { 0 } else { steps.iter().position(|step| *step == at_low).unwrap_or(0) };
    assemble(&steps[upper..], beyond)
}

/// The comparison of both halves of an argument, the upper one first.
fn steps(condition: &Condition) -> Vec<Step> {
    let Condition { index, value, .. } = *condition;
    let (low, high) = (value as u32, (value >> 32) as u32);
    let (at_low, at_high) = (16 + 8 * index, 20 + 8 * index);
    let ordered = |code, negated| ordered((at_high, high), (at_low, low), code, negated);
    match condition.comparison {
        Comparison::MaskedEqual { mask } => {
            let word = |at, mask, value| {
                [load(at), (AND, mask, To::Next, To::Next), (EQUAL, value, To::Next, To::Fails)]
            };
            [word(at_high, (mask >> 32) as u32, high), word(at_low, mask as u32, low)].concat()
        }
        Comparison::Equal => same((at_high, high), (at_low, low), To::Holds, To::Fails),
        Comparison::NotEqual => same((at_high, high), (at_low, low), To::Fails, To::Holds),
        Comparison::Greater => ordered(GREATER, false),
        Comparison::GreaterOrEqual => ordered(GREATER_OR_EQUAL, false),
        Comparison::Less => ordered(GREATER_OR_EQUAL, true),
        Comparison::LessOrEqual => ordered(GREATER, true),
    }
}

type Step = (u16, u32, To, To);

fn load(at: u32) -> Step {
    (LOAD, at, To::Next, To::Next)
}

/// A word's place in `struct seccomp_data`, and what it is compared with.
type Word = (u32, u32);

/// Both words are as they should be, or one is not.
fn same((at_high, high): Word, (at_low, low): Word, same: To, other: To) -> Vec<Step> {
    vec![load(at_high), (EQUAL, high, To::Next, other), load(at_low), (EQUAL, low, same, other)]
}

/// Greater in the upper word decides; equal there leaves it to the lower one. `negated` is the opposite order.
fn ordered((at_high, high): Word, (at_low, low): Word, code: u16, negated: bool) -> Vec<Step> {
    let (holds, fails) = if negated { (To::Fails, To::Holds) } else { (To::Holds, To::Fails) };
    vec![
        load(at_high),
        (GREATER, high, holds, To::Next),
        (EQUAL, high, To::Next, fails),
        load(at_low),
        (code, low, holds, fails),
    ]
}

fn assemble(steps: &[Step], beyond: usize) -> Vec<Instruction> {
    let one = |(index, (code, k, jt, jf)): (usize, &Step)| {
        let left = steps.len() - index - 1;
        let distance = |to: &To| {
            let distance = match to {
                To::Next => 0,
                To::Holds => left,
                To::Fails => left + beyond,
            };
            // A call has six arguments, and a condition at most six instructions.
            u8::try_from(distance).expect("a rule has at most one condition for each argument")
        };
        Instruction { code: *code, jt: distance(jt), jf: distance(jf), k: *k }
    };
    steps.iter().enumerate().map(one).collect()
}
