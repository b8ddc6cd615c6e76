//! The drawing: both maps, and three ways through them: the owner of a file that is there, that of a new one, and who may write.

use super::{Answers, IdMaps, lines, words};
use crate::diagram::Diagram;
use crate::drawing::Drawing;
use models::NOBODY;

/// Where the columns begin: the disk, the kernel, the process.
const COLUMNS: [(u32, &str); 3] = [(4, "on the disk"), (130, "for the kernel"), (256, "for the process")];
/// How wide a column is.
const WIDE: u32 = 100;

pub fn svg(state: &IdMaps) -> String {
    let mut drawing = Drawing::default();
    let answers = state.answers();
    let mount = state.mount_map().map_or(vec!["none".to_owned()], |map| lines(&map));
    map(&mut drawing, 4, "The mount's map", &mount);
    map(&mut drawing, 184, "The process's map", &lines(&state.process_map()));
    for (x, what) in COLUMNS {
        drawing.text(x, 86, "number", what);
    }
    drawing.text(4, 112, "heading", "The owner of the file");
    let is_told = state.guess.is_some();
    let seen = (answers.seen != NOBODY).then_some(answers.seen);
    let names = [Some(state.on_disk()), answers.owner, seen];
    way(&mut drawing, 120, names, if is_told { 3 } else { 1 }, true);
    drawing.text(4, 172, "heading", &format!("The owner of a file that {} makes", words::who(state, "its")));
    let names = [answers.kept.ok(), answers.caller, Some(state.who())];
    way(&mut drawing, 180, names, if is_told { 3 } else { 1 }, false);
    outcomes(&mut drawing, is_told, answers, 222);
    drawing.finish(IdMaps::NAME, IdMaps::TITLE, 292)
}

fn map(drawing: &mut Drawing, x: u32, heading: &str, lines: &[String]) {
    drawing.text(x, 14, "heading", heading);
    drawing.rectangle(x, 22, 172, 40, "mount");
    for (index, line) in lines.iter().enumerate() {
        drawing.text(x + 8, 38 + 16 * index as u32, "code", line);
    }
}

/// One id in three columns; where it has no name the way ends. `known` columns are told, the others are the question.
fn way(drawing: &mut Drawing, y: u32, names: [Option<u32>; 3], known: usize, is_read: bool) {
    let order = if is_read { [0, 1, 2] } else { [2, 1, 0] };
    let mut goes_on = true;
    for (step, column) in order.into_iter().enumerate() {
        let name = names[column].filter(|_| goes_on);
        let is_known = step < known;
        if step > 0 {
            arrow(drawing, y + 14, column.min(order[step - 1]), is_read, !is_known || name.is_some());
        }
        let (class, text) = match (is_known, name) {
            (false, _) => ("mount question", "?".to_owned()),
            (true, Some(id)) => (if step == 2 { "mount new" } else { "mount target" }, id.to_string()),
            (true, None) if is_read && column == 2 => ("mount bad", format!("{NOBODY}, nobody")),
            (true, None) => ("mount bad", "no id".to_owned()),
        };
        drawing.rectangle(COLUMNS[column].0, y, WIDE, 28, class);
        drawing.text(COLUMNS[column].0 + 8, y + 18, "code", &text);
        goes_on &= name.is_some();
    }
}

/// Between a column and the next one.
fn arrow(drawing: &mut Drawing, y: u32, left: usize, is_right: bool, is_whole: bool) {
    let (from, to) = (COLUMNS[left].0 + WIDE + 3, COLUMNS[left + 1].0 - 3);
    let class = if is_whole { "way" } else { "none" };
    drawing.line((from, y), (to, y), class);
    if is_whole {
        drawing.head(if is_right { to } else { from }, y, is_right, class);
    }
}

fn outcomes(drawing: &mut Drawing, is_told: bool, answers: Answers, top: u32) {
    let rows = [
        ("makes a file:", words::made(answers), answers.kept.is_ok()),
        ("writes the old one:", words::written(answers), answers.writes.is_ok()),
    ];
    for (index, (what, text, is_well)) in rows.into_iter().enumerate() {
        let y = top + 34 * index as u32;
        let class = match (is_told, is_well) {
            (false, _) => "mount question",
            (true, true) => "mount new",
            (true, false) => "mount bad",
        };
        drawing.rectangle(4, y, 352, 28, class);
        drawing.text(12, y + 18, "number", what);
        drawing.text(138, y + 18, "code", if is_told { &text } else { "?" });
    }
}
