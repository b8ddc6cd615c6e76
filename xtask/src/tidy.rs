//! The invariants of ARCHITECTURE.md that can be read off the sources. A breach names file, line and what to do instead.

mod crates;
mod sources;
mod syntax;

use crate::{Result, root};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Something that breaks an invariant.
pub struct Breach {
    /// The file, relative to the workspace.
    pub file: PathBuf,
    /// The line, from 1; 0 where the whole file is meant.
    pub line: usize,
    /// What is wrong, and what to do instead.
    pub remedy: String,
}

/// A source file that git tracks, or will.
pub struct Source {
    /// Its path relative to the workspace.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
}

impl Source {
    /// Whether it is compiled into tests, benches or exhibits only.
    pub fn is_test(&self) -> bool {
        let aside = ["tests", "benches", "examples", "fuzz"];
        self.path.iter().any(|part| aside.iter().any(|name| part == *name)) || self.path.ends_with("tests.rs")
    }

    /// A breach in this file.
    pub fn breach(&self, line: usize, remedy: impl Into<String>) -> Breach {
        Breach { file: self.path.clone(), line, remedy: remedy.into() }
    }
}

/// Checks the whole tree; an error when anything is amiss.
pub fn run() -> Result<()> {
    let sources = rust_sources(&root())?;
    let mut breaches = crates::check()?;
    for source in &sources {
        breaches.extend(sources::check(source));
        breaches.extend(syntax::check(source)?);
    }
    for breach in &breaches {
        println!("{}:{}: {}", breach.file.display(), breach.line, breach.remedy);
    }
    println!("tidy: {} source files, {} breaches", sources.len(), breaches.len());
    if breaches.is_empty() { Ok(()) } else { Err(format!("{} breaches of the invariants", breaches.len())) }
}

fn rust_sources(root: &Path) -> Result<Vec<Source>> {
    let listing = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "*.rs"])
        .current_dir(root)
        .output()
        .map_err(|error| format!("git cannot be started: {error}"))?;
    let listing = String::from_utf8_lossy(&listing.stdout).into_owned();
    let read = |path: &str| {
        let text = std::fs::read_to_string(root.join(path)).map_err(|error| format!("{path}: {error}"))?;
        Ok(Source { path: path.into(), text })
    };
    listing.lines().filter(|path| root.join(path).exists()).map(read).collect()
}
