//! What the reader can choose, and the words for it in a link.

use super::{Answer, Event, SeccompFilter};
use crate::controls::{Choice, Control, Kind, choice, group};
use privileges::seccomp::Arch;

/// Whose filter it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Whose {
    /// One of a few rules.
    #[default]
    Small,
    /// What a container has by default.
    Docker,
}

/// By which architecture a call is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum By {
    /// That of the machine.
    #[default]
    X86_64,
    /// A program of 32 bits.
    I386,
    /// The odd one.
    X32,
}

/// The call that is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Made {
    /// Everybody reads.
    Read,
    /// No container mounts.
    #[default]
    Mount,
    /// It depends on the flags.
    Clone,
    /// The flags cannot be seen.
    Clone3,
    /// It depends on the value.
    Personality,
    /// One that is newer than the profile.
    New,
}

/// The first argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Arguments {
    /// Nothing.
    #[default]
    Zero,
    /// What a thread is made with.
    Thread,
    /// A user namespace.
    Namespace,
    /// A bit that only the upper half has.
    High,
}

pub const EVENTS: &[(&str, Event)] = &[
    ("small", Event::Whose(Whose::Small)),
    ("docker", Event::Whose(Whose::Docker)),
    ("x86-64", Event::By(By::X86_64)),
    ("i386", Event::By(By::I386)),
    ("x32", Event::By(By::X32)),
    ("read", Event::Made(Made::Read)),
    ("mount", Event::Made(Made::Mount)),
    ("clone", Event::Made(Made::Clone)),
    ("clone3", Event::Made(Made::Clone3)),
    ("personality", Event::Made(Made::Personality)),
    ("new", Event::Made(Made::New)),
    ("zero", Event::Argument(Arguments::Zero)),
    ("thread", Event::Argument(Arguments::Thread)),
    ("namespace", Event::Argument(Arguments::Namespace)),
    ("high", Event::Argument(Arguments::High)),
    ("allowed", Event::Guess(Answer::Allowed)),
    ("eperm", Event::Guess(Answer::Refused)),
    ("enosys", Event::Guess(Answer::Unknown)),
    ("killed", Event::Guess(Answer::Killed)),
    ("step", Event::Step),
    ("back", Event::Back),
    ("end", Event::End),
];

impl By {
    /// As the compiler names it.
    pub fn arch(self) -> Arch {
        match self {
            By::X86_64 => Arch::X86_64,
            By::I386 => Arch::I386,
            By::X32 => Arch::X32,
        }
    }
}

impl Made {
    /// Its name; none for one that no table has.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Made::Read => Some("read"),
            Made::Mount => Some("mount"),
            Made::Clone => Some("clone"),
            Made::Clone3 => Some("clone3"),
            Made::Personality => Some("personality"),
            Made::New => None,
        }
    }
}

impl Arguments {
    /// Its value.
    pub fn value(self) -> u64 {
        match self {
            Arguments::Zero => 0,
            Arguments::Thread => 0x003d_0f00,
            Arguments::Namespace => 0x1000_0000,
            Arguments::High => 0x1_0000_0000,
        }
    }
}

/// The word of an event.
fn word(event: Event) -> &'static str {
    EVENTS.iter().find(|(_, other)| *other == event).map_or("", |(word, _)| word)
}

/// The shortest way to a state.
pub fn events(state: &SeccompFilter) -> Vec<&'static str> {
    let begin = SeccompFilter::default();
    let chosen = [
        (state.whose != begin.whose).then_some(Event::Whose(state.whose)),
        (state.by != begin.by).then_some(Event::By(state.by)),
        (state.made != begin.made).then_some(Event::Made(state.made)),
        (state.argument != begin.argument).then_some(Event::Argument(state.argument)),
        state.guess.map(Event::Guess),
    ];
    let steps = std::iter::repeat_n(Event::Step, state.steps);
    chosen.into_iter().flatten().chain(steps).map(word).collect()
}

pub fn controls(state: &SeccompFilter) -> Vec<Control> {
    let one = |legend, label: fn(&Event) -> Option<&'static str>| {
        let choices: Vec<Choice> = EVENTS
            .iter()
            .filter_map(|(word, event)| label(event).map(|label| choice(word, label, is_on(state, *event))))
            .collect();
        group(legend, Kind::One, choices)
    };
    vec![
        one("Whose filter", |event| match event {
            Event::Whose(Whose::Small) => Some("a small one"),
            Event::Whose(Whose::Docker) => Some("Docker's default"),
            _ => None,
        }),
        one("The call", |event| match event {
            Event::Made(made) => Some(made.name().unwrap_or("a new one")),
            _ => None,
        }),
        one("Its first argument", |event| match event {
            Event::Argument(argument) => Some(argument.label()),
            _ => None,
        }),
        one("Made as", |event| match event {
            Event::By(by) => Some(by.label()),
            _ => None,
        }),
        one("What will become of it?", |event| match event {
            Event::Guess(answer) => Some(answer.label()),
            _ => None,
        }),
        group(
            "Execute",
            Kind::Act,
            vec![
                choice("step", "One instruction", false),
                choice("back", "One back", false),
                choice("end", "To the answer", false),
            ],
        ),
    ]
}

fn is_on(state: &SeccompFilter, event: Event) -> bool {
    match event {
        Event::Whose(whose) => state.whose == whose,
        Event::By(by) => state.by == by,
        Event::Made(made) => state.made == made,
        Event::Argument(argument) => state.argument == argument,
        Event::Guess(answer) => state.guess == Some(answer),
        Event::Step | Event::Back | Event::End => false,
    }
}

impl Arguments {
    /// What the reader sees.
    pub fn label(self) -> &'static str {
        match self {
            Arguments::Zero => "0",
            Arguments::Thread => "flags of a thread",
            Arguments::Namespace => "CLONE_NEWUSER",
            Arguments::High => "bit 32",
        }
    }
}

impl By {
    /// What the reader sees.
    pub fn label(self) -> &'static str {
        match self {
            By::X86_64 => "x86-64",
            By::I386 => "32-bit x86",
            By::X32 => "x32",
        }
    }
}
