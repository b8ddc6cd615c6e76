//! Table: what the reader can do with the maps.

use super::{Event, IdMaps, Mount, OWNERS, Process, Seen};
use crate::controls::{Control, Kind, choice, group};

/// The words of all events.
pub const EVENTS: &[(&str, Event)] = &[
    ("host", Event::Process(Process::Host)),
    ("own", Event::Process(Process::Own)),
    ("range", Event::Process(Process::Range)),
    ("own-and-range", Event::Process(Process::OwnAndRange)),
    ("plain", Event::Mount(Mount::Plain)),
    ("system", Event::Mount(Mount::System)),
    ("folder", Event::Mount(Mount::Folder)),
    ("owner-1000", Event::Owner(0)),
    ("owner-0", Event::Owner(1)),
    ("owner-100000", Event::Owner(2)),
    ("owner-100033", Event::Owner(3)),
    ("as-root", Event::Ordinary(false)),
    ("as-33", Event::Ordinary(true)),
    ("sees-root", Event::Guess(Seen::Root)),
    ("sees-nobody", Event::Guess(Seen::Nobody)),
    ("sees-another", Event::Guess(Seen::Other)),
];

fn word(wanted: Event) -> Option<&'static str> {
    EVENTS.iter().find(|(_, event)| *event == wanted).map(|(word, _)| *word)
}

/// The events that lead from the beginning to a state.
pub fn events(state: &IdMaps) -> Vec<&'static str> {
    let beginning = IdMaps::default();
    let events = [
        (state.process != beginning.process).then_some(Event::Process(state.process)),
        (state.mount != beginning.mount).then_some(Event::Mount(state.mount)),
        (state.owner != beginning.owner).then_some(Event::Owner(state.owner)),
        state.is_ordinary.then_some(Event::Ordinary(true)),
        state.guess.map(Event::Guess),
    ];
    events.into_iter().flatten().filter_map(word).collect()
}

/// The groups of controls.
pub fn controls(state: &IdMaps) -> Vec<Control> {
    let process = |event, label, process| choice(event, label, state.process == process);
    let processes = vec![
        process("host", "no user namespace", Process::Host),
        process("own", "root is 1000", Process::Own),
        process("range", "a range: root is 100000", Process::Range),
        process("own-and-range", "root is 1000, the others are a range", Process::OwnAndRange),
    ];
    let mount = |event, label, mount| choice(event, label, state.mount == mount);
    let mounts = vec![
        mount("plain", "none", Mount::Plain),
        mount("system", "0 and up are 100000 and up", Mount::System),
        mount("folder", "1000 is 100000", Mount::Folder),
    ];
    let owner = |(place, id): (usize, &u32)| {
        let event = word(Event::Owner(place)).unwrap_or_default();
        choice(event, &id.to_string(), state.owner == place)
    };
    let who =
        vec![choice("as-root", "root", !state.is_ordinary), choice("as-33", "user 33", state.is_ordinary)];
    let guess = |event, label, seen| choice(event, label, state.guess == Some(seen));
    let guesses = vec![
        guess("sees-root", "root, 0", Seen::Root),
        guess("sees-nobody", "nobody, 65534", Seen::Nobody),
        guess("sees-another", "another id", Seen::Other),
    ];
    vec![
        group("The map of the process", Kind::One, processes),
        group("The map of the mount", Kind::One, mounts),
        group("The file's owner, on the disk", Kind::One, OWNERS.iter().enumerate().map(owner).collect()),
        group("The process acts as its", Kind::One, who),
        group("Whose is the file, for the process?", Kind::One, guesses),
    ]
}
