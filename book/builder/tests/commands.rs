//! The commands that a sentence names: `cargo xtask` and `cargo course` understand theirs, word for word. (What a session types is
//! recorded by the tests of `book/transcripts`; the engine's first two commands are the step "hello" of the short tier.)
#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_path_buf()
}

/// Whether the program reads these words; it is asked for its help behind them, so that it does nothing.
fn is_understood(command: &str) -> bool {
    let mut words = command.split_whitespace();
    assert_eq!(words.next(), Some("cargo"), "{command}");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(words).arg("--help").current_dir(workspace());
    cargo.output().unwrap().status.success()
}

/// The commands among the pages' code, which stands between two backquotes.
fn commands() -> BTreeSet<String> {
    let pages = std::fs::read_dir(workspace().join("book/src")).unwrap().map(|page| page.unwrap().path());
    let texts: Vec<String> = pages.map(|page| std::fs::read_to_string(page).unwrap()).collect();
    let code = texts.iter().flat_map(|text| text.split('`').skip(1).step_by(2));
    let is_command =
        |code: &&str| ["cargo xtask ", "cargo course "].iter().any(|word| code.starts_with(word));
    code.filter(is_command).map(str::to_owned).collect()
}

#[test]
fn what_the_pages_name_is_understood() {
    let commands = commands();
    assert!(commands.len() > 10, "{commands:?}");
    let strange: Vec<&String> = commands.iter().filter(|command| !is_understood(command)).collect();
    assert_eq!(strange, Vec::<&String>::new());
    for strange in ["cargo xtask vm sing", "cargo course run --theirs 02"] {
        assert!(!is_understood(strange), "{strange}");
    }
}
