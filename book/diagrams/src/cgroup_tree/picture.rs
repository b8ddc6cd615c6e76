//! The drawing: the tree with a bar for each group's share, the files of the selected one, and whom the kernel kills.

use super::words::{amount, memory};
use super::{CgroupTree, GROUPS, LEAVES, Runs, path};
use crate::diagram::Diagram;
use crate::drawing::Drawing;

/// Between one group and the next.
const ROW: u32 = 30;
/// Where a bar begins, and how long that of the whole processor is.
const BAR: u32 = 185;
const WHOLE: u32 = 118;

pub fn svg(state: &CgroupTree) -> String {
    let mut drawing = Drawing::default();
    drawing.text(4, 14, "heading", "One processor, and who gets it");
    let bottom = tree(&mut drawing, state, 24);
    let bottom = files(&mut drawing, state, bottom + 22);
    let bottom = killed(&mut drawing, state, bottom + 12);
    drawing.finish(CgroupTree::NAME, CgroupTree::TITLE, bottom + 4)
}

fn tree(drawing: &mut Drawing, state: &CgroupTree, top: u32) -> u32 {
    let shares = state.shares();
    let mut y = top;
    for (one, (event, above)) in GROUPS.iter().enumerate() {
        let indent = if above.is_some() { 18 } else { 0 };
        if above.is_some() {
            let begin = if GROUPS[one - 1].1.is_some() { y - 18 } else { y - 6 };
            drawing.line((12, begin), (12, y + 12), "life");
            drawing.line((12, y + 12), (22, y + 12), "life");
        }
        drawing.begin_choice(event);
        drawing.rectangle(
            4 + indent,
            y,
            352 - indent,
            ROW - 6,
            if state.selected == one { "mount target" } else { "mount" },
        );
        drawing.text(12 + indent, y + 16, "code", event);
        let class = if state.is_there(one) { "number" } else { "to-come" };
        drawing.text(44 + indent, y + 16, class, &what(state, one));
        if state.is_there(one) {
            bar(drawing, state, shares[one], y);
        }
        drawing.end_choice();
        y += ROW;
    }
    y - 6
}

fn what(state: &CgroupTree, one: usize) -> String {
    if !state.is_there(one) {
        return "no group".to_owned();
    }
    let weight = state.weight(one);
    match (LEAVES.contains(&one), state.groups[one].runs) {
        (true, Runs::Idle) => format!("weight {weight}, idle"),
        (true, _) => format!("weight {weight}, busy"),
        (false, _) => format!("weight {weight}"),
    }
}

/// Until the reader has said what to expect, nobody knows.
fn bar(drawing: &mut Drawing, state: &CgroupTree, share: u32, y: u32) {
    if state.guess.is_none() {
        drawing.rectangle(BAR, y + 5, WHOLE, 14, "question");
        return drawing.text(350, y + 16, "tag", "?");
    }
    drawing.rectangle(BAR, y + 5, WHOLE, 14, "stripe");
    drawing.rectangle(BAR, y + 5, (WHOLE * share / 1000).max(1), 14, "new");
    drawing.text(350, y + 16, "tag", &amount(share));
}

fn files(drawing: &mut Drawing, state: &CgroupTree, top: u32) -> u32 {
    drawing.text(4, top, "heading", &format!("What is written for {}", path(state.selected)));
    let files = if state.is_there(state.selected) { state.files(state.selected) } else { Vec::new() };
    if files.is_empty() {
        drawing.text(12, top + 18, "to-come", "nothing");
        return top + 24;
    }
    for (index, (file, value)) in files.iter().enumerate() {
        drawing.text(12, top + 18 + 16 * index as u32, "code", &format!("{file} ← {value}"));
    }
    top + 8 + 16 * files.len() as u32
}

fn killed(drawing: &mut Drawing, state: &CgroupTree, top: u32) -> u32 {
    drawing.text(4, top + 10, "heading", "Memory");
    let class = match (state.asks.is_some(), state.shortage()) {
        (false, _) => "mount",
        (true, None) => "mount new",
        (true, Some(_)) => "mount bad",
    };
    let lines = memory(state);
    drawing.rectangle(4, top + 18, 352, 10 + 16 * lines.len() as u32, class);
    for (index, line) in lines.iter().enumerate() {
        drawing.text(12, top + 34 + 16 * index as u32, "code", line);
    }
    top + 28 + 16 * lines.len() as u32
}
