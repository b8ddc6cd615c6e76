//! Diagram 6: a small tree of cgroups: who gets how much of a processor, whom the kernel kills, and which files are written.

mod choices;
mod picture;
mod plans;
mod words;

use crate::controls::Control;
use crate::diagram::Diagram;
use models::{Shortage, shares, shortage};

/// The groups, from the top: their event, and the one above.
pub(crate) const GROUPS: [(&str, Option<usize>); 4] =
    [("web", None), ("jobs", None), ("one", Some(1)), ("two", Some(1))];

/// The groups that have a process; the other one is above two of them.
pub(crate) const LEAVES: [usize; 3] = [0, 2, 3];

/// What is in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Runs {
    /// There is no such group.
    Absent,
    /// A process that waits.
    Idle,
    /// A process that runs without end.
    #[default]
    Busy,
}

/// A group of the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Settings {
    /// Shares, in Docker's unit; none are not said.
    pub shares: Option<u64>,
    /// The most of the processor, in hundredths.
    pub quota: Option<u32>,
    /// The most memory, in megabytes.
    pub memory: Option<u64>,
    /// What is in it; of no meaning for a group that is above others.
    pub runs: Runs,
    /// Whether its process holds 40 megabytes of memory, and not 8.
    pub holds_much: bool,
}

/// The state.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CgroupTree {
    /// The groups, from the top.
    pub groups: [Settings; 4],
    /// The one that is being changed.
    pub selected: usize,
    /// Whether controllers are bound to version 1.
    pub is_v1: bool,
    /// Whose process asks for memory.
    pub asks: Option<usize>,
    /// Who gets most, as the reader expects.
    pub guess: Option<usize>,
}

/// What happens to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// Another group is to be changed.
    Select(usize),
    /// Shares of the selected one.
    Shares(Option<u64>),
    /// Its quota.
    Quota(Option<u32>),
    /// Its limit of memory.
    Memory(Option<u64>),
    /// What is in it.
    Runs(Runs),
    /// What its process holds.
    Holds(bool),
    /// The version of the files.
    Version(bool),
    /// Whose process asks for memory.
    Asks(Option<usize>),
    /// The reader's prediction.
    Guess(usize),
}

/// Megabytes that a process asks for.
pub(crate) const MORE: u64 = 30;

impl CgroupTree {
    /// Whether a group is there: one that is above others is if one of them is.
    pub fn is_there(&self, one: usize) -> bool {
        let runs = |one: usize| self.groups[one].runs != Runs::Absent;
        if LEAVES.contains(&one) { runs(one) } else { runs(2) || runs(3) }
    }

    /// What each group gets of the processor, in thousandths, by the weights that chapter 03 writes.
    pub fn shares(&self) -> Vec<u32> {
        let group = |one: usize| models::Group {
            parent: GROUPS[one].1,
            weight: self.weight(one),
            quota: self.groups[one].quota.filter(|_| self.is_there(one)).map(|percent| percent * 10),
            is_busy: LEAVES.contains(&one) && self.groups[one].runs == Runs::Busy,
        };
        shares(&(0..GROUPS.len()).map(group).collect::<Vec<_>>())
    }

    /// Megabytes that the process of a group holds.
    pub fn held(&self, one: usize) -> Option<u64> {
        let is_process = LEAVES.contains(&one) && self.is_there(one);
        is_process.then_some(if self.groups[one].holds_much { 40 } else { 8 })
    }

    /// Who is killed when the process that asks gets more memory.
    pub fn shortage(&self) -> Option<Shortage> {
        let asks = self.asks.filter(|one| self.is_there(*one))?;
        let memory = |one: usize| models::Memory {
            parent: GROUPS[one].1,
            limit: self.groups[one].memory,
            held: self.held(one),
        };
        shortage(&(0..GROUPS.len()).map(memory).collect::<Vec<_>>(), asks, MORE)
    }

    /// Whether no other leaf gets more.
    pub fn gets_most(&self, one: usize) -> bool {
        let shares = self.shares();
        shares[one] > 0 && LEAVES.iter().all(|other| shares[*other] <= shares[one])
    }

    fn select(&mut self) -> &mut Settings {
        &mut self.groups[self.selected]
    }
}

/// The group's name with the one above it.
pub(crate) fn path(one: usize) -> String {
    let (name, above) = GROUPS[one];
    above.map_or(name.to_owned(), |above| format!("{}/{name}", GROUPS[above].0))
}

impl Diagram for CgroupTree {
    type Event = Event;
    const NAME: &'static str = "cgroup-tree";
    const TITLE: &'static str = "A tree of groups, and who gets how much";
    const EVENTS: &'static [(&'static str, Event)] = choices::EVENTS;

    fn apply(mut self, event: Event) -> CgroupTree {
        let before = self.clone();
        match event {
            Event::Select(one) => self.selected = one,
            Event::Shares(shares) => self.select().shares = shares,
            Event::Quota(quota) => self.select().quota = quota,
            Event::Memory(memory) => self.select().memory = memory,
            Event::Runs(runs) if LEAVES.contains(&self.selected) => self.select().runs = runs,
            Event::Holds(much) if LEAVES.contains(&self.selected) => self.select().holds_much = much,
            Event::Runs(_) | Event::Holds(_) => {}
            Event::Version(is_v1) => self.is_v1 = is_v1,
            Event::Asks(one) => self.asks = one,
            Event::Guess(one) => self.guess = Some(one),
        }
        // What was predicted for one tree says nothing about another.
        let is_another = self.groups != before.groups || self.is_v1 != before.is_v1;
        CgroupTree { guess: self.guess.filter(|_| !is_another), ..self }
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
