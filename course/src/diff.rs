//! The participant's code beside ours: beside the answer when every check has held, before that beside the starter.

use crate::Result;
use crate::exercise::Exercise;
use crate::folder::{command, recall, workspace};
use crate::start::sources;
use similar::TextDiff;
use std::fmt::Write as _;
use std::io::{ErrorKind, Write as _};
use std::path::Path;

/// Prints the differences, file by file.
pub fn run(exercise: &Exercise, folder: &Path) -> Result<()> {
    let memory = recall(folder)?;
    let has_passed = memory.failed.is_none() && !memory.held.is_empty();
    let name = if has_passed { "the answer" } else { "the starter" };
    let ours = sources(exercise, &workspace().join("chapters").join(exercise.chapter), has_passed)?;
    let (mut text, mut changed) = (String::new(), 0);
    for (path, our) in &ours {
        let theirs = std::fs::read_to_string(folder.join("src").join(path)).unwrap_or_default();
        if theirs != *our {
            changed += 1;
            text += &between(our, &theirs, &format!("{name}/src/{path}"), &format!("yours/src/{path}"));
        }
    }
    let _ = writeln!(text, "{changed} of {} files differ from {name}", ours.len());
    if !has_passed {
        let _ = writeln!(
            text,
            "The answer is shown when every check holds: {}",
            command("check", exercise, folder)
        );
    }
    // Who leaves a pager early has seen enough.
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.to_string()),
        _ => Ok(()),
    }
}

fn between(old: &str, new: &str, old_name: &str, new_name: &str) -> String {
    TextDiff::from_lines(old, new).unified_diff().header(old_name, new_name).to_string()
}

#[cfg(test)]
mod tests {
    #[test]
    fn lines_that_changed_are_marked() {
        let text = super::between("a\nb\n", "a\nc\n", "ours", "yours");
        assert_eq!(text, "--- ours\n+++ yours\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n");
    }
}
