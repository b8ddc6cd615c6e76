//! Long tail: `list`, all containers below a root, as a table or as JSON.

use super::printing::{print, state_of};
use super::store::Store;
use crate::Result;
use clap::Args;
use serde_json::Value;

#[derive(Args)]
pub struct List {
    /// A table, or JSON
    #[arg(short, long, default_value = "table", value_parser = ["table", "json"])]
    format: String,
    /// Only ids
    #[arg(short, long)]
    quiet: bool,
}

impl List {
    pub fn run(&self, store: &Store) -> Result<u8> {
        // One that is removed meanwhile is not there.
        let states =
            ids(store).into_iter().filter_map(|id| store.look(&id).ok()).map(|entry| state_of(&entry));
        let states: Vec<Value> = states.collect();
        let lines: Vec<String> = if self.quiet {
            states.iter().map(|state| text(&state["id"])).collect()
        } else if self.format == "json" {
            vec![Value::Array(states).to_string()]
        } else {
            table(&states)
        };
        print(&lines.join("\n"))
    }
}

/// Of all containers.
fn ids(store: &Store) -> Vec<String> {
    let entries = std::fs::read_dir(&store.root).into_iter().flatten().flatten();
    let mut ids: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    ids.sort();
    ids
}

fn table(states: &[Value]) -> Vec<String> {
    let titles = ["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"].map(String::from);
    let row = |state: &Value| {
        ["id", "pid", "status", "bundle", "created", "owner"].map(|field| text(&state[field]))
    };
    let rows: Vec<[String; 6]> = std::iter::once(titles).chain(states.iter().map(row)).collect();
    let widths: Vec<usize> = (0..6)
        .map(|column| rows.iter().map(|row| row[column].len()).max().unwrap_or_default().max(8))
        .collect();
    let line = |row: &[String; 6]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("    ").trim_end().to_string()
    };
    rows.iter().map(line).collect()
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), String::from)
}
