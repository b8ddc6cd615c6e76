//! The drawing: the thread's sets at the left, what lies on the way (the file, and a switch), the new program's sets at the right.

use super::{CapabilitySets, NET_RAW, Switch, choices, status, words};
use crate::diagram::Diagram;
use crate::drawing::Drawing;
use models::{Executed, NotPermitted, Sets};

/// Where a row begins, by its number.
fn top(row: u32) -> u32 {
    52 + 38 * row
}

/// A row's box: how high, and the three columns, each with its width.
const HIGH: u32 = 26;
const THREAD: (u32, u32) = (4, 97);
const FILE: (u32, u32) = (121, 102);
const PROGRAM: (u32, u32) = (259, 97);

/// The rows, from what is a source to what becomes of it.
const ROWS: [&str; 5] = ["bounding", "inheritable", "ambient", "permitted", "effective"];
const PERMITTED: u32 = 3;
const EFFECTIVE: u32 = 4;

pub fn svg(state: &CapabilitySets) -> String {
    let mut drawing = Drawing::default();
    let (thread, executed) = (state.thread(), state.executed());
    let told = state.guess.map(|_| executed);
    heads(&mut drawing, state, told);
    for (row, (name, set)) in (0..).zip(ROWS.iter().zip(in_rows(&thread.sets))) {
        let is_in = set & NET_RAW != 0;
        cell(&mut drawing, THREAD, row, name, is_in, if is_in { "mount target" } else { "mount" });
    }
    file(&mut drawing, state, executed.unwrap_or_default());
    ways(&mut drawing, &thread.sets, told);
    program(&mut drawing, &thread.sets, told);
    outcome(&mut drawing, told);
    sets(&mut drawing, &thread.sets, told);
    drawing.finish(CapabilitySets::NAME, CapabilitySets::TITLE, 378)
}

type Told = Option<Result<Executed, NotPermitted>>;

/// The sets in the order of the rows.
fn in_rows(sets: &Sets) -> [u64; 5] {
    [sets.bounding, sets.inheritable, sets.ambient, sets.permitted, sets.effective]
}

fn heads(drawing: &mut Drawing, state: &CapabilitySets, told: Told) {
    for ((x, _), heading) in [(THREAD, "The thread"), (FILE, "On the way"), (PROGRAM, "The program")] {
        drawing.text(x, 14, "heading", heading);
    }
    drawing.text(THREAD.0, 32, "number", words::user(state.thread().user));
    drawing.text(FILE.0, 32, "number", choices::label(state.names));
    if state.is_on(Switch::SetUser) {
        drawing.text(FILE.0, 46, "number", "setuid root");
    }
    let after = match told {
        Some(Ok(new)) => words::user(new.user),
        Some(Err(NotPermitted)) => "none",
        None => "?",
    };
    drawing.text(PROGRAM.0, 32, "number", after);
}

/// A box of a column, with a name and a bit.
fn cell(drawing: &mut Drawing, (x, width): (u32, u32), row: u32, name: &str, bit: bool, class: &str) {
    drawing.rectangle(x, top(row), width, HIGH, class);
    drawing.text(x + 6, top(row) + 17, "code", name);
    drawing.text(x + width - 13, top(row) + 17, "code", if bit { "1" } else { "0" });
}

/// What is asked of the file, row by row; `no_new_privs` is the thread's, and stands in the way to the same place.
fn file(drawing: &mut Drawing, state: &CapabilitySets, new: Executed) {
    let file = state.file();
    let names = file.names.unwrap_or_default();
    let is_plain = file.names.is_none() && new.user == state.thread().user;
    let own = |set: u64| set & NET_RAW != 0;
    let rows = [
        ("permitted", own(names.permitted)),
        ("inheritable", own(names.inheritable)),
        ("is plain", is_plain),
        ("no_new_privs", state.is_on(Switch::NoNewPrivs)),
        ("effective", names.is_effective),
    ];
    for (row, (name, bit)) in (0..).zip(rows) {
        let is_roots = new.is_as_root && (row < 2 || (row == EFFECTIVE && new.is_effective));
        let (name, bit) = if is_roots { ("as root: all", true) } else { (name, bit) };
        let class = match (row, bit) {
            (PERMITTED, true) => "mount bad",
            (_, true) => "mount target",
            (_, false) => "mount",
        };
        cell(drawing, FILE, row, name, bit, class);
    }
}

