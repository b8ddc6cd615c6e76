//! The drawing: the whole program as a strip, the call, and the instructions that are executed for it, one a line.

use super::path::{self, Answer};
use super::{SeccompFilter, words};
use crate::diagram::Diagram;
use crate::drawing::Drawing;

/// Between one instruction and the next.
const ROW: u32 = 18;
/// How long the strip is.
const STRIP: u32 = 352;

pub fn svg(state: &SeccompFilter) -> String {
    let mut drawing = Drawing::default();
    let path = path::of(state);
    let length = path::program_of(state).len();
    drawing.text(4, 14, "heading", &format!("A program of {length} instructions"));
    strip(&mut drawing, state, &path, length as u32);
    drawing.text(4, 58, "number", &words::call(state));
    let accumulator = path::accumulator(&path, state.steps);
    drawing.text(4, 80, "heading", &format!("A, the accumulator: {accumulator:#x}"));
    let bottom = instructions(&mut drawing, state, &path, 88);
    let bottom = result(&mut drawing, state, &path, bottom + 8);
    drawing.finish(SeccompFilter::NAME, SeccompFilter::TITLE, bottom + 4)
}

/// Where in the program the instructions are that were executed.
fn strip(drawing: &mut Drawing, state: &SeccompFilter, path: &[path::Executed], length: u32) {
    drawing.rectangle(4, 22, STRIP, 18, "stripe");
    for (index, one) in path.iter().take(state.steps + 1).enumerate() {
        let x = 4 + (STRIP - 3) * one.at as u32 / length.max(1);
        drawing.rectangle(x, 22, 3, 18, if index < state.steps { "dot" } else { "dot refused" });
    }
}

fn instructions(drawing: &mut Drawing, state: &SeccompFilter, path: &[path::Executed], top: u32) -> u32 {
    for (index, one) in path.iter().take(state.steps + 1).enumerate() {
        let y = top + ROW * index as u32;
        let is_next = index == state.steps;
        drawing.rectangle(4, y, STRIP, ROW - 2, if is_next { "current" } else { "plain" });
        drawing.text(10, y + 12, "number", &one.at.to_string());
        drawing.text(40, y + 12, "code", &words::meaning(&one.instruction));
        if !is_next {
            drawing.text(350, y + 12, "tag", &words::effect(one));
        }
    }
    let mut y = top + ROW * path.len().min(state.steps + 1) as u32;
    for (at, instruction) in path::behind(state, path) {
        drawing.text(10, y + 12, "to-come", &at.to_string());
        drawing.text(40, y + 12, "to-come", &words::meaning(instruction));
        y += ROW;
    }
    y
}

fn result(drawing: &mut Drawing, state: &SeccompFilter, path: &[path::Executed], y: u32) -> u32 {
    let (class, text) = match path::answer(path, state.steps) {
        None => ("mount question", "What will become of the call?".to_owned()),
        Some(answer) => {
            let class = if answer == Answer::Allowed { "mount new" } else { "mount bad" };
            (class, format!("{}, after {} instructions", answer.label(), state.steps))
        }
    };
    drawing.rectangle(4, y, STRIP, 24, class);
    drawing.text(12, y + 16, "code", &text);
    y + 24
}
