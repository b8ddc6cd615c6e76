//! A page as it was written: prose, and directives on lines of their own.

use crate::Defect;
use std::path::{Path, PathBuf};

/// One page of the book.
#[derive(Debug, Clone)]
pub struct Page {
    /// Its file below `book/src`.
    pub path: PathBuf,
    /// Its name in the table of contents.
    pub title: String,
    /// What was written.
    pub text: String,
}

/// A line `{{#name argument…}}`: what stands here is made from the sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directive {
    /// Which one.
    pub name: String,
    /// What it is told.
    pub arguments: Vec<String>,
    /// Its line, from 1.
    pub line: usize,
}

/// A part of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// A line of Markdown, and its number.
    Line(usize, String),
    /// What the builder puts in.
    Directive(Directive),
}

impl Page {
    /// The page's file, relative to the workspace.
    pub fn file(&self) -> PathBuf {
        Path::new("book/src").join(&self.path)
    }

    /// A defect in one of its lines.
    pub fn defect(&self, line: usize, remedy: impl Into<String>) -> Defect {
        Defect::new(self.file(), line, remedy)
    }

    /// Where the page is in the site.
    pub fn address(&self) -> String {
        self.path.with_extension("html").display().to_string()
    }

    /// The page's lines, the directives among them told apart.
    pub fn pieces(&self) -> Result<Vec<Piece>, Vec<Defect>> {
        let (mut pieces, mut defects) = (Vec::new(), Vec::new());
        for (index, text) in self.text.lines().enumerate() {
            let line = index + 1;
            let inner = text.trim().strip_prefix("{{#").and_then(|text| text.strip_suffix("}}"));
            match inner {
                Some(inner) if !inner.contains("{{#") => {
                    let mut words = inner.split_whitespace().map(String::from);
                    let name = words.next().unwrap_or_default();
                    pieces.push(Piece::Directive(Directive { name, arguments: words.collect(), line }));
                }
                _ if text.contains("{{#") => {
                    defects.push(self.defect(line, "a directive stands on a line of its own"));
                }
                _ => pieces.push(Piece::Line(line, text.to_string())),
            }
        }
        if defects.is_empty() { Ok(pieces) } else { Err(defects) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_are_told_from_prose() {
        let page =
            Page { path: "a.md".into(), title: "A".into(), text: "one\n{{#item a::b plain}}\n".into() };
        let directive =
            Directive { name: "item".into(), arguments: vec!["a::b".into(), "plain".into()], line: 2 };
        let pieces = vec![Piece::Line(1, "one".into()), Piece::Directive(directive)];
        assert_eq!(page.pieces(), Ok(pieces));
    }
}
