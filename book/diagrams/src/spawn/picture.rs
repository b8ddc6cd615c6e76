//! The drawing: the calls of parent and child from top to bottom, and below whose namespaces the child is in.

use super::sequence::{Outcome, Step, Who, all_steps, is_born, steps};
use super::{KINDS, Spawn};
use crate::diagram::Diagram;
use crate::drawing::Drawing;

/// Between one call and the next.
const LINE: u32 = 21;
/// The lifelines of parent and child.
const PARENT: u32 = 10;
const CHILD: u32 = 178;

pub fn svg(state: &Spawn) -> String {
    let mut drawing = Drawing::default();
    drawing.text(4, 14, "heading", &format!("The parent: uid {}", state.own_id()));
    drawing.text(CHILD - 6, 14, "heading", "The child");
    let (done, outcome) = steps(state);
    // Until the reader has said what to expect, the calls are shown as the caller means them.
    let shown = if state.guess.is_some() { done } else { all_steps(state) };
    let refused = (state.guess.is_some() && outcome != Outcome::Runs).then(|| shown.len() - 1);
    let bottom = sequence(&mut drawing, &shown, refused);
    let bottom = result(&mut drawing, state, outcome, bottom + 10);
    let bottom = kinds(&mut drawing, state, bottom + 26);
    drawing.finish(Spawn::NAME, Spawn::TITLE, bottom)
}

fn sequence(drawing: &mut Drawing, shown: &[Step], refused: Option<usize>) -> u32 {
    let born = shown.iter().position(|step| step.call.starts_with("clone3"));
    let top = 24;
    let end = top + LINE * shown.len() as u32;
    drawing.line((PARENT, top), (PARENT, end), "life");
    if let Some(born) = born.filter(|born| refused != Some(*born)) {
        drawing.line((CHILD, top + LINE * born as u32 + LINE), (CHILD, end), "life");
    }
    for (index, step) in shown.iter().enumerate() {
        let y = top + LINE * index as u32 + 14;
        let is_refused = refused == Some(index);
        let x = if step.who == Who::Parent { PARENT } else { CHILD };
        let class = if is_refused { "call refused" } else { "call" };
        drawing.rectangle(x - 3, y - 7, 6, 6, if is_refused { "dot refused" } else { "dot" });
        let mark = if is_refused { "  EPERM" } else { "" };
        drawing.text(x + 9, y, class, &format!("{}{mark}", step.call));
        if step.reaches_other && !is_refused {
            message(drawing, step.who, y + 5);
        }
    }
    end
}

/// An arrow below the call that reaches the other process.
fn message(drawing: &mut Drawing, from: Who, y: u32) {
    drawing.line((PARENT + 3, y), (CHILD - 3, y), "way");
    match from {
        Who::Parent => drawing.head(CHILD - 3, y, true, "way"),
        Who::Child => drawing.head(PARENT + 3, y, false, "way"),
    }
}

fn result(drawing: &mut Drawing, state: &Spawn, outcome: Outcome, y: u32) -> u32 {
    let (class, text) = match state.guess {
        None => ("mount question", "Does the command run?".to_owned()),
        Some(_) => match outcome {
            Outcome::Runs => ("mount new", inside(state)),
            Outcome::NoNamespaces => ("mount bad", "No: the kernel refuses a namespace".to_owned()),
            Outcome::NoMap => ("mount bad", "No: the kernel refuses the id map".to_owned()),
        },
    };
    drawing.rectangle(4, y, 352, 24, class);
    drawing.text(12, y + 16, "code", &text);
    y + 24
}

/// What the command sees of itself.
pub fn inside(state: &Spawn) -> String {
    let plan = state.plan();
    let has = |kind| plan.new.contains(kind);
    let pid = if has(namespaces::Namespaces::PID) { "pid 1" } else { "a pid of the caller's" };
    let uid = if has(namespaces::Namespaces::USER) { 0 } else { state.own_id() };
    let name = plan.hostname.as_deref().unwrap_or("the caller's");
    format!("It runs: {pid}, uid {uid}, host name {name}")
}

fn kinds(drawing: &mut Drawing, state: &Spawn, top: u32) -> u32 {
    let is = if state.guess.is_none() || is_born(state) { "is" } else { "would be" };
    drawing.text(4, top, "heading", &format!("Whose namespaces the child {is} in"));
    for (index, (event, kind, what)) in KINDS.iter().enumerate() {
        let (column, row) = (index as u32 % 2, index as u32 / 2);
        let (x, y) = (4 + column * 178, top + 8 + row * 24);
        let is_own = state.new.contains(*kind);
        drawing.begin_choice(event);
        drawing.rectangle(x, y, 174, 21, if is_own { "mount target" } else { "mount" });
        drawing.text(x + 6, y + 14, "code", what);
        drawing.text(x + 168, y + 14, "tag", if is_own { "its own" } else { "caller's" });
        drawing.end_choice();
    }
    top + 8 + 4 * 24 + 4
}
