//! Diagram 3: a file's owner on its way from the disk to a process in a user namespace, and back.

mod choices;
mod picture;
mod words;

use crate::controls::Control;
use crate::diagram::Diagram;
use models::{NOBODY, OwnerRefused, Range, View};
use namespaces::{IdMap, map_text};

/// Which ids the process has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Process {
    /// All of the host's: it is in no user namespace of its own.
    Host,
    /// Root is user 1000, and there is nobody else: the map that everybody may write.
    #[default]
    Own,
    /// A range of ids that nobody has on the host.
    Range,
    /// Root is user 1000, and the others are such a range.
    OwnAndRange,
}

/// What the mount does with owners.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mount {
    /// Nothing.
    #[default]
    Plain,
    /// The ids of a system on the disk are those of the range.
    System,
    /// User 1000 of the disk is the first of the range.
    Folder,
}

/// What the reader expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// Root, 0.
    Root,
    /// Nobody, 65534.
    Nobody,
    /// Another id.
    Other,
}

/// The state.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IdMaps {
    /// The process's map.
    pub process: Process,
    /// The mount's map.
    pub mount: Mount,
    /// The owner of the file that is there, by its place in the list of owners that a reader can choose.
    pub owner: usize,
    /// Whether the process acts as user 33, and not as root.
    pub is_ordinary: bool,
    /// Whom the process sees as the owner, as the reader expects.
    pub guess: Option<Seen>,
}

/// What happens to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// Another map of the process.
    Process(Process),
    /// Another map of the mount.
    Mount(Mount),
    /// Another owner.
    Owner(usize),
    /// As whom the process acts.
    Ordinary(bool),
    /// The reader's prediction.
    Guess(Seen),
}

/// Who may own the file on the disk.
pub(crate) const OWNERS: [u32; 4] = [1000, 0, 100_000, 100_033];

/// The ids that nobody has on the host, as /etc/subuid gives them to a user.
const RANGE: IdMap = IdMap { inside: 0, outside: 100_000, count: 65_536 };

impl IdMaps {
    /// The map of the process, as chapter 02 writes it.
    pub(crate) fn process_map(&self) -> Vec<IdMap> {
        match self.process {
            Process::Host => vec![IdMap::ALL],
            Process::Own => vec![IdMap::root_is(1000)],
            Process::Range => vec![RANGE],
            Process::OwnAndRange => {
                vec![IdMap::root_is(1000), IdMap { inside: 1, outside: 100_000, count: 65_535 }]
            }
        }
    }

    /// The map of the mount, if it has one.
    pub(crate) fn mount_map(&self) -> Option<Vec<IdMap>> {
        match self.mount {
            Mount::Plain => None,
            Mount::System => Some(vec![RANGE]),
            Mount::Folder => Some(vec![IdMap { inside: 1000, outside: 100_000, count: 1 }]),
        }
    }

    /// The owner on the disk.
    pub(crate) fn on_disk(&self) -> u32 {
        OWNERS[self.owner]
    }

    /// As whom the process acts.
    pub(crate) fn who(&self) -> u32 {
        if self.is_ordinary { 33 } else { 0 }
    }

    /// What the kernel answers.
    pub(crate) fn answers(&self) -> Answers {
        let (process, mount) = (ranges(&self.process_map()), self.mount_map().map(|map| ranges(&map)));
        let view = View { process: &process, mount: mount.as_deref() };
        let (who, on_disk) = (self.who(), self.on_disk());
        Answers {
            owner: view.owner(on_disk),
            seen: view.seen(on_disk),
            caller: view.caller(who),
            kept: view.kept(who),
            writes: view.may_write(who, on_disk),
        }
    }
}

/// What the kernel answers in a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Answers {
    /// Who the file's owner is for the kernel.
    pub owner: Option<u32>,
    /// Whom the process sees.
    pub seen: u32,
    /// Who the process is for the kernel.
    pub caller: Option<u32>,
    /// Who owns on the disk what the process makes.
    pub kept: Result<u32, OwnerRefused>,
    /// Whether it may write the file that is there.
    pub writes: Result<(), OwnerRefused>,
}

impl Answers {
    fn kind(self) -> Seen {
        match self.seen {
            0 => Seen::Root,
            NOBODY => Seen::Nobody,
            _ => Seen::Other,
        }
    }
}

fn ranges(map: &[IdMap]) -> Vec<Range> {
    map.iter().map(|range| (range.inside, range.outside, range.count)).collect()
}

/// The lines of a map, as they are written.
pub(crate) fn lines(map: &[IdMap]) -> Vec<String> {
    map_text(map).lines().map(str::to_owned).collect()
}

impl Diagram for IdMaps {
    type Event = Event;
    const NAME: &'static str = "id-maps";
    const TITLE: &'static str = "One file, and whose it is";
    const EVENTS: &'static [(&'static str, Event)] = choices::EVENTS;

    fn apply(mut self, event: Event) -> IdMaps {
        let before = self.clone();
        match event {
            Event::Process(process) => self.process = process,
            Event::Mount(mount) => self.mount = mount,
            Event::Owner(owner) => self.owner = owner,
            Event::Ordinary(is_ordinary) => self.is_ordinary = is_ordinary,
            Event::Guess(seen) => self.guess = Some(seen),
        }
        // What was predicted of one file says nothing about another.
        let of = |state: &IdMaps| (state.process, state.mount, state.owner);
        let is_another = of(&self) != of(&before);
        IdMaps { guess: self.guess.filter(|_| !is_another), ..self }
    }

    fn events(&self) -> Vec<&'static str> {
        choices::events(self)
    }

    fn controls(&self) -> Vec<Control> {
        choices::controls(self)
    }

    fn svg(&self) -> String {
        picture::svg(self)
    }

    fn text(&self) -> Vec<String> {
        words::text(self)
    }
}
