//! Table: what the reader can do with the tree.

use super::{CgroupTree, Event, GROUPS, LEAVES, MORE, Runs, Settings, path};
use crate::controls::{Choice, Control, Kind, choice, group};

/// The words of all events.
pub const EVENTS: &[(&str, Event)] = &[
    ("web", Event::Select(0)),
    ("jobs", Event::Select(1)),
    ("one", Event::Select(2)),
    ("two", Event::Select(3)),
    ("shares-unsaid", Event::Shares(None)),
    ("shares-512", Event::Shares(Some(512))),
    ("shares-1024", Event::Shares(Some(1024))),
    ("shares-4096", Event::Shares(Some(4096))),
    ("quota-none", Event::Quota(None)),
    ("quota-10", Event::Quota(Some(10))),
    ("quota-50", Event::Quota(Some(50))),
    ("memory-none", Event::Memory(None)),
    ("memory-32", Event::Memory(Some(32))),
    ("memory-64", Event::Memory(Some(64))),
    ("absent", Event::Runs(Runs::Absent)),
    ("idle", Event::Runs(Runs::Idle)),
    ("busy", Event::Runs(Runs::Busy)),
    ("holds-8", Event::Holds(false)),
    ("holds-40", Event::Holds(true)),
    ("v2", Event::Version(false)),
    ("v1", Event::Version(true)),
    ("nobody-asks", Event::Asks(None)),
    ("web-asks", Event::Asks(Some(0))),
    ("one-asks", Event::Asks(Some(2))),
    ("two-asks", Event::Asks(Some(3))),
    ("most-web", Event::Guess(0)),
    ("most-one", Event::Guess(2)),
    ("most-two", Event::Guess(3)),
];

fn word(wanted: Event) -> Option<&'static str> {
    EVENTS.iter().find(|(_, event)| *event == wanted).map(|(word, _)| *word)
}

/// The events that lead from the beginning to a state.
pub fn events(state: &CgroupTree) -> Vec<&'static str> {
    let beginning = CgroupTree::default();
    let mut events = Vec::new();
    events.extend(state.is_v1.then_some(Event::Version(true)));
    let mut selected = beginning.selected;
    for (one, (now, before)) in state.groups.iter().zip(&beginning.groups).enumerate() {
        let changed = changed(now, before);
        if !changed.is_empty() && selected != one {
            events.push(Event::Select(one));
            selected = one;
        }
        events.extend(changed);
    }
    events.extend((selected != state.selected).then_some(Event::Select(state.selected)));
    events.extend(state.asks.map(|one| Event::Asks(Some(one))));
    events.extend(state.guess.map(Event::Guess));
    events.into_iter().filter_map(word).collect()
}

fn changed(now: &Settings, before: &Settings) -> Vec<Event> {
    let events = [
        (now.shares != before.shares).then_some(Event::Shares(now.shares)),
        (now.quota != before.quota).then_some(Event::Quota(now.quota)),
        (now.memory != before.memory).then_some(Event::Memory(now.memory)),
        (now.runs != before.runs).then_some(Event::Runs(now.runs)),
        (now.holds_much != before.holds_much).then_some(Event::Holds(now.holds_much)),
    ];
    events.into_iter().flatten().collect()
}

/// The groups of controls: first which group, then what is changed of it.
pub fn controls(state: &CgroupTree) -> Vec<Control> {
    let settings = &state.groups[state.selected];
    let name = path(state.selected);
    let select =
        |(one, (event, _)): (usize, &(&'static str, _))| choice(event, &path(one), state.selected == one);
    let mut controls = vec![group("Which group", Kind::One, GROUPS.iter().enumerate().map(select).collect())];
    if LEAVES.contains(&state.selected) {
        controls.extend(of_a_leaf(settings, &name));
    }
    let mut add = |legend: String, choices: Vec<Choice>| controls.push(group(&legend, Kind::One, choices));
    let shares = |event, label, shares| choice(event, label, settings.shares == shares);
    add(
        format!("{name}: shares"),
        vec![
            shares("shares-unsaid", "not said", None),
            shares("shares-512", "512", Some(512)),
            shares("shares-1024", "1024", Some(1024)),
            shares("shares-4096", "4096", Some(4096)),
        ],
    );
    let quota = |event, label, quota| choice(event, label, settings.quota == quota);
    let quotas = vec![
        quota("quota-none", "none", None),
        quota("quota-10", "10 %", Some(10)),
        quota("quota-50", "50 %", Some(50)),
    ];
    add(format!("{name}: quota"), quotas);
    let memory = |event, label, memory| choice(event, label, settings.memory == memory);
    let limits = vec![
        memory("memory-none", "none", None),
        memory("memory-32", "32 MB", Some(32)),
        memory("memory-64", "64 MB", Some(64)),
    ];
    add(format!("{name}: memory"), limits);
    add(
        "The files".to_owned(),
        vec![choice("v2", "version 2", !state.is_v1), choice("v1", "version 1", state.is_v1)],
    );
    let asks = |event, label, asks| choice(event, label, state.asks == asks);
    let who = vec![
        asks("nobody-asks", "nobody", None),
        asks("web-asks", "web", Some(0)),
        asks("one-asks", "jobs/one", Some(2)),
        asks("two-asks", "jobs/two", Some(3)),
    ];
    add(format!("Who asks for {MORE} MB more"), who);
    let guess = |event, label, one| choice(event, label, state.guess == Some(one));
    let guesses =
        vec![guess("most-web", "web", 0), guess("most-one", "jobs/one", 2), guess("most-two", "jobs/two", 3)];
    add("Who gets most of the processor?".to_owned(), guesses);
    controls
}

/// What only a group with a process has.
fn of_a_leaf(settings: &Settings, name: &str) -> [Control; 2] {
    let runs = |event, label, runs| choice(event, label, settings.runs == runs);
    let there = vec![
        runs("busy", "a busy process", Runs::Busy),
        runs("idle", "an idle one", Runs::Idle),
        runs("absent", "no group", Runs::Absent),
    ];
    let holds = |event, label, much| choice(event, label, settings.holds_much == much);
    let held = vec![holds("holds-8", "8 MB", false), holds("holds-40", "40 MB", true)];
    [
        group(&format!("{name}: what is there"), Kind::One, there),
        group(&format!("{name}: its process holds"), Kind::One, held),
    ]
}
