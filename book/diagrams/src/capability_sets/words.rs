//! The same in words.

use super::{CapabilitySets, Has, NET_RAW, Names, SETS, SWITCHES, Switch, choices, has, status};
use models::{Executed, Sets, Thread};

pub fn text(state: &CapabilitySets) -> Vec<String> {
    let thread = state.thread();
    let before = format!("Before: {}. {}", has_in(thread.user, &thread.sets), in_hex(&thread.sets));
    let switches = SWITCHES.iter().filter(|(_, switch, _)| state.is_on(*switch)).map(|(.., label)| *label);
    let file = [format!("The file: {}", choices::label(state.names))].into_iter();
    let file = file.chain(switches.map(str::to_owned)).collect::<Vec<_>>().join("; ") + ".";
    if state.guess.is_none() {
        let question =
            "Choose a thread and a file, and predict what the new program has of CAP_NET_RAW.".to_owned();
        return vec![question, before, file];
    }
    let after = match state.executed() {
        Ok(new) => format!("After: {}. {}", has_in(new.user, &new.sets), in_hex(&new.sets)),
        Err(_) => "After: execve has failed, and the thread goes on as it was.".to_owned(),
    };
    vec![answer(state), before, file, after]
}

/// A user, as the drawing calls it.
pub fn user(user: u32) -> &'static str {
    if user == 0 { "root" } else { "user 1000" }
}

fn has_in(user: u32, sets: &Sets) -> String {
    let in_order = [sets.bounding, sets.inheritable, sets.permitted, sets.effective, sets.ambient];
    let named = SETS.iter().zip(in_order).filter(|(_, set)| set & NET_RAW != 0).map(|((name, _), _)| *name);
    let named: Vec<&str> = named.collect();
    let named = if named.is_empty() { "in no set".to_owned() } else { format!("in {}", named.join(", ")) };
    format!("{}, CAP_NET_RAW {named}", self::user(user))
}

fn in_hex(sets: &Sets) -> String {
    let shown = status(sets).map(|(name, set)| format!("{name} {set:016x}"));
    format!("In /proc/PID/status: {}.", shown.join(", "))
}

fn answer(state: &CapabilitySets) -> String {
    let what = has(state.executed());
    let verdict = if state.guess == Some(what) { "Right" } else { "Not so" };
    let thread = state.thread();
    match (what, state.executed()) {
        (Has::Effective, Ok(new)) => format!("{verdict}: it is effective, since {}.", source(&new)),
        (Has::Permitted, Ok(new)) => format!(
            "{verdict}: it is permitted, since {}. To be effective at once, {}; the program may make it so itself.",
            source(&new),
            if new.is_as_root {
                "the effective user would have to be root"
            } else {
                "it takes the file's bit"
            }
        ),
        (_, Ok(new)) => {
            format!("{verdict}: the new program has nothing of it, since {}.", lack(state, &thread, &new))
        }
        (_, Err(_)) => format!(
            "{verdict}: EPERM, since the file gives it and wants it effective at once, and it is not in the bounding set."
        ),
    }
}

/// From where the new program has it.
fn source(new: &Executed) -> &'static str {
    if new.sets.ambient & NET_RAW != 0 {
        "it was ambient, and the file is a plain one"
    } else if new.is_as_root && new.given & NET_RAW != 0 {
        "for root, the file counts as one that gives everything, and the bounding set has it"
    } else if new.is_as_root {
        "for root, the file counts as one that keeps everything, and it was inheritable"
    } else if new.given & NET_RAW != 0 {
        "the file gives it, and the bounding set has it"
    } else {
        "it was inheritable, and the file keeps it"
    }
}

/// Why it has not.
fn lack(state: &CapabilitySets, thread: &Thread, new: &Executed) -> &'static str {
    if new.withheld & NET_RAW != 0 {
        "with no_new_privs a program has no more than its caller was permitted"
    } else if thread.sets.ambient & NET_RAW != 0 {
        "a file that names capabilities, or makes another user, ends what was ambient"
    } else if new.is_as_root {
        "even root has only what is in the bounding set, or was inheritable"
    } else {
        match state.names {
            Names::It { gives: true, .. } => "the file gives it, but the bounding set has it not",
            Names::It { gives: false, .. } => "the file would keep it, but it was not inheritable",
            Names::Nothing if state.is_on(Switch::NoRoot) && new.user == 0 => {
                "with SECBIT_NOROOT the file counts for root as for anybody, and names nothing"
            }
            Names::Nothing => "the file names nothing, and what was permitted does not count",
        }
    }
}