/// From the thread's sets through the file to what is permitted, and what is effective of that.
fn ways(drawing: &mut Drawing, old: &Sets, told: Told) {
    let new = told.and_then(Result::ok).unwrap_or_default();
    let passed = [new.given, new.kept, new.sets.ambient].map(|set| set & NET_RAW != 0);
    let middle = |row: u32| top(row) + HIGH / 2;
    let (left, right) = (FILE.0 + FILE.1 + 3, PROGRAM.0 - 3);
    for (row, (is_in, passed)) in
        (0..).zip(in_rows(old).map(|set| set & NET_RAW != 0).into_iter().zip(passed))
    {
        let class = if is_in { "way" } else { "none" };
        drawing.line((THREAD.0 + THREAD.1 + 3, middle(row)), (FILE.0 - 3, middle(row)), class);
        if passed {
            drawing.line((left, middle(row)), (right - 6, middle(PERMITTED) - 6 + 4 * row), "way");
        }
    }
    if passed[2] {
        drawing.line((left, middle(2)), (right, middle(2)), "way");
        drawing.head(right, middle(2), true, "way");
    }
    if passed.contains(&true) {
        drawing.head(right, middle(PERMITTED), true, "way");
    }
    if new.is_effective {
        drawing.line((left, middle(EFFECTIVE)), (right, middle(EFFECTIVE)), "way");
        drawing.head(right, middle(EFFECTIVE), true, "way");
    }
}

/// The new program's sets. The first two are the thread's: no execve changes them.
fn program(drawing: &mut Drawing, old: &Sets, told: Told) {
    let new = told.and_then(Result::ok);
    let sets = in_rows(&new.map_or(*old, |new| new.sets));
    for (row, (name, set)) in (0..).zip(ROWS.iter().zip(sets)) {
        let is_in = set & NET_RAW != 0;
        let is_withheld = row == PERMITTED && new.is_some_and(|new| new.withheld & NET_RAW != 0);
        match told {
            Some(Err(NotPermitted)) => drawing.rectangle(PROGRAM.0, top(row), PROGRAM.1, HIGH, "mount"),
            None if row >= 2 => {
                drawing.rectangle(PROGRAM.0, top(row), PROGRAM.1, HIGH, "mount question");
                drawing.text(PROGRAM.0 + 6, top(row) + 17, "code", name);
                drawing.text(PROGRAM.0 + PROGRAM.1 - 13, top(row) + 17, "code", "?");
            }
            _ => {
                let class = match (is_withheld, is_in, row) {
                    (true, ..) => "mount bad",
                    (_, true, 2..) => "mount new",
                    (_, true, _) => "mount target",
                    (_, false, _) => "mount",
                };
                cell(drawing, PROGRAM, row, name, is_in, class);
            }
        }
    }
}

fn outcome(drawing: &mut Drawing, told: Told) {
    let (class, text) = match told {
        None => ("mount question", "?"),
        Some(Ok(_)) => ("mount new", "the program runs"),
        Some(Err(NotPermitted)) => ("mount bad", "EPERM: the thread goes on as it was"),
    };
    drawing.rectangle(4, 246, 352, HIGH, class);
    drawing.text(10, 263, "number", "execve");
    drawing.text(60, 263, "code", text);
}

/// All capabilities of all sets, as the kernel shows them.
fn sets(drawing: &mut Drawing, old: &Sets, told: Told) {
    drawing.text(72, 292, "number", "before");
    drawing.text(214, 292, "number", "after");
    let new = match told {
        Some(Ok(new)) => Some(new.sets),
        _ => None,
    };
    let unknown = if told.is_some() { "none" } else { "?" };
    for (line, (name, before)) in (0..).zip(status(old)) {
        let y = 308 + 15 * line;
        drawing.text(10, y, "number", name);
        drawing.text(72, y, "code", &format!("{before:016x}"));
        let after = new.map(|sets| status(&sets)[line as usize].1);
        drawing.text(214, y, "code", &after.map_or(unknown.to_owned(), |set| format!("{set:016x}")));
    }
}
