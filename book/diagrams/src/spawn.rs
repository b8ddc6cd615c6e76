//! Diagram 1: how a process comes into namespaces of its own, and what keeps it from it.

mod beside;
mod picture;
mod sequence;
mod words;

use crate::controls::{Control, Kind, choice, group};
use crate::diagram::Diagram;
use crate::live::{Kernel, Plan, Row};
use namespaces::{IdMap, Namespaces, SpawnPlan};
pub use sequence::Outcome;

/// Who makes the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Caller {
    /// Root, with all capabilities.
    Root,
    /// User 1000, without any.
    #[default]
    Ordinary,
}

/// Which ids the new user namespace has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Maps {
    /// Root inside is the caller outside.
    #[default]
    Single,
    /// And 65,536 more.
    Range,
    /// All ids, as they are.
    All,
}

/// The state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spawn {
    /// Who makes it.
    pub caller: Caller,
    /// The namespaces that are made.
    pub new: Namespaces,
    /// The ids of a new user namespace.
    pub maps: Maps,
    /// What the reader expects.
    pub guess: Option<Outcome>,
}

/// What happens to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// Another caller.
    Caller(Caller),
    /// This kind of namespace, or the caller's.
    Toggle(Namespaces),
    /// Other ids.
    Maps(Maps),
    /// The reader's prediction.
    Guess(Outcome),
}

/// The kinds, in the order in which the chapter tells of them: the event, the kind, what it is.
pub(crate) const KINDS: [(&str, Namespaces, &str); 8] = [
    ("user", Namespaces::USER, "users and groups"),
    ("mnt", Namespaces::MNT, "mounts"),
    ("pid", Namespaces::PID, "process numbers"),
    ("net", Namespaces::NET, "network"),
    ("uts", Namespaces::UTS, "host name"),
    ("ipc", Namespaces::IPC, "shared memory"),
    ("cgroup", Namespaces::CGROUP, "cgroup root"),
    ("time", Namespaces::TIME, "clocks"),
];

impl Default for Spawn {
    fn default() -> Spawn {
        let new = Namespaces::USER | Namespaces::MNT | Namespaces::PID;
        Spawn { caller: Caller::default(), new, maps: Maps::default(), guess: None }
    }
}

impl Spawn {
    /// The caller's user id.
    pub fn own_id(&self) -> u32 {
        if self.caller == Caller::Root { 0 } else { 1000 }
    }

    /// What chapter 02 is asked for.
    pub fn plan(&self) -> SpawnPlan {
        let own = IdMap::root_is(self.own_id());
        let maps = match self.maps {
            Maps::Single => vec![own],
            Maps::Range => vec![own, IdMap { inside: 1, outside: 100_000, count: 65_536 }],
            Maps::All => vec![IdMap::ALL],
        };
        let maps = if self.new.contains(Namespaces::USER) { maps } else { Vec::new() };
        SpawnPlan {
            new: self.new,
            uid_map: maps.clone(),
            gid_map: maps,
            hostname: self.new.contains(Namespaces::UTS).then(|| "coracle".to_owned()),
            ..SpawnPlan::default()
        }
    }

    /// How it ends.
    pub fn outcome(&self) -> Outcome {
        sequence::steps(self).1
    }

    /// The calls that are made, in order: `parent` or `child`, and the call. The last one is refused, unless the command runs.
    pub fn calls(&self) -> Vec<(&'static str, String)> {
        sequence::steps(self).0.into_iter().map(|step| (step.who.name(), step.call)).collect()
    }
}

impl Diagram for Spawn {
    type Event = Event;
    const NAME: &'static str = "spawn";
    const TITLE: &'static str = "A process comes into namespaces of its own";
    const EVENTS: &'static [(&'static str, Event)] = &[
        ("root", Event::Caller(Caller::Root)),
        ("ordinary", Event::Caller(Caller::Ordinary)),
        ("user", Event::Toggle(Namespaces::USER)),
        ("mnt", Event::Toggle(Namespaces::MNT)),
        ("pid", Event::Toggle(Namespaces::PID)),
        ("net", Event::Toggle(Namespaces::NET)),
        ("uts", Event::Toggle(Namespaces::UTS)),
        ("ipc", Event::Toggle(Namespaces::IPC)),
        ("cgroup", Event::Toggle(Namespaces::CGROUP)),
        ("time", Event::Toggle(Namespaces::TIME)),
        ("map-one", Event::Maps(Maps::Single)),
        ("map-range", Event::Maps(Maps::Range)),
        ("map-all", Event::Maps(Maps::All)),
        ("it-runs", Event::Guess(Outcome::Runs)),
        ("no-namespaces", Event::Guess(Outcome::NoNamespaces)),
        ("no-map", Event::Guess(Outcome::NoMap)),
    ];

    fn apply(self, event: Event) -> Spawn {
        // What was predicted for one plan says nothing about another.
        let before = Spawn { guess: None, ..self.clone() };
        match event {
            Event::Caller(caller) => Spawn { caller, ..before },
            Event::Toggle(kind) => Spawn { new: self.new.symmetric_difference(kind), ..before },
            Event::Maps(maps) => Spawn { maps, ..before },
            Event::Guess(guess) => Spawn { guess: Some(guess), ..self },
        }
    }

    fn events(&self) -> Vec<&'static str> {
        let mut events = Vec::new();
        events.extend((self.caller == Caller::Root).then_some("root"));
        let changed = self.new.symmetric_difference(Spawn::default().new);
        events.extend(KINDS.iter().filter(|(_, kind, _)| changed.contains(*kind)).map(|(event, ..)| *event));
        events.extend(match self.maps {
            Maps::Single => None,
            Maps::Range => Some("map-range"),
            Maps::All => Some("map-all"),
        });
        let is_guess = |event: &Event| matches!(event, Event::Guess(guess) if Some(*guess) == self.guess);
        events.extend(Self::EVENTS.iter().filter(|(_, event)| is_guess(event)).map(|(word, _)| *word));
        events
    }

    fn controls(&self) -> Vec<Control> {
        let kind = |(event, kind, what): &(&'static str, Namespaces, &str)| {
            choice(event, &format!("{event}: {what}"), self.new.contains(*kind))
        };
        let map = |event, label, maps| choice(event, label, self.maps == maps);
        let guess = |event, label, outcome| choice(event, label, self.guess == Some(outcome));
        let mut controls = vec![
            group(
                "1. Who calls",
                Kind::One,
                vec![
                    choice("ordinary", "user 1000", self.caller == Caller::Ordinary),
                    choice("root", "root", self.caller == Caller::Root),
                ],
            ),
            group("2. New namespaces", Kind::Any, KINDS.iter().map(kind).collect()),
        ];
        if self.new.contains(Namespaces::USER) {
            controls.push(group(
                "3. Ids inside",
                Kind::One,
                vec![
                    map("map-one", "root is the caller", Maps::Single),
                    map("map-range", "and 65,536 more", Maps::Range),
                    map("map-all", "all, as they are", Maps::All),
                ],
            ));
        }
        controls.push(group(
            "What do you expect?",
            Kind::One,
            vec![
                guess("it-runs", "the command runs", Outcome::Runs),
                guess("no-namespaces", "a namespace is refused", Outcome::NoNamespaces),
                guess("no-map", "the id map is refused", Outcome::NoMap),
            ],
        ));
        controls
    }

    fn svg(&self) -> String {
        picture::svg(self)
    }

    fn text(&self) -> Vec<String> {
        words::text(self)
    }

    fn beside(plan: &Plan, kernel: &Kernel) -> Vec<Row> {
        beside::rows(&plan.spawn, kernel)
    }
}
