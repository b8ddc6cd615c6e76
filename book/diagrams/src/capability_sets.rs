//! Diagram 4: one capability, in the five sets of a thread, on its way through an execve(2).

mod choices;
mod picture;
mod words;

use crate::controls::Control;
use crate::diagram::Diagram;
use models::{Executable, Executed, FileCapabilities, NotPermitted, Sets, Thread, execute};
use privileges::default_capabilities;

/// CAP_NET_RAW, which Docker leaves to a container, and `ping` may need.
pub(crate) const NET_RAW: u64 = 1 << 13;

/// One of a thread's sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Set {
    /// What a file can give, at most.
    Bounding,
    /// What a file may keep.
    Inheritable,
    /// What can be made effective.
    Permitted,
    /// What the kernel checks.
    Effective,
    /// What a file that names nothing keeps.
    Ambient,
}

/// What the file names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// Nothing: it has no such attribute.
    Nothing,
    /// The capability as permitted, or else as inheritable; and the bit that makes it effective at once.
    It {
        /// Whether it gives the capability, and not only keeps it.
        gives: bool,
        /// Whether the bit is set.
        at_once: bool,
    },
}

/// A switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switch {
    /// The file is root's, and its setuid bit is set.
    SetUser,
    /// The thread can get no new privileges.
    NoNewPrivs,
    /// Root is nobody special.
    NoRoot,
}

/// What the new program has of the capability.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Has {
    /// It is effective.
    Effective,
    /// It is permitted, and no more.
    Permitted,
    /// Neither.
    Nothing,
    /// There is no new program.
    Refused,
}

/// The state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapabilitySets {
    /// Whether root executes, and not user 1000.
    pub is_root: bool,
    /// Which sets have the capability: bounding, inheritable, permitted, effective, ambient.
    pub held: [bool; 5],
    /// What the file names.
    pub names: Names,
    /// Which switches are on: setuid, no_new_privs, SECBIT_NOROOT.
    pub switches: [bool; 3],
    /// What the reader expects.
    pub guess: Option<Has>,
}

/// What happens to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// Who executes: whether it is root. The sets are then what chapter 04's binary leaves to them.
    Root(bool),
    /// The capability is put into a set, or taken out of it.
    Turn(Set),
    /// Another file.
    Names(Names),
    /// A switch is turned.
    Switch(Switch),
    /// The reader's prediction.
    Guess(Has),
}

/// The sets, in an order in which each may be changed without changing those before.
pub(crate) const SETS: [(&str, Set); 5] = [
    ("bounding", Set::Bounding),
    ("inheritable", Set::Inheritable),
    ("permitted", Set::Permitted),
    ("effective", Set::Effective),
    ("ambient", Set::Ambient),
];

/// The switches: the event, and what the reader sees.
pub(crate) const SWITCHES: [(&str, Switch, &str); 3] = [
    ("setuid", Switch::SetUser, "the file is setuid root"),
    ("no-new-privs", Switch::NoNewPrivs, "the thread has no_new_privs"),
    ("no-root", Switch::NoRoot, "and SECBIT_NOROOT"),
];

impl Default for CapabilitySets {
    fn default() -> CapabilitySets {
        CapabilitySets {
            is_root: false,
            held: left_to(false),
            names: Names::It { gives: true, at_once: true },
            switches: [false; 3],
            guess: None,
        }
    }
}

/// Where the chapter's binary leaves the capability: root has it at once, another user may get it from a file.
fn left_to(is_root: bool) -> [bool; 5] {
    [true, false, is_root, is_root, false]
}

