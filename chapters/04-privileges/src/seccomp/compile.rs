//! The compiler: a profile becomes a program that finds a call's verdict in about as many steps as its number has bits.
//!
//! First the architecture is looked at, since the same number means other calls on another one; then the call's number, by
//! halving: neighbours with the same verdict are one range, and ranges are the leaves of a balanced tree of comparisons.

use super::compare::{EQUAL, GREATER_OR_EQUAL, JUMP, LOAD, RETURN, condition};
use super::tables::X32_BIT;
use super::{Action, Arch, Condition, Instruction, NEW_LISTENER, Profile, Program};
use std::collections::BTreeMap;

/// Where the call's number and its architecture lie in `struct seccomp_data`.
const AT_NUMBER: u32 = 0;
const AT_ARCH: u32 = 4;

/// What becomes of one call: decided by its number alone, or by its arguments.
#[derive(Clone, PartialEq)]
enum Verdict {
    Always(Action),
    /// The first alternative whose conditions all hold; else the last action.
    ByArguments(Vec<(Vec<Condition>, Action)>, Action),
}

/// Compiles a profile. Calls of an architecture that it does not name end the process, since nothing is known of them.
pub fn compile(profile: &Profile) -> Program {
    let mut instructions = vec![instruction(LOAD, AT_ARCH)];
    let mut audits: Vec<u32> = profile.architectures.iter().map(|arch| arch.audit()).collect();
    audits.sort_unstable();
    audits.dedup();
    for audit in audits {
        let section = section(profile, audit);
        // A section may be longer than a conditional jump reaches.
        instructions.push(Instruction { code: EQUAL, jt: 1, jf: 0, k: audit });
        instructions.push(instruction(JUMP, section.len() as u32));
        instructions.extend(section);
    }
    instructions.push(instruction(RETURN, Action::KillProcess.value()));
    let asks = profile.rules.iter().any(|rule| rule.action == Action::Notify);
    Program { instructions, flags: profile.flags | if asks { NEW_LISTENER } else { 0 } }
}

/// The code for the one or, on x86, two architectures that share an audit number.
fn section(profile: &Profile, audit: u32) -> Vec<Instruction> {
    let here = || profile.architectures.iter().filter(|arch| arch.audit() == audit);
    let mut starts = unnamed(profile, audit);
    for arch in here() {
        let verdicts = verdicts_of(profile, *arch);
        let last = verdicts.last_key_value().map(|(number, _)| *number);
        for (number, verdict) in verdicts {
            starts.insert(number, verdict);
            starts.entry(number + 1).or_insert(Verdict::Always(profile.default_action));
        }
        if let (Some(last), Some(beyond)) = (last, profile.beyond) {
            starts.insert(last + 1, Verdict::Always(beyond));
        }
    }
    let mut code = vec![instruction(LOAD, AT_NUMBER)];
    code.extend(tree(&ranges(starts), here().all(|arch| arch.is_wide())));
    code
}

/// Where ranges of numbers begin of which no rule speaks.
fn unnamed(profile: &Profile, audit: u32) -> BTreeMap<u32, Verdict> {
    // Without one of the two among the architectures, every rule could be walked around by its set of numbers.
    let of = |arch| match profile.architectures.contains(&arch) {
        true => Verdict::Always(profile.default_action),
        false => Verdict::Always(Action::KillProcess),
    };
    if audit == Arch::X32.audit() {
        BTreeMap::from([(0, of(Arch::X86_64)), (X32_BIT, of(Arch::X32))])
    } else {
        BTreeMap::from([(0, Verdict::Always(profile.default_action))])
    }
}

fn verdicts_of(profile: &Profile, arch: Arch) -> BTreeMap<u32, Verdict> {
    let table = arch.table();
    let mut verdicts: BTreeMap<u32, Verdict> = BTreeMap::new();
    for rule in &profile.rules {
        for number in rule.names.iter().filter_map(|name| table.get(name.as_str())) {
            let verdict = verdicts
                .entry(*number)
                .or_insert_with(|| Verdict::ByArguments(Vec::new(), profile.default_action));
            match verdict {
                Verdict::ByArguments(alternatives, _) if !rule.conditions.is_empty() => {
                    alternatives.push((rule.conditions.clone(), rule.action));
                }
                Verdict::ByArguments(..) => *verdict = Verdict::Always(rule.action),
                Verdict::Always(_) => {}
            }
        }
    }
    verdicts
}

/// Ranges of numbers, each by its first; neighbours with the same verdict are one.
fn ranges(starts: BTreeMap<u32, Verdict>) -> Vec<(u32, Verdict)> {
    let mut ranges: Vec<(u32, Verdict)> = starts.into_iter().collect();
    ranges.dedup_by(|next, before| next.1 == before.1);
    ranges
}

/// A tree of comparisons over ranges; every path ends in a return.
fn tree(ranges: &[(u32, Verdict)], wide: bool) -> Vec<Instruction> {
    if let [(_, verdict)] = ranges {
        return leaf(verdict, wide);
    }
    let (below, above) = ranges.split_at(ranges.len() / 2);
    let (left, right) = (tree(below, wide), tree(above, wide));
    let first = above[0].0;
    let head = match u8::try_from(left.len()) {
        Ok(distance) => vec![Instruction { code: GREATER_OR_EQUAL, jt: distance, jf: 0, k: first }],
        Err(_) => vec![
            Instruction { code: GREATER_OR_EQUAL, jt: 0, jf: 1, k: first },
            instruction(JUMP, left.len() as u32),
        ],
    };
    [head, left, right].concat()
}

fn leaf(verdict: &Verdict, wide: bool) -> Vec<Instruction> {
    match verdict {
        Verdict::Always(action) => vec![instruction(RETURN, action.value())],
        Verdict::ByArguments(alternatives, otherwise) => {
            let mut code: Vec<Instruction> = alternatives
                .iter()
                .flat_map(|(conditions, action)| alternative(conditions, *action, wide))
                .collect();
            code.push(instruction(RETURN, otherwise.value()));
            code
        }
    }
}

/// All conditions, then the action; one that fails jumps behind it. Built from its end, which the jumps are counted to.
fn alternative(conditions: &[Condition], action: Action, wide: bool) -> Vec<Instruction> {
    let mut code = vec![instruction(RETURN, action.value())];
    for one in conditions.iter().rev() {
        let mut head = condition(one, wide, code.len());
        head.append(&mut code);
        code = head;
    }
    code
}

fn instruction(code: u16, k: u32) -> Instruction {
    Instruction { code, jt: 0, jf: 0, k }
}

#[cfg(test)]
mod tests;
