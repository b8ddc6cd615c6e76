//! `RUNC.md`, held to the help of coracle-oci and, where it is installed, of runc; and `FIELDS.md`, held to the types by which a
//! config.json is read, and to the tests that it names.

use super::site::{is_installed, skip};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
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
        for ((_, option), word) in rows.iter().filter(|((own, _), _)| own == verb) {
            assert!(["same", "differs", "refused"].contains(&word.as_str()), "{verb} {option}: {word}");
            assert!(options.contains_key(option), "{verb} {option} is not ours");
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

/// Objects whose keys are names that the file gives.
const NAMED: [&str; 6] = [
    "linux.timeOffsets",
    "linux.netDevices",
    "linux.resources.rdma",
    "linux.resources.unified",
    "linux.sysctl",
    "annotations",
];

/// The paths of all values: `linux.resources.rdma.*.hcaHandles`, `mounts[].options`.
fn paths(value: &Value, path: &str, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let name = if NAMED.contains(&path) { "*" } else { name };
                paths(value, format!("{path}.{name}").trim_start_matches('.'), into);
            }
        }
        Value::Array(values) if values.iter().any(Value::is_object) => {
            values.iter().for_each(|value| paths(value, &format!("{path}[]"), into));
        }
        _ => drop(into.insert(path.to_string())),
    }
}

/// The rows of FIELDS.md: a field, or all below it; what is done with it; and the tests that show it.
fn fields() -> Vec<[String; 3]> {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/FIELDS.md")).unwrap();
    let table = text.lines().filter(|line| line.starts_with("| `"));
    let cells = |line: &str| {
        line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_string()).collect::<Vec<_>>()
    };
    table.map(|line| cells(line).try_into().unwrap_or_else(|cells| panic!("{cells:?}"))).collect()
}

#[test]
fn every_field_of_the_specification_is_in_the_table_with_its_test() {
    let whole: Value = serde_json::from_str(include_str!("whole.json")).unwrap();
    // What the types do not know is lost on the way.
    let spec = runtime::spec_from_json(&serde_json::to_vec(&whole).unwrap()).unwrap();
    let read: Value = serde_json::from_slice(&runtime::spec_to_json(&spec).unwrap()).unwrap();
    let (mut all, mut known) = (BTreeSet::new(), BTreeSet::new());
    paths(&whole, "", &mut all);
    paths(&read, "", &mut known);
    assert_eq!(all.difference(&known).collect::<Vec<_>>(), Vec::<&String>::new());
    assert!(all.len() >= 170, "{}", all.len());
    let rows = fields();
    let covers = |row: &str, path: &str| {
        let rest = path.strip_prefix(row.trim_matches('`'));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    for path in &all {
        assert!(rows.iter().any(|[row, ..]| covers(row, path)), "{path} is not in FIELDS.md");
    }
    let sources = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."));
    for [row, _, tests] in &rows {
        assert!(all.iter().any(|path| covers(row, path)), "{row} is no field");
        for test in tests.split(", ") {
            let line = format!("fn {}(", test.trim_matches('`'));
            assert!(sources.contains(&line), "{row}: there is no test {test}");
        }
    }
}

/// The text of all tests that the table may name.
fn sources(root: &Path) -> String {
    let mut folders = vec![root.join("chapters"), root.join("tests"), root.join("book/models/tests")];
    let mut text = String::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                text += &std::fs::read_to_string(path).unwrap();
            }
        }
    }
    text
}
