//! The next hint for the first check that failed.

use crate::Result;
use crate::exercise::{Exercise, Hole};
use crate::folder::{Failed, command, read_file, recall, workspace, write};
use crate::holes::calls;
use std::path::Path;

/// Shows one piece of help more at each call: where to read, what such a failure comes from, and what to write.
pub fn run(exercise: &Exercise, folder: &Path) -> Result<()> {
    let mut memory = recall(folder)?;
    let check = command("check", exercise, folder);
    if memory.did_not_compile {
        println!("At the last check it did not compile: mend what the compiler says, then {check}");
        return Ok(());
    }
    let Some(failed) = memory.failed.clone() else {
        println!("No check has failed: {check}");
        return Ok(());
    };
    let ladder = ladder(exercise, &failed)?;
    // Each hole has hints of its own, though one check waits for several.
    let about = hole(exercise, &failed).map_or(failed.hint.as_str(), |hole| hole.item);
    let shown = memory.hints_shown.entry(format!("{}: {about}", failed.check)).or_default();
    let Some(hint) = ladder.get(*shown) else {
        let section =
            hole(exercise, &failed).map_or_else(|| section_of(exercise, &failed), |hole| hole.section);
        println!(
            "`{}`: there is no hint after the third. {}\nThe third was: {}",
            failed.check,
            explained_in(exercise, section),
            ladder[ladder.len() - 1]
        );
        return Ok(());
    };
    *shown += 1;
    println!("`{}`, hint {shown} of {}: {hint}", failed.check, ladder.len());
    write(folder, &memory)
}

fn section_of(exercise: &Exercise, failed: &Failed) -> &'static str {
    exercise.hint(&failed.hint).section
}

/// Where the part of the page is, as a file and in the book that was built.
fn explained_in(exercise: &Exercise, section: &str) -> String {
    match page_of(exercise, section) {
        Some((name, line)) => {
            let page = name.trim_end_matches(".md");
            format!(
                "\"{section}\" is what explains it: book/src/{name}, line {line}, or in the book {page}.html#{}",
                anchor(section)
            )
        }
        None => format!("\"{section}\" is what explains it, on the page of chapter {}", exercise.number),
    }
}

/// The page of the chapter that has this part, and the line on which it begins.
fn page_of(exercise: &Exercise, section: &str) -> Option<(String, usize)> {
    let pages = workspace().join("book/src");
    let mut names: Vec<String> = std::fs::read_dir(&pages)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with(exercise.number))
        .collect();
    names.sort();
    names.into_iter().find_map(|name| {
        let text = std::fs::read_to_string(pages.join(&name)).ok()?;
        let is_heading = |line: &str| line.trim_start_matches('#').trim() == section && line.starts_with('#');
        let line = text.lines().position(is_heading)? + 1;
        Some((name, line))
    })
}

/// As mdBook makes a heading's address.
fn anchor(section: &str) -> String {
    let letters = section.chars().filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter));
    letters.map(|letter| if letter == ' ' { '-' } else { letter.to_ascii_lowercase() }).collect()
}

fn ladder(exercise: &Exercise, failed: &Failed) -> Result<[String; 3]> {
    let hint = exercise.hints.iter().find(|one| one.name == failed.hint);
    let hint = hint.ok_or("the last check was made by another version: cargo course check")?;
    let page = |section: &str| match page_of(exercise, section) {
        Some((name, _)) => {
            let page = name.trim_end_matches(".md");
            format!("read \"{section}\" again, {page}.html#{} of the book (book/src/{name})", anchor(section))
        }
        None => format!("read \"{section}\" on the page of chapter {} again", exercise.number),
    };
    Ok(match hole(exercise, failed) {
        Some(hole) => {
            [page(hole.section), format!("{}: {}", place(hole), hint.cause), what_it_calls(exercise, hole)?]
        }
        None => [page(hint.section), hint.cause.into(), hint.remedy.into()],
    })
}

/// The hole that was run into, if it was one.
fn hole<'a>(exercise: &'a Exercise, failed: &Failed) -> Option<&'a Hole> {
    exercise.hole(&failed.seen)
}

fn place(hole: &Hole) -> String {
    format!("in src/{}, {}", hole.file, hole.item)
}

/// The task is in the hole; this is the step from it to the code.
fn what_it_calls(exercise: &Exercise, hole: &Hole) -> Result<String> {
    let source = workspace().join("chapters").join(exercise.chapter).join("src").join(hole.file);
    let calls = calls(&read_file(&source)?, hole)?;
    Ok(format!("{}: what the book's own calls, in this order: {}", place(hole), calls.join(", ")))
}
