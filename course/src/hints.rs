//! The next hint for the first check that failed.

use crate::Result;
use crate::exercise::{Exercise, Hole};
use crate::folder::{Failed, recall, write};
use std::path::Path;

/// Shows one piece of help more at each call: where to read, what such a failure comes from, and what to write.
pub fn run(exercise: &Exercise, folder: &Path) -> Result<()> {
    let mut memory = recall(folder)?;
    let number = exercise.number;
    if memory.did_not_compile {
        println!(
            "At the last check it did not compile: mend what the compiler says, then cargo course check {number}"
        );
        return Ok(());
    }
    let Some(failed) = memory.failed.clone() else {
        println!("No check has failed: cargo course check {number}");
        return Ok(());
    };
    let ladder = ladder(exercise, &failed)?;
    // Each hole has hints of its own, though one check waits for several.
    let about = hole(exercise, &failed).map_or(failed.hint.as_str(), |hole| hole.item);
    let shown = memory.hints_shown.entry(format!("{}: {about}", failed.check)).or_default();
    let index = (*shown).min(ladder.len() - 1);
    let again = if *shown == ladder.len() { ", which is the last" } else { "" };
    println!("`{}`, hint {} of {}{again}: {}", failed.check, index + 1, ladder.len(), ladder[index]);
    *shown = index + 1;
    write(folder, &memory)
}

fn ladder(exercise: &Exercise, failed: &Failed) -> Result<[String; 3]> {
    let hint = exercise.hints.iter().find(|one| one.name == failed.hint);
    let hint = hint.ok_or("the last check was made by another version: cargo course check")?;
    let page = |section: &str| format!("read \"{section}\" on the page of chapter {} again", exercise.number);
    Ok(match hole(exercise, failed) {
        Some(hole) => [page(hole.section), format!("{}: {}", place(hole), hint.cause), what_to_fill(hole)],
        None => [page(hint.section), hint.cause.into(), hint.remedy.into()],
    })
}

/// The hole that was run into, if it was one.
fn hole<'a>(exercise: &'a Exercise, failed: &Failed) -> Option<&'a Hole> {
    exercise.holes.iter().find(|hole| failed.seen == format!("a hole: {}", hole.text()))
}

fn place(hole: &Hole) -> String {
    format!("in src/{}, {}", hole.file, hole.item)
}

fn what_to_fill(hole: &Hole) -> String {
    format!("{}: {}", place(hole), hole.task)
}
