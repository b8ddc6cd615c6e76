//! Calls and profiles in words, for whoever reads that a check has failed.

use super::filters::{I386, X32_BIT, X86_64};
use super::machine::Call;
use serde_json::Value;

/// The numbers of the calls by architecture, the chapter's own.
const CALLS: [&str; 3] = [
    include_str!("../../../chapters/04-privileges/src/seccomp/tables/x86_64.txt"),
    include_str!("../../../chapters/04-privileges/src/seccomp/tables/x32.txt"),
    include_str!("../../../chapters/04-privileges/src/seccomp/tables/i386.txt"),
];

/// More names than this are counted, and not said.
const MANY: usize = 6;

/// `close (0x3) of x86-64 with [0, 0]`
pub fn call(call: Call) -> String {
    let Call { audit, number, arguments } = call;
    let (architecture, table) = match audit {
        X86_64 if number & X32_BIT == 0 => ("x86-64", CALLS[0]),
        X86_64 => ("x32", CALLS[1]),
        I386 => ("i386", CALLS[2]),
        _ => ("another architecture", ""),
    };
    let bare = (number & !X32_BIT).to_string();
    let name = table.lines().filter_map(|line| line.split_once(' ')).find(|(_, number)| *number == bare);
    let name = name.map_or("a call without a name", |(name, _)| name);
    format!("{name} ({number:#x}) of {architecture} with {arguments:?}")
}

/// `read, close: "Allow"; all others: {"Errno":1}`
pub fn profile(profile: &Value) -> String {
    let mut said: Vec<String> = profile["rules"].as_array().into_iter().flatten().map(rule).collect();
    said.push(format!("all others: {}", profile["default_action"]));
    if !profile["beyond"].is_null() {
        said.push(format!("newer ones: {}", profile["beyond"]));
    }
    said.join("; ")
}

fn rule(rule: &Value) -> String {
    let names: Vec<&str> = rule["names"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let names = if names.len() > MANY { format!("{} calls", names.len()) } else { names.join(", ") };
    let condition = |one: &Value| format!("argument {} is {}", one["index"], one["value"]);
    let conditions: Vec<String> =
        rule["conditions"].as_array().into_iter().flatten().map(condition).collect();
    match conditions.is_empty() {
        true => format!("{names}: {}", rule["action"]),
        false => format!("{names}: {} if {}", rule["action"], conditions.join(" and ")),
    }
}
