//! The same in words.

use super::picture::tag;
use super::{Later, MountPlan, Side};

pub fn text(state: &MountPlan) -> Vec<String> {
    let later = state.later();
    let mut lines = vec![answer(state, &later)];
    let steps: Vec<String> = state.lines().iter().map(|(line, _)| plain(line)).collect();
    lines.push(format!("The plan, in {} lines: {}.", steps.len(), steps.join("; ")));
    let read_only = state.read_only_paths();
    if !read_only.is_empty() {
        lines.push(format!("Read-only by the plan: {}.", read_only.join(", ")));
    }
    lines.push(mounts(
        "On the host",
        &later.host,
        state.mounted == Some(Side::Inside) && state.guess.is_none(),
    ));
    lines.push(mounts(
        "In the container",
        &later.container,
        state.mounted == Some(Side::Host) && state.guess.is_none(),
    ));
    lines
}

fn plain(line: &str) -> String {
    line.replace("  ", " ").trim().to_owned()
}

fn mounts(place: &str, rows: &[models::Row], hides_new: bool) -> String {
    let rows = rows.iter().filter(|row| !(hides_new && row.filesystem == "new"));
    let rows: Vec<String> = rows.map(|row| format!("/{} is {}", row.path, tag(row))).collect();
    format!("{place}: {}.", rows.join("; "))
}

fn answer(state: &MountPlan, later: &Later) -> String {
    let lines = state.lines();
    match state.done {
        Some(0) => return "Before the first step: a new mount namespace is a copy of the host's.".to_owned(),
        Some(done) => {
            return format!("After step {done} of {}: {}.", lines.len(), plain(&lines[done - 1].0));
        }
        None => {}
    }
    let Some(side) = state.mounted else {
        return match state.bind {
            None => "Bind the host's /srv to /data, mount a disk, and predict who sees it.".to_owned(),
            Some(_) => "Mount a disk on the host's /srv/new or on the container's /data/new, and predict who sees it.".to_owned(),
        };
    };
    let (what, sees, alone) = match side {
        Side::Host => (
            "A disk is mounted on the host's /srv/new",
            "the container sees it on /data/new",
            "the container does not see it",
        ),
        Side::Inside => (
            "A disk is mounted on the container's /data/new",
            "the host sees it on /srv/new",
            "the host does not see it",
        ),
    };
    let Some(guess) = state.guess else {
        return format!("{what}. Who sees it?");
    };
    let verdict = if guess == later.is_seen_by_both { "Right" } else { "Not so" };
    let fact = if later.is_seen_by_both { sees } else { alone };
    format!("{verdict}: {fact}, because {}.", why(state, later))
}

fn why(state: &MountPlan, later: &Later) -> String {
    let Some(data) = later.container.iter().find(|row| row.path == "data") else {
        return "nothing of the host is bound".to_owned();
    };
    let group =
        later.host.iter().find(|row| row.path == "srv").and_then(|row| row.shared).unwrap_or_default();
    if data.shared == Some(group) {
        format!("/data and /srv are peers (both shared:{group}): mounts travel both ways")
    } else if data.master == Some(group) {
        let rootless = if state.rootless && state.bind == Some("rshared") {
            "; asked for rshared, but a mount namespace of another user namespace is never a peer of the host's"
        } else {
            ""
        };
        format!("/data only receives from /srv (master:{group}): mounts travel in, not out{rootless}")
    } else {
        "/data is private: nothing travels in or out".to_owned()
    }
}
