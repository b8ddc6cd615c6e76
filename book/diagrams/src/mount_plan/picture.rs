//! The drawing: the plan above, the mounts of host and container below.

use super::{Later, MountPlan, Side};
use crate::diagram::Diagram;
use crate::drawing::Drawing;
use models::Row;

/// Between one line and the next.
const LINE: u32 = 18;
/// The left edge and the width of the two tables.
const HOST: (u32, u32) = (4, 140);
const CONTAINER: (u32, u32) = (168, 188);

pub fn svg(state: &MountPlan) -> String {
    let mut drawing = Drawing::default();
    let lines = state.lines();
    drawing.text(4, 14, "heading", "The plan: plan(&RootSpec) -> Vec<MountOp>");
    let mut y = 22;
    for (index, (line, _)) in lines.iter().enumerate() {
        let (step, rest) = line.split_once("  ").unwrap_or((line, ""));
        let number = index + 1;
        let class = match state.done {
            Some(done) if done == number => "current",
            _ if index % 2 == 0 => "stripe",
            _ => "plain",
        };
        drawing.rectangle(4, y, 352, LINE - 2, class);
        let is_to_come = state.done.is_some_and(|done| done < number);
        drawing.text(8, y + 12, "number", &format!("{number:>2}"));
        drawing.text(28, y + 12, if is_to_come { "to-come" } else { "step" }, step);
        drawing.text(104, y + 12, if is_to_come { "to-come" } else { "code" }, rest);
        y += LINE;
    }
    y = tables(&mut drawing, state, y + 24);
    drawing.finish(MountPlan::NAME, MountPlan::TITLE, y)
}

fn tables(drawing: &mut Drawing, state: &MountPlan, top: u32) -> u32 {
    let later = state.later();
    drawing.text(HOST.0, top, "heading", "The host's /srv");
    drawing.text(CONTAINER.0, top, "heading", "The container's mounts");
    let (hides_host, hides_container) = match (state.mounted, state.guess) {
        (Some(Side::Host), None) => (false, true),
        (Some(Side::Inside), None) => (true, false),
        _ => (false, false),
    };
    let host =
        Table { place: HOST, hidden: hides_host, event: "on-host", target: "/srv", read_only: Vec::new() };
    let container = Table {
        place: CONTAINER,
        hidden: hides_container,
        event: "inside",
        target: "/data",
        read_only: state.read_only_paths(),
    };
    let (host_bottom, srv) = host.draw(drawing, &later.host, top + 8);
    let (container_bottom, data) = container.draw(drawing, &later.container, top + 8);
    // Which way mounts travel is the answer to the reader's question.
    let is_open = state.mounted.is_some() && state.guess.is_none();
    if let (Some(srv), Some(data), false) = (srv, data, is_open) {
        arrow(drawing, &later, srv, data);
    }
    host_bottom.max(container_bottom) + 8
}

/// The mounts of one side.
struct Table {
    place: (u32, u32),
    /// What was mounted later is the reader's question.
    hidden: bool,
    /// Mounts something on this side.
    event: &'static str,
    target: &'static str,
    read_only: Vec<String>,
}

impl Table {
    /// Returns where it ends, and the middle of the row where something can be mounted.
    fn draw(&self, drawing: &mut Drawing, rows: &[Row], top: u32) -> (u32, Option<u32>) {
        let (mut y, mut target) = (top, None);
        for row in rows.iter().filter(|row| !(self.hidden && row.filesystem == "new")) {
            let path = format!("/{}", row.path);
            let is_target = path == self.target;
            if is_target {
                target = Some(y + 9);
                drawing.begin_choice(self.event);
            }
            self.row(drawing, row, &path, y);
            if is_target {
                drawing.end_choice();
                y = self.question(drawing, y);
            }
            y += LINE + 2;
        }
        (y, target)
    }

    fn row(&self, drawing: &mut Drawing, row: &Row, path: &str, y: u32) {
        let is_new = row.filesystem == "new";
        let class = match (is_new, path == self.target) {
            (true, _) => "mount new",
            (false, true) => "mount target",
            (false, false) => "mount",
        };
        drawing.rectangle(self.place.0, y, self.place.1, LINE, class);
        let marks = match (is_new, self.read_only.iter().any(|other| other == path)) {
            (true, _) => " +",
            (false, true) => " (ro)",
            (false, false) => "",
        };
        drawing.text(self.place.0 + 6, y + 13, "code", &format!("{path}{marks}"));
        drawing.text(self.place.0 + self.place.1 - 4, y + 13, "tag", &tag(row));
    }

    fn question(&self, drawing: &mut Drawing, y: u32) -> u32 {
        if !self.hidden {
            return y;
        }
        let y = y + LINE + 2;
        drawing.rectangle(self.place.0, y, self.place.1, LINE, "mount question");
        drawing.text(self.place.0 + 6, y + 13, "code", &format!("{}/new ?", self.target));
        y
    }
}

/// As /proc/self/mountinfo says it.
pub fn tag(row: &Row) -> String {
    match (row.shared, row.master) {
        (Some(group), Some(master)) => format!("shared:{group} master:{master}"),
        (Some(group), None) => format!("shared:{group}"),
        (None, Some(master)) => format!("master:{master}"),
        (None, None) => "private".to_owned(),
    }
}

/// Between /srv and /data: which way mounts travel.
fn arrow(drawing: &mut Drawing, later: &Later, srv: u32, data: u32) {
    let group = later.host.iter().find(|row| row.path == "srv").and_then(|row| row.shared);
    let Some(row) = later.container.iter().find(|row| row.path == "data") else {
        return;
    };
    let (left, right) = (HOST.0 + HOST.1 + 2, CONTAINER.0 - 2);
    let (into, out) = (row.shared == group || row.master == group, row.shared == group);
    drawing.line((left, srv), (right, data), if into { "way" } else { "way none" });
    if into {
        drawing.head(right, data, true, "way");
    }
    if out {
        drawing.head(left, srv, false, "way");
    }
}
