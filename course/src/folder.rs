//! A participant's folder: which exercise it is of, and what was found at the last check.

use crate::Result;
use crate::checks::{CheckResult, Verdict};
use crate::exercise::{Exercise, by_number};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The file that makes a folder one of the course's.
const MARK: &str = "course.json";

/// What is remembered of a folder.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Memory {
    /// The exercise's number.
    pub exercise: String,
    /// The names of the checks at the last check: those that held.
    pub held: Vec<String>,
    /// The first that failed.
    #[serde(default)]
    pub failed: Option<Failed>,
    /// Whether there was nothing to check, since it did not compile.
    #[serde(default)]
    pub did_not_compile: bool,
    /// How many hints were shown for a check's failure.
    pub hints_shown: BTreeMap<String, usize>,
}

/// A check that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    /// Its name.
    pub check: String,
    /// The hint that its failure names.
    pub hint: String,
    /// What was seen.
    pub seen: String,
}

/// The workspace of the book, which holds the chapters.
pub fn workspace() -> PathBuf {
    let course = Path::new(env!("CARGO_MANIFEST_DIR"));
    course.parent().expect("the course lies in the workspace").to_path_buf()
}

/// Where built things go that are not the participant's.
pub fn work() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    target.unwrap_or_else(|| workspace().join("target")).join("course")
}

/// The exercise and its folder: the one that is named, the one we are in, or its place in the workspace.
pub fn find(number: Option<&str>, folder: Option<&Path>) -> Result<(&'static Exercise, PathBuf)> {
    let here = std::env::current_dir().map_err(|error| format!("the current folder: {error}"))?;
    let around = here.ancestors().find(|folder| folder.join(MARK).exists()).map(Path::to_path_buf);
    let folder = folder.map(|folder| here.join(folder)).or(around);
    let remembered = folder.as_deref().and_then(|folder| recall(folder).ok());
    let number = number.map(str::to_string).or_else(|| remembered.map(|memory| memory.exercise));
    let exercise = by_number(&number.ok_or("which exercise? `cargo course list` shows them")?)?;
    Ok((exercise, folder.unwrap_or_else(|| workspace().join("coursework").join(exercise.chapter))))
}

/// A command on this folder as it can be typed here: without the folder where [`find`] finds it by itself.
pub fn command(verb: &str, exercise: &Exercise, folder: &Path) -> String {
    let words = format!("cargo course {verb} {}", exercise.number);
    let is_found = find(Some(exercise.number), None).is_ok_and(|(_, found)| found == folder);
    if is_found { words } else { format!("{words} --folder {}", folder.display()) }
}

/// What is remembered of a folder.
pub fn recall(folder: &Path) -> Result<Memory> {
    let path = folder.join(MARK);
    let text = std::fs::read_to_string(&path).map_err(|error| {
        format!("{}: {error}; `cargo course start` makes an exercise's folder", path.display())
    })?;
    serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
}

/// Writes down what shall be remembered.
pub fn write(folder: &Path, memory: &Memory) -> Result<()> {
    let text = serde_json::to_string_pretty(memory).expect("plain data can be written");
    write_file(&folder.join(MARK), &(text + "\n"))
}

/// Remembers what a check found.
pub fn remember(folder: &Path, results: &[CheckResult]) -> Result<()> {
    let mut memory = recall(folder)?;
    memory.did_not_compile = false;
    let held = results.iter().filter(|result| matches!(result.verdict, Verdict::Held(_)));
    memory.held = held.map(|result| result.check.name.to_string()).collect();
    memory.failed = results.iter().find_map(|result| {
        let fault = result.verdict.fault()?;
        let (check, hint) = (result.check.name.into(), fault.hint.into());
        Some(Failed { check, hint, seen: fault.seen.clone() })
    });
    write(folder, &memory)
}

/// Remembers that there was nothing to check.
pub fn remember_no_program(folder: &Path) -> Result<()> {
    let memory = recall(folder)?;
    write(folder, &Memory { did_not_compile: true, held: Vec::new(), failed: None, ..memory })
}

/// Writes a file, making its folder.
pub fn write_file(path: &Path, text: &str) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let written = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(path, text));
    written.map_err(|error| format!("{}: {error}", path.display()))
}

/// Reads a file.
pub fn read_file(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// Writes a file unless it is as it should be: what did not change is not compiled again.
pub fn write_if_changed(path: &Path, text: &str) -> Result<()> {
    if std::fs::read_to_string(path).is_ok_and(|old| old == text) { Ok(()) } else { write_file(path, text) }
}
