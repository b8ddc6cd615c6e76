//! A test that cannot run on this machine says so, and `cargo xtask test` names it in its summary: nothing is skipped that nobody sees.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

use std::fs::OpenOptions;
use std::io::Write;

/// The variable by which `cargo xtask test` says into which file the names go.
const LIST: &str = "CORACLE_SKIPPED";

/// Says loudly that a test could not run here, and why.
pub fn skip(test: &str, why: &str) {
    eprintln!("SKIPPED {test}: {why}");
    let Some(list) = std::env::var_os(LIST) else {
        return;
    };
    // One write a line: several tests may append at once.
    let line = format!("{test}: {why}\n");
    let file = OpenOptions::new().create(true).append(true).open(&list);
    let written = file.and_then(|mut file| file.write_all(line.as_bytes()));
    written.unwrap_or_else(|error| panic!("{}: {error}", list.display()));
}
