//! Diagram 2: the mount plan, and who sees what is mounted later.

mod beside;
mod picture;
mod steps;
mod words;
mod world;

use crate::controls::{Control, Kind, choice, group};
use crate::diagram::Diagram;
use crate::live::{Kernel, Plan, Row};
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MountPlan {
    /// The root is an overlay of layers, not a folder.
    pub layers: bool,
    /// The root cannot be written.
    pub read_only: bool,
    /// An ordinary user makes it.
    pub rootless: bool,
    /// The host's /srv is bound to /data, with this propagation.
    pub bind: Option<&'static str>,
    /// How many lines of the plan are carried out; all of them if it is not said.
    pub done: Option<usize>,
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
    /// So many lines of the plan.
    After(usize),
    /// One line more; from the end, the beginning.
    On,
    /// One line less.
    Back,
    /// A mount, later.
    Mount(Side),
    /// The reader's prediction.
    Guess(bool),
}

impl MountPlan {
    /// The plan's lines, each with the number of steps up to its end.
    pub(crate) fn lines(&self) -> Vec<(String, usize)> {
        steps::lines(&chroot::plan(&root_spec(self)))
    }

    /// Not beyond the end of a plan that became shorter.
    fn in_plan(mut self) -> MountPlan {
        let lines = self.lines().len();
        self.done = self.done.filter(|done| *done < lines);
        self
    }

    /// The steps that are carried out.
    pub fn steps_done(&self) -> Vec<chroot::MountOp> {
        let mut plan = chroot::plan(&root_spec(self));
        if let Some(done) = self.done {
            plan.truncate(done.checked_sub(1).map_or(0, |last| self.lines()[last].1));
        }
        plan
    }
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
        ("on", Event::On),
        ("back", Event::Back),
        ("after-0", Event::After(0)),
        ("after-1", Event::After(1)),
        ("after-2", Event::After(2)),
        ("after-3", Event::After(3)),
        ("after-4", Event::After(4)),
        ("after-5", Event::After(5)),
        ("after-6", Event::After(6)),
        ("after-7", Event::After(7)),
        ("after-8", Event::After(8)),
        ("after-9", Event::After(9)),
        ("after-10", Event::After(10)),
        ("after-11", Event::After(11)),
        ("on-host", Event::Mount(Side::Host)),
        ("inside", Event::Mount(Side::Inside)),
        ("both", Event::Guess(true)),
        ("one", Event::Guess(false)),
    ];

    fn apply(self, event: Event) -> MountPlan {
        // What was predicted for one plan says nothing about another.
        let before = MountPlan { guess: None, ..self };
        let lines = self.lines().len();
        match event {
            Event::Layers => MountPlan { layers: !self.layers, ..before },
            Event::ReadOnly => MountPlan { read_only: !self.read_only, ..before }.in_plan(),
            Event::Rootless => MountPlan { rootless: !self.rootless, ..before },
            Event::Bind(None) => MountPlan { bind: None, mounted: None, ..before }.in_plan(),
            Event::Bind(bind) => MountPlan { bind, ..before },
            // Nothing is mounted later before the plan is carried out.
            Event::After(done) if done < lines => MountPlan { done: Some(done), mounted: None, ..before },
            Event::After(_) => MountPlan { done: None, ..before },
            Event::On => self.apply(Event::After(self.done.map_or(0, |done| done + 1))),
            Event::Back => self.apply(Event::After(self.done.unwrap_or(lines).saturating_sub(1))),
            // Without the bind there is no /data, and nothing that could be seen on both sides.
            Event::Mount(side) => {
                let bind = Some(self.bind.unwrap_or("rprivate"));
                MountPlan { mounted: Some(side), bind, done: None, ..before }
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
        let is_done = |event: &Event| matches!(event, Event::After(done) if Some(*done) == self.done);
        events.extend(Self::EVENTS.iter().filter(|(_, event)| is_done(event)).map(|(word, _)| *word));
        events.extend(self.mounted.map(|side| if side == Side::Host { "on-host" } else { "inside" }));
        events.extend(self.guess.map(|both| if both { "both" } else { "one" }));
        events
    }

    fn controls(&self) -> Vec<Control> {
        let bind = |event, label| choice(event, label, self.bind == Some(event));
        let mut controls = vec![
            group(
                "1. The root is",
                Kind::Any,
                vec![
                    choice("layers", "made of layers", self.layers),
                    choice("read-only", "read-only", self.read_only),
                    choice("rootless", "made by an ordinary user", self.rootless),
                ],
            ),
            group(
                "2. The host's /srv is bound to /data",
                Kind::One,
                vec![
                    choice("no-bind", "not at all", self.bind.is_none()),
                    bind("rprivate", "rprivate, as Docker does"),
                    bind("rslave", "rslave"),
                    bind("rshared", "rshared"),
                ],
            ),
            group(
                "3. The plan is carried out",
                Kind::Act,
                vec![
                    choice("back", "step back", false),
                    choice("on", if self.done.is_some() { "next step" } else { "from the beginning" }, false),
                ],
            ),
            group(
                "4. The container runs, and a disk is mounted",
                Kind::One,
                vec![
                    choice("on-host", "on the host's /srv/new", self.mounted == Some(Side::Host)),
                    choice("inside", "on the container's /data/new", self.mounted == Some(Side::Inside)),
                ],
            ),
        ];
        if let Some(side) = self.mounted {
            let alone = if side == Side::Host { "the host alone" } else { "the container alone" };
            controls.push(group(
                "5. What do you expect: who sees it?",
                Kind::One,
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

    fn beside(plan: &Plan, kernel: &Kernel) -> Vec<Row> {
        beside::rows(&plan.root, &kernel.mountinfo)
    }
}
