//! `cargo xtask book`: hands over to the book's builder, a crate of its own, so that nothing else waits for mdBook to compile.

use crate::{Result, root, test, vm};
use std::path::PathBuf;
use std::process::Command;

/// Runs the builder with these arguments; `test` is all that is tested of the book.
pub fn run(arguments: &[String]) -> Result<()> {
    if arguments == ["test"] {
        return test::book_alone();
    }
    let status = Command::new("cargo")
        .args(["run", "--quiet", "--locked", "--package", "book", "--"])
        .args(arguments)
        .current_dir(root())
        .status()
        .map_err(|error| format!("cargo cannot be started: {error}"))?;
    if !status.success() {
        return Err("the book is not in order".into());
    }
    match vm::guest::usual().missing() {
        None if arguments.contains(&"--long-tail".into()) => vm::sessions(&copy_without_long_tail()),
        _ => Ok(()),
    }
}

/// Where `check --long-tail` leaves a workspace in which the long tail panics: the sessions that need cgroup v2 run there, too.
pub fn copy_without_long_tail() -> PathBuf {
    root().join("target/long-tail/workspace")
}
