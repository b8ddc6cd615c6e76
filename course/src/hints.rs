//! The next hint for the first check that failed.

use crate::Result;
use crate::exercise::Exercise;
use crate::folder::{recall, write};
use std::path::Path;

/// Shows one piece of help more at each call: first what is special about this failure, then the whole contract and the page.
pub fn run(exercise: &Exercise, folder: &Path) -> Result<()> {
    let mut memory = recall(folder)?;
    let Some((check, hint)) = memory.failed.clone() else {
        println!("No check has failed: cargo course check {}", exercise.number);
        return Ok(());
    };
    let ladder = ladder(exercise, &check, &hint)?;
    let shown = memory.hints_shown.entry(format!("{check}: {hint}")).or_default();
    let index = (*shown).min(ladder.len() - 1);
    println!("`{check}`, hint {} of {}: {}", index + 1, ladder.len(), ladder[index]);
    *shown = index + 1;
    write(folder, &memory)
}

fn ladder(exercise: &Exercise, check: &str, hint: &str) -> Result<Vec<String>> {
    let check = exercise.checks.iter().find(|one| one.name == check);
    let check = check.ok_or("the last check was made by another version: cargo course check")?;
    let hint = exercise.hints.iter().find(|one| one.name == hint);
    let hint = hint.ok_or("the last check was made by another version: cargo course check")?;
    Ok(vec![
        format!("what is checked: {}", check.contract),
        format!("{}: {}", hint.name, hint.text),
        format!("the page of chapter {} shows and explains every line: cargo xtask book", exercise.number),
    ])
}