/// Puts the capability into a set, or takes it out. What is effective is permitted, and what is ambient is inheritable as well: the
/// kernel keeps it so, and the other sets follow.
fn turned(mut held: [bool; 5], set: Set) -> [bool; 5] {
    let is_on = !held[set as usize];
    held[set as usize] = is_on;
    let followers: &[Set] = match (set, is_on) {
        (Set::Effective, true) => &[Set::Permitted],
        (Set::Ambient, true) => &[Set::Permitted, Set::Inheritable],
        (Set::Permitted, false) => &[Set::Effective, Set::Ambient],
        (Set::Inheritable, false) => &[Set::Ambient],
        _ => &[],
    };
    for follower in followers {
        held[*follower as usize] = is_on;
    }
    held
}

impl CapabilitySets {
    pub(crate) fn is_on(&self, switch: Switch) -> bool {
        self.switches[switch as usize]
    }

    /// The thread before: Docker's other capabilities are where the binary leaves them.
    pub(crate) fn thread(&self) -> Thread {
        let others = default_capabilities().0 & !NET_RAW;
        let set = |set: Set, others: u64| others | if self.held[set as usize] { NET_RAW } else { 0 };
        let own = if self.is_root { others } else { 0 };
        let sets = Sets {
            bounding: set(Set::Bounding, others),
            inheritable: set(Set::Inheritable, 0),
            ambient: set(Set::Ambient, 0),
            permitted: set(Set::Permitted, own),
            effective: set(Set::Effective, own),
        };
        Thread {
            user: if self.is_root { 0 } else { 1000 },
            sets,
            no_root: self.is_on(Switch::NoRoot),
            no_new_privs: self.is_on(Switch::NoNewPrivs),
        }
    }

    /// The file.
    pub(crate) fn file(&self) -> Executable {
        let names = match self.names {
            Names::Nothing => None,
            Names::It { gives: true, at_once } => {
                Some(FileCapabilities { permitted: NET_RAW, inheritable: 0, is_effective: at_once })
            }
            Names::It { gives: false, at_once } => {
                Some(FileCapabilities { permitted: 0, inheritable: NET_RAW, is_effective: at_once })
            }
        };
        Executable { names, set_user: self.is_on(Switch::SetUser).then_some(0) }
    }

    /// What the kernel makes of both.
    pub(crate) fn executed(&self) -> Result<Executed, NotPermitted> {
        execute(&self.thread(), &self.file())
    }
}

/// What a new program has of the capability.
pub(crate) fn has(executed: Result<Executed, NotPermitted>) -> Has {
    match executed.map(|new| new.sets) {
        Err(NotPermitted) => Has::Refused,
        Ok(sets) if sets.effective & NET_RAW != 0 => Has::Effective,
        Ok(sets) if sets.permitted & NET_RAW != 0 => Has::Permitted,
        Ok(_) => Has::Nothing,
    }
}

/// Sets as /proc/PID/status has them.
pub(crate) fn status(sets: &Sets) -> [(&'static str, u64); 5] {
    [
        ("CapInh", sets.inheritable),
        ("CapPrm", sets.permitted),
        ("CapEff", sets.effective),
        ("CapBnd", sets.bounding),
        ("CapAmb", sets.ambient),
    ]
}

impl Diagram for CapabilitySets {
    type Event = Event;
    const NAME: &'static str = "capability-sets";
    const TITLE: &'static str = "CAP_NET_RAW on its way through execve";
    const EVENTS: &'static [(&'static str, Event)] = choices::EVENTS;

    fn apply(self, event: Event) -> CapabilitySets {
        // What was predicted of one file says nothing about another.
        let before = CapabilitySets { guess: None, ..self.clone() };
        match event {
            Event::Root(is_root) => CapabilitySets { is_root, held: left_to(is_root), ..before },
            Event::Turn(set) => CapabilitySets { held: turned(self.held, set), ..before },
            Event::Names(names) => CapabilitySets { names, ..before },
            Event::Switch(switch) => {
                let mut switches = self.switches;
                switches[switch as usize] = !switches[switch as usize];
                CapabilitySets { switches, ..before }
            }
            Event::Guess(has) => CapabilitySets { guess: Some(has), ..self },
        }
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
