//! Diagram 2: the mount plan, and who sees what is mounted later.

mod picture;
mod steps;
mod words;
mod world;

use crate::controls::{Control, choice};
use crate::diagram::Diagram;
pub(crate) use world::Later;
pub use world::{carried_out, root_spec};

/// Where something is mounted once the container runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// On /srv/new, by the host.
    Host,
    /// On /data/new, by a process in the container.
    Inside,
}

/// The state.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MountPlan {
    /// The root is an overlay of layers, not a folder.
    pub layers: bool,
    /// The root cannot be written.
    pub read_only: bool,
    /// An ordinary user makes it.
    pub rootless: bool,
    /// The host's /srv is bound to /data, with this propagation.
    pub bind: Option<&'static str>,
    /// Something is mounted later.
    pub mounted: Option<Side>,
    /// Whether the reader thinks that the other side sees it.
    pub guess: Option<bool>,
}

/// What happens to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// Folder or layers.
    Layers,
    /// Read-only or not.
    ReadOnly,
    /// Root or an ordinary user.
    Rootless,
    /// A bind, or none.
    Bind(Option<&'static str>),
    /// A mount, later.
    Mount(Side),
    /// The reader's prediction.
    Guess(bool),
}

impl Diagram for MountPlan {
    type Event = Event;
    const NAME: &'static str = "mount-plan";
    const TITLE: &'static str = "A mount plan, and who sees what is mounted later";
    const EVENTS: &'static [(&'static str, Event)] = &[
        ("layers", Event::Layers),
        ("read-only", Event::ReadOnly),
        ("rootless", Event::Rootless),
        ("no-bind", Event::Bind(None)),
        ("rprivate", Event::Bind(Some("rprivate"))),
        ("rslave", Event::Bind(Some("rslave"))),
        ("rshared", Event::Bind(Some("rshared"))),
        ("on-host", Event::Mount(Side::Host)),
        ("inside", Event::Mount(Side::Inside)),
        ("both", Event::Guess(true)),
        ("one", Event::Guess(false)),
    ];

    fn apply(self, event: Event) -> MountPlan {
        // What was predicted for one plan says nothing about another.
        let before = MountPlan { guess: None, ..self.clone() };
        match event {
            Event::Layers => MountPlan { layers: !self.layers, ..before },
            Event::ReadOnly => MountPlan { read_only: !self.read_only, ..before },
            Event::Rootless => MountPlan { rootless: !self.rootless, ..before },
            Event::Bind(None) => MountPlan { bind: None, mounted: None, ..before },
            Event::Bind(bind) => MountPlan { bind, ..before },
            // Without the bind there is no /data, and nothing that could be seen on both sides.
            Event::Mount(side) => {
                MountPlan { mounted: Some(side), bind: Some(self.bind.unwrap_or("rprivate")), ..before }
            }
            Event::Guess(guess) => MountPlan { guess: self.mounted.map(|_| guess), ..self },
        }
    }

    fn events(&self) -> Vec<&'static str> {
        let mut events = Vec::new();
        events.extend(self.layers.then_some("layers"));
        events.extend(self.read_only.then_some("read-only"));
        events.extend(self.rootless.then_some("rootless"));
        events.extend(self.bind);
        events.extend(self.mounted.map(|side| if side == Side::Host { "on-host" } else { "inside" }));
        events.extend(self.guess.map(|both| if both { "both" } else { "one" }));
        events
    }

    fn controls(&self) -> Vec<Control> {
        let group = |legend: &str, is_exclusive, choices| Control {
            legend: legend.to_owned(),
            choices,
            is_exclusive,
        };
        let bind = |event, label| choice(event, label, self.bind == Some(event));
        let mut controls = vec![
            group(
                "1. The root is",
                false,
                vec![
                    choice("layers", "made of layers", self.layers),
                    choice("read-only", "read-only", self.read_only),
                    choice("rootless", "made by an ordinary user", self.rootless),
                ],
            ),
            group(
                "2. The host's /srv is bound to /data",
                true,
                vec![
                    choice("no-bind", "not at all", self.bind.is_none()),
                    bind("rprivate", "rprivate, as Docker does"),
                    bind("rslave", "rslave"),
                    bind("rshared", "rshared"),
                ],
            ),
            group(
                "3. The container runs, and a disk is mounted",
                true,
                vec![
                    choice("on-host", "on the host's /srv/new", self.mounted == Some(Side::Host)),
                    choice("inside", "on the container's /data/new", self.mounted == Some(Side::Inside)),
                ],
            ),
        ];
        if let Some(side) = self.mounted {
            let alone = if side == Side::Host { "the host alone" } else { "the container alone" };
            controls.push(group(
                "4. What do you expect: who sees it?",
                true,
                vec![
                    choice("both", "host and container", self.guess == Some(true)),
                    choice("one", alone, self.guess == Some(false)),
                ],
            ));
        }
        controls
    }

    fn svg(&self) -> String {
        picture::svg(self)
    }

    fn text(&self) -> Vec<String> {
        words::text(self)
    }
}
