//! What an exercise is: plain data, one table for each chapter.

use crate::checks::{Fault, Language, Stage};
use crate::{Result, exercise_02, exercise_03, exercise_04, exercise_05};

/// Every exercise, in the order of the chapters.
pub const ALL: &[&Exercise] =
    &[&exercise_02::EXERCISE, &exercise_03::EXERCISE, &exercise_04::EXERCISE, &exercise_05::EXERCISE];

/// An exercise: its starter is the chapter with holes in it, and so its answer is the chapter.
pub struct Exercise {
    /// The chapter's number, by which it is called.
    pub number: &'static str,
    /// The folder in `chapters/`.
    pub chapter: &'static str,
    /// What it is about.
    pub task: &'static str,
    /// What is taken out of the chapter.
    pub holes: &'static [Hole],
    /// What the checks run.
    pub harness: Harness,
    /// What must be true.
    pub checks: &'static [Check],
    /// Those of the checks that see less when their caller is not root.
    pub less_without_root: &'static [&'static str],
    /// What can be told to those who are stuck.
    pub hints: &'static [Hint],
}

/// A program that is linked with the participant's crate, and does as the checks tell it.
pub struct Harness {
    /// Its Cargo.toml.
    pub manifest: &'static str,
    /// Its main.rs.
    pub source: &'static str,
    /// What it says.
    pub language: Language,
}

/// A function of which only the signature is left.
pub struct Hole {
    /// Its file in the chapter's `src`.
    pub file: &'static str,
    /// Its name: `spawn`, or `Child::executed`.
    pub item: &'static str,
    /// What to do.
    pub task: &'static str,
    /// Which part of the page explains it.
    pub section: &'static str,
}

impl Hole {
    /// What stands in the hole.
    pub fn text(&self) -> String {
        format!("{} ({})", self.task, self.section)
    }

    /// What a check says that has run into it.
    pub fn met(&self) -> String {
        format!("a hole: {}", self.text())
    }

    /// Where it is, as `start` lists it.
    pub fn place(&self) -> String {
        format!("src/{} {}", self.file, self.item)
    }
}

/// Something that must be true of what the participant's crate makes.
pub struct Check {
    /// Its name.
    pub name: &'static str,
    /// What it holds the crate to, as a sentence.
    pub contract: &'static str,
    /// Whether the chapter's long tail has a part in it.
    pub is_of_the_long_tail: bool,
    /// Why it cannot be carried out here, if so.
    pub obstacle: fn(&Stage) -> Option<String>,
    /// Makes a container and looks at it from outside; says what was seen.
    pub observe: fn(&Stage) -> Result<String, Fault>,
}

/// A piece of help; what fails in the same way shares it.
pub struct Hint {
    /// By which a failure names it.
    pub name: &'static str,
    /// Which part of the page is about it.
    pub section: &'static str,
    /// What such a failure comes from.
    pub cause: &'static str,
    /// What to write, and where.
    pub remedy: &'static str,
}

/// A line of an exercise's table.
pub const fn hint(
    name: &'static str,
    section: &'static str,
    cause: &'static str,
    remedy: &'static str,
) -> Hint {
    Hint { name, section, cause, remedy }
}

/// The exercise of a chapter.
pub fn by_number(number: &str) -> Result<&'static Exercise> {
    let known = || ALL.iter().map(|exercise| exercise.number).collect::<Vec<_>>().join(", ");
    let found = ALL.iter().find(|exercise| exercise.number == number).copied();
    found.ok_or_else(|| format!("there is no exercise {number:?}; there are: {}", known()))
}

impl Exercise {
    /// The hole that was run into, if what was seen is one.
    pub fn hole(&self, seen: &str) -> Option<&Hole> {
        self.holes.iter().find(|hole| hole.met() == seen)
    }

    /// The hint of this name.
    ///
    /// # Panics
    /// When a check names a hint that nobody wrote.
    pub fn hint(&self, name: &str) -> &'static Hint {
        self.hints.iter().find(|hint| hint.name == name).unwrap_or_else(|| panic!("no hint {name:?}"))
    }
}
