//! The same in words.

use super::picture::inside;
use super::sequence::{Outcome, all_steps, is_born, steps};
use super::{KINDS, Spawn};

pub fn text(state: &Spawn) -> Vec<String> {
    let (done, outcome) = steps(state);
    let shown = if state.guess.is_some() { done } else { all_steps(state) };
    let calls: Vec<String> = shown.iter().map(|step| format!("{}: {}", step.who.name(), step.call)).collect();
    let kinds = |own: bool| {
        let kinds = KINDS.iter().filter(|(_, kind, _)| state.new.contains(*kind) == own);
        let kinds: Vec<&str> = kinds.map(|(.., what)| *what).collect();
        if kinds.is_empty() { "none".to_owned() } else { kinds.join(", ") }
    };
    vec![
        answer(state, outcome),
        format!("The calls, in order: {}.", calls.join("; ")),
        if state.guess.is_none() || is_born(state) {
            format!("The child's own: {}. The caller's: {}.", kinds(true), kinds(false))
        } else {
            format!("There is no child. It would have had of its own: {}.", kinds(true))
        },
    ]
}

fn answer(state: &Spawn, outcome: Outcome) -> String {
    let Some(guess) = state.guess else {
        return "Choose namespaces, and predict whether the command runs.".to_owned();
    };
    let verdict = if guess == outcome { "Right" } else { "Not so" };
    let fact = match outcome {
        Outcome::Runs => inside(state).replacen("It", "it", 1),
        Outcome::NoNamespaces => {
            "an ordinary user may make a namespace only together with a user namespace (EPERM)".to_owned()
        }
        Outcome::NoMap => {
            "an ordinary user may map nobody but itself; for more it takes newuidmap, and /etc/subuid has no line for this one"
                .to_owned()
        }
    };
    format!("{verdict}: {fact}.")
}
