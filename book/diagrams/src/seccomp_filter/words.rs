//! The same in words.

use super::SeccompFilter;
use super::path::{self, Answer, Executed};
use models::{Instruction, Step};

pub fn text(state: &SeccompFilter) -> Vec<String> {
    let path = path::of(state);
    let mut lines = vec![
        verdict(state, &path),
        format!("The call: {}.", call(state)),
        format!(
            "Executed: {} of the program's {} instructions. The accumulator holds {:#x}.",
            state.steps,
            path::program_of(state).len(),
            path::accumulator(&path, state.steps)
        ),
    ];
    lines.extend(
        path[..state.steps]
            .iter()
            .map(|one| format!("{}: {}. {}.", one.at, meaning(&one.instruction), effect(one))),
    );
    if let Some(next) = path.get(state.steps) {
        lines.push(format!("Next is {}: {}.", next.at, meaning(&next.instruction)));
        let behind = path::behind(state, &path).map(|(at, one)| format!("{at}: {}", meaning(one)));
        lines.push(format!("Behind it: {}.", behind.collect::<Vec<_>>().join("; ")));
    }
    lines
}

fn verdict(state: &SeccompFilter, path: &[Executed]) -> String {
    let Some(answer) = path::answer(path, state.steps) else {
        return match state.guess {
            None => "Choose a call, say what will become of it, and execute the filter.".to_owned(),
            Some(guess) => format!("You expect: {}. Execute the filter.", guess.label()),
        };
    };
    let verdict = match state.guess {
        None => "",
        Some(guess) if guess == answer => "Right. ",
        Some(_) => "Not so. ",
    };
    format!("{verdict}After {} instructions: {}.", state.steps, answer.label())
}

/// The call as the filter sees it.
pub fn call(state: &SeccompFilter) -> String {
    let call = path::call(state);
    let name = state.made.name().unwrap_or("a new call");
    format!(
        "{name} of {}, number {:#x}, first argument {:#x}",
        state.by.label(),
        call.number,
        call.arguments[0]
    )
}

/// What an instruction does.
pub fn meaning(instruction: &Instruction) -> String {
    let Instruction { code, jt, jf, k } = *instruction;
    let compared = |sign: &str| format!("if A {sign} {k:#x} skip {jt} else {jf}");
    match code {
        0x20 => format!("A = {}", word(k)),
        0x05 => format!("skip {k}"),
        0x15 => compared("=="),
        0x25 => compared(">"),
        0x35 => compared(">="),
        0x54 => format!("A = A & {k:#x}"),
        0x06 => format!("answer {k:#x}"),
        _ => format!("code {code:#x}"),
    }
}

/// A word of `struct seccomp_data`.
fn word(at: u32) -> String {
    match at {
        0 => "number".to_owned(),
        4 => "architecture".to_owned(),
        _ => {
            let half = if at.is_multiple_of(8) { "lower" } else { "upper" };
            format!("{half} half of argument {}", at.saturating_sub(16) / 8)
        }
    }
}

/// What it led to.
pub fn effect(one: &Executed) -> String {
    match one.leads_to {
        Step::Answers(value) => Answer::of(value).label().to_owned(),
        Step::Invalid => "not a program".to_owned(),
        Step::Goes(machine) if matches!(one.instruction.code, 0x20 | 0x54) => {
            format!("{:#x}", machine.accumulator)
        }
        Step::Goes(machine) => format!("to {}", machine.at),
    }
}
