//! Table: what the reader can do with the sets and the file.

use super::{CapabilitySets, Event, Has, Names, SETS, SWITCHES, Set, Switch, left_to, turned};
use crate::controls::{Control, Kind, choice, group};

/// The words of all events.
pub const EVENTS: &[(&str, Event)] = &[
    ("user", Event::Root(false)),
    ("root", Event::Root(true)),
    ("bounding", Event::Turn(Set::Bounding)),
    ("inheritable", Event::Turn(Set::Inheritable)),
    ("permitted", Event::Turn(Set::Permitted)),
    ("effective", Event::Turn(Set::Effective)),
    ("ambient", Event::Turn(Set::Ambient)),
    ("names-nothing", Event::Names(Names::Nothing)),
    ("p", Event::Names(Names::It { gives: true, at_once: false })),
    ("ep", Event::Names(Names::It { gives: true, at_once: true })),
    ("i", Event::Names(Names::It { gives: false, at_once: false })),
    ("ei", Event::Names(Names::It { gives: false, at_once: true })),
    ("setuid", Event::Switch(Switch::SetUser)),
    ("no-new-privs", Event::Switch(Switch::NoNewPrivs)),
    ("no-root", Event::Switch(Switch::NoRoot)),
    ("is-effective", Event::Guess(Has::Effective)),
    ("is-permitted", Event::Guess(Has::Permitted)),
    ("has-nothing", Event::Guess(Has::Nothing)),
    ("is-refused", Event::Guess(Has::Refused)),
];

fn word(wanted: Event) -> Option<&'static str> {
    EVENTS.iter().find(|(_, event)| *event == wanted).map(|(word, _)| *word)
}

/// The events that lead from the beginning to a state.
pub fn events(state: &CapabilitySets) -> Vec<&'static str> {
    let mut events = Vec::new();
    events.extend(state.is_root.then_some("root"));
    let mut held = left_to(state.is_root);
    for (word, set) in SETS {
        if held[set as usize] != state.held[set as usize] {
            held = turned(held, set);
            events.push(word);
        }
    }
    if state.names != CapabilitySets::default().names {
        events.extend(word(Event::Names(state.names)));
    }
    events.extend(SWITCHES.iter().filter(|(_, switch, _)| state.is_on(*switch)).map(|(word, ..)| *word));
    events.extend(state.guess.and_then(|has| word(Event::Guess(has))));
    events
}

/// The file's capabilities, as setcap(8) takes them.
pub fn label(names: Names) -> &'static str {
    match names {
        Names::Nothing => "names nothing",
        Names::It { gives: true, at_once: false } => "cap_net_raw=p",
        Names::It { gives: true, at_once: true } => "cap_net_raw=ep",
        Names::It { gives: false, at_once: false } => "cap_net_raw=i",
        Names::It { gives: false, at_once: true } => "cap_net_raw=ei",
    }
}

/// The groups of controls.
pub fn controls(state: &CapabilitySets) -> Vec<Control> {
    let who = vec![choice("user", "user 1000", !state.is_root), choice("root", "root", state.is_root)];
    let sets = SETS.iter().map(|(word, set)| choice(word, word, state.held[*set as usize])).collect();
    let file = |(word, event): &(&'static str, Event)| match event {
        Event::Names(names) => Some(choice(word, label(*names), *names == state.names)),
        _ => None,
    };
    let switches =
        SWITCHES.iter().map(|(word, switch, label)| choice(word, label, state.is_on(*switch))).collect();
    let guess = |event, label, has| choice(event, label, state.guess == Some(has));
    let guesses = vec![
        guess("is-effective", "it is effective", Has::Effective),
        guess("is-permitted", "it is permitted, not effective", Has::Permitted),
        guess("has-nothing", "nothing", Has::Nothing),
        guess("is-refused", "there is no new program: EPERM", Has::Refused),
    ];
    vec![
        group("1. Who executes", Kind::One, who),
        group("2. Which sets have CAP_NET_RAW", Kind::Any, sets),
        group("3. The file", Kind::One, EVENTS.iter().filter_map(file).collect()),
        group("4. What else", Kind::Any, switches),
        group("What does the new program have of it?", Kind::One, guesses),
    ]
}
