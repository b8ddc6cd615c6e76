//! /proc/PID/mountinfo as rows, and rows with the same numbers for the same groups.

use models::Row;
use std::path::Path;

struct Line {
    id: usize,
    parent: usize,
    row: Row,
}

/// The mounts at a folder and below, each before those that are on it.
pub fn rows(text: &str, folder: &Path) -> Vec<Row> {
    let folder = folder.to_str().unwrap();
    let lines: Vec<Line> = text.lines().filter_map(|line| parse(line, folder)).collect();
    let is_root = |line: &&Line| !lines.iter().any(|other| other.id == line.parent);
    let mut rows = Vec::new();
    for root in lines.iter().filter(is_root) {
        add(&lines, root, 0, &mut rows);
    }
    rows
}

fn add(lines: &[Line], line: &Line, depth: usize, rows: &mut Vec<Row>) {
    rows.push(Row { depth, ..line.row.clone() });
    let mut children: Vec<&Line> = lines.iter().filter(|other| other.parent == line.id).collect();
    children.sort_by_key(|child| (&child.row.path, child.id));
    for child in children {
        add(lines, child, depth + 1, rows);
    }
}

/// `id parent major:minor root place options [shared:N] [master:N]… - type source options`
fn parse(line: &str, folder: &str) -> Option<Line> {
    let (mount, filesystem) = line.split_once(" - ")?;
    let words: Vec<&str> = mount.split(' ').collect();
    let path = words[4].strip_prefix(folder)?;
    let tag =
        |name: &str| words[6..].iter().find_map(|word| word.strip_prefix(name)).map(|n| n.parse().unwrap());
    let row = Row {
        depth: 0,
        path: path.trim_start_matches('/').to_owned(),
        filesystem: filesystem.split(' ').nth(1)?.to_owned(),
        root: words[3].trim_start_matches('/').to_owned(),
        shared: tag("shared:"),
        master: tag("master:"),
    };
    Some(Line { id: words[0].parse().unwrap(), parent: words[1].parse().unwrap(), row })
}

/// Numbers the groups by where they are seen first.
pub fn renumbered(mut namespaces: Vec<Vec<Row>>) -> Vec<Vec<Row>> {
    let mut seen: Vec<usize> = Vec::new();
    for row in namespaces.iter_mut().flatten() {
        for group in [&mut row.shared, &mut row.master].into_iter().flatten() {
            let known = seen.iter().position(|other| other == group);
            *group = known.unwrap_or_else(|| {
                seen.push(*group);
                seen.len() - 1
            });
        }
    }
    namespaces
}
