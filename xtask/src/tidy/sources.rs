//! What can be seen line by line: first lines, budgets of files, unfinished work, names, sleeps.

use super::{Breach, Source};

/// A source file longer than this is a defect; DESIGN's aim is 400.
const LONGEST_FILE: usize = 600;
/// An exhibit longer than this no longer shows one failure.
const LONGEST_EXHIBIT: usize = 80;
/// A chapter's `main.rs` parses, composes and reports.
const LONGEST_CHAPTER_MAIN: usize = 60;
/// Names that say nothing of what a file holds.
const EMPTY_NAMES: &[&str] = &["utils", "util", "helpers", "helper", "common", "misc", "manager"];

/// Checks one file's lines.
pub fn check(source: &Source) -> Vec<Breach> {
    let mut breaches = Vec::new();
    let first = source.text.lines().next().unwrap_or_default();
    if !first.starts_with("//! ") {
        breaches.push(source.breach(1, "the first line must be `//! ` and say what the file is for"));
    }
    breaches.extend(length(source, first));
    let name = source.path.file_stem().unwrap_or_default().to_string_lossy();
    if EMPTY_NAMES.contains(&name.as_ref()) {
        breaches.push(source.breach(0, format!("`{name}` says nothing: name the file after what it holds")));
    }
    for (index, line) in source.text.lines().enumerate() {
        breaches.extend(unfinished(line).map(|remedy| source.breach(index + 1, remedy)));
        if source.is_test()
            && (line.contains("thread::sleep(") || line.contains("time::sleep("))
            && !line.contains("// poll")
        {
            breaches.push(source.breach(
                index + 1,
                "a test waits for the event, or polls with a deadline (then say `// poll`)",
            ));
        }
    }
    breaches
}

fn length(source: &Source, first: &str) -> Option<Breach> {
    let lines = source.text.lines().count();
    let is_data = first.starts_with("//! Table: ") || source.path.starts_with("chapters/14-api");
    let is_chapter_main = source.path.starts_with("chapters") && source.path.ends_with("src/main.rs");
    let is_exhibit = source.path.iter().any(|part| part == "examples");
    let (limit, remedy) = match () {
        () if is_chapter_main => (
            LONGEST_CHAPTER_MAIN,
            "a chapter's main parses, composes and reports: move the rest into its library",
        ),
        () if is_exhibit => {
            (LONGEST_EXHIBIT, "an exhibit shows one failure: leave out what does not serve it")
        }
        () if is_data => return None,
        () => (LONGEST_FILE, "split it by what it holds"),
    };
    (lines > limit).then(|| source.breach(lines, format!("{lines} lines, at most {limit}: {remedy}")))
}

fn unfinished(line: &str) -> Option<String> {
    // The words are put together here, so that this file does not accuse itself.
    let words = [["to", "do!("], ["unimple", "mented!("], ["TO", "DO"], ["FIX", "ME"], ["#[ig", "nore"]];
    let found = words.iter().map(|word| word.concat()).find(|word| line.contains(word.as_str()))?;
    Some(format!("`{found}`: finish it, or refuse the case with an error that says so"))
}
