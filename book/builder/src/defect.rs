//! What is wrong with the book: where, and what to do about it.

use std::fmt;
use std::path::PathBuf;

/// Something that keeps the book from being built.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Defect {
    /// The file, relative to the workspace.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong, and what to do instead.
    pub remedy: String,
}

impl Defect {
    /// A defect in a line of a file.
    pub fn new(file: impl Into<PathBuf>, line: usize, remedy: impl Into<String>) -> Defect {
        Defect { file: file.into(), line, remedy: remedy.into() }
    }
}

impl fmt::Display for Defect {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}: {}", self.file.display(), self.line, self.remedy)
    }
}
