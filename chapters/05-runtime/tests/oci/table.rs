//! `RUNC.md`, held to the help of coracle-oci and, where it is installed, of runc.

use super::site::{is_installed, skip};
use std::collections::BTreeMap;
use std::process::Command;

/// What the table says of an option: its verb, its name, and one word.
type Rows = BTreeMap<(String, String), String>;

fn rows() -> Rows {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/RUNC.md")).unwrap();
    let table = text.lines().skip_while(|line| !line.starts_with("|---")).skip(1);
    let row = |line: &str| {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let verb = cells[0].replace("(all)", "");
        ((verb, cells[1].trim_matches('`').to_string()), cells[2].to_string())
    };
    table.take_while(|line| line.starts_with('|')).map(row).collect()
}

/// The options of a program's help, each with the line that tells it.
fn options(program: &str, verb: &str) -> BTreeMap<String, String> {
    let words = [verb, "--help"];
    let words = words.iter().filter(|word| !word.is_empty());
    let output = Command::new(program).args(words).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut options = BTreeMap::new();
    let mut name = None;
    for line in text.lines().skip_while(|line| !line.to_uppercase().contains("OPTIONS:")).map(str::trim) {
        let is_option = line.starts_with('-') && line.contains("--");
        if is_option {
            let from = &line[line.find("--").unwrap_or_default()..];
            name = from.split([' ', ',']).next().map(String::from);
        }
        if let Some(name) = &name {
            *options.entry(name.clone()).or_insert_with(String::new) += line;
        }
    }
    options.remove("--help");
    options
}

const VERBS: [&str; 18] = [
    "",
    "create",
    "run",
    "start",
    "exec",
    "kill",
    "delete",
    "state",
    "list",
    "ps",
    "pause",
    "resume",
    "update",
    "events",
    "spec",
    "features",
    "checkpoint",
    "restore",
];

#[test]
fn every_option_of_ours_is_in_the_table() {
    let rows = rows();
    assert!(rows.len() > 80, "{}", rows.len());
    for verb in VERBS {
        let options = options(env!("CARGO_BIN_EXE_coracle-oci"), verb);
        for (option, help) in &options {
            let word = rows.get(&(verb.into(), option.clone()));
            let word = word.unwrap_or_else(|| panic!("{verb} {option} is not in RUNC.md"));
            assert_eq!(word == "refused", help.contains("Not supported"), "{verb} {option}: {word}: {help}");
        }
        // Criu's verbs take whatever comes, and refuse it.
        let is_criu = verb == "checkpoint" || verb == "restore";
        for ((_, option), word) in rows.iter().filter(|((own, _), _)| own == verb) {
            assert!(["same", "differs", "refused"].contains(&word.as_str()), "{verb} {option}: {word}");
            assert!(
                options.contains_key(option) || is_criu && word == "refused",
                "{verb} {option} is not ours"
            );
        }
    }
}

#[test]
fn every_option_of_runc_is_in_the_table() {
    if !is_installed("runc") {
        return skip("every_option_of_runc_is_in_the_table", "runc is not installed");
    }
    let rows = rows();
    let mut count = 0;
    for verb in VERBS {
        for option in options("runc", verb).keys() {
            assert!(rows.contains_key(&(verb.into(), option.clone())), "{verb} {option} is not in RUNC.md");
            count += 1;
        }
    }
    assert!(count > 80, "runc's help is read: {count} options");
}
