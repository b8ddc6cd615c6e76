//! The machine and the versions: what a reader must know before comparing figures of two runs.

use super::command;
use super::contenders::{self, Contender};
use crate::{Result, root};
use serde_json::{Value, json};
use std::fs;
use std::process::Command;

/// The commit, the machine, and the contenders' versions.
pub fn gather(suite: &str, contenders: &[&Contender]) -> Result<Value> {
    let versions = contenders.iter().map(|contender| (contender.name.to_owned(), contender.version().into()));
    Ok(json!({
        "commit": commit()?,
        "processor": field("/proc/cpuinfo", "model name"),
        "processors": std::thread::available_parallelism().map_or(0, usize::from),
        "memory": field("/proc/meminfo", "MemTotal"),
        "kernel": read("/proc/sys/kernel/osrelease"),
        "versions": versions.collect::<serde_json::Map<_, _>>(),
        "left_out": contenders::left_out(suite, contenders),
    }))
}

/// The facts as lines.
pub fn print(facts: &Value) -> String {
    let text = |key: &str| facts[key].as_str().map_or_else(|| facts[key].to_string(), str::to_owned);
    let mut lines = format!(
        "commit {}\n{} ({} processors, {}), Linux {}\n",
        text("commit"),
        text("processor"),
        text("processors"),
        text("memory"),
        text("kernel"),
    );
    for (name, version) in facts["versions"].as_object().into_iter().flatten() {
        lines += &format!("  {name}: {}\n", version.as_str().unwrap_or_default());
    }
    if let Some(names) = facts["left_out"].as_array().filter(|names| !names.is_empty()) {
        let names: Vec<_> = names.iter().filter_map(Value::as_str).collect();
        lines += &format!("  left out: {}\n", names.join(", "));
    }
    lines
}

fn commit() -> Result<String> {
    let mut git = Command::new("git");
    git.args(["describe", "--always", "--dirty", "--abbrev=40"]).current_dir(root());
    command::output(&mut git).map(|commit| commit.trim().to_owned())
}

/// The first line `NAME: value` of a file.
fn field(path: &str, name: &str) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.split_once(':'));
    value.map_or("unknown".to_owned(), |(_, value)| value.trim().to_owned())
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default().trim().to_owned()
}
