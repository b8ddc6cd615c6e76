//! The same in words.

use super::{CgroupTree, GROUPS, LEAVES, MORE, Runs, path};

pub fn text(state: &CgroupTree) -> Vec<String> {
    let there = || (0..GROUPS.len()).filter(|one| state.is_there(*one));
    let settings: Vec<String> = there().map(|one| described(state, one)).collect();
    let files: Vec<String> = there()
        .flat_map(|one| state.files(one))
        .map(|(file, value)| format!("{file} gets {value}"))
        .collect();
    let files = if files.is_empty() { "nothing".to_owned() } else { files.join("; ") };
    vec![
        answer(state),
        format!("The groups: {}.", settings.join("; ")),
        format!("Written: {files}."),
        format!("Memory: {}", memory(state).join(" ")),
    ]
}

/// A share in hundredths of the processor.
pub fn amount(share: u32) -> String {
    format!("{}.{} %", share / 10, share % 10)
}

fn described(state: &CgroupTree, one: usize) -> String {
    let mut text = format!("{} has weight {}", path(one), state.weight(one));
    if let Some(quota) = state.groups[one].quota {
        text.push_str(&format!(", a quota of {quota} %"));
    }
    if let Some(megabytes) = state.groups[one].memory {
        text.push_str(&format!(", {megabytes} MB of memory at most"));
    }
    if let Some(held) = state.held(one) {
        let runs = if state.groups[one].runs == Runs::Busy { "busy" } else { "idle" };
        text.push_str(&format!(", and a process that is {runs} and holds {held} MB"));
    }
    text
}

fn answer(state: &CgroupTree) -> String {
    let Some(guess) = state.guess else {
        return "Build a tree, and predict who gets most of the processor.".to_owned();
    };
    let shares = state.shares();
    let verdict = if state.gets_most(guess) { "Right" } else { "Not so" };
    let part = |one: usize| format!("{} gets {}", path(one), amount(shares[one]));
    let parts: Vec<String> = LEAVES.into_iter().filter(|one| state.is_there(*one)).map(part).collect();
    let used: u32 = LEAVES.iter().map(|one| shares[*one]).sum();
    let rest = 1000_u32.saturating_sub(used);
    // A thousandth is what rounding leaves.
    let rest = if rest > 2 {
        format!("; {} is left, since quotas hold even then", amount(rest))
    } else {
        String::new()
    };
    let parts = if parts.is_empty() { "there is nobody to run".to_owned() } else { parts.join(", ") };
    format!("{verdict}: {parts}{rest}.")
}

/// What becomes of who asks for memory, in one line or two.
pub fn memory(state: &CgroupTree) -> Vec<String> {
    let Some(asks) = state.asks else {
        return vec!["Nobody asks for more.".to_owned()];
    };
    if !state.is_there(asks) {
        return vec![format!("There is no {} to ask.", path(asks))];
    }
    let begin = format!("{} takes {MORE} MB more:", path(asks));
    match state.shortage() {
        None => vec![begin, "there is room.".to_owned()],
        Some(shortage) => {
            let (limit, killed) = (path(shortage.limit_of), path(shortage.killed));
            vec![begin, format!("the limit of {limit} is met; {killed} is killed.")]
        }
    }
}
