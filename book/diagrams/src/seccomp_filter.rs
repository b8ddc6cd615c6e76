//! Diagram 5: a seccomp filter, step by step: which instructions the kernel executes for a call, and what they answer.

mod choices;
mod path;
mod picture;
mod words;

use crate::controls::Control;
use crate::diagram::Diagram;
pub use choices::{Arguments, By, Made, Whose};
pub use path::Answer;

/// The state.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SeccompFilter {
    /// Whose filter it is.
    pub whose: Whose,
    /// By which architecture the call is made.
    pub by: By,
    /// The call.
    pub made: Made,
    /// Its first argument.
    pub argument: Arguments,
    /// How many instructions were executed.
    pub steps: usize,
    /// What the reader expects.
    pub guess: Option<Answer>,
}

/// What happens to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// Another filter.
    Whose(Whose),
    /// Another architecture.
    By(By),
    /// Another call.
    Made(Made),
    /// Another argument.
    Argument(Arguments),
    /// The next instruction.
    Step,
    /// The one before.
    Back,
    /// All that are left.
    End,
    /// The reader's prediction.
    Guess(Answer),
}

impl Diagram for SeccompFilter {
    type Event = Event;
    const NAME: &'static str = "seccomp-filter";
    const TITLE: &'static str = "A call goes through a filter";
    const EVENTS: &'static [(&'static str, Event)] = choices::EVENTS;

    fn apply(mut self, event: Event) -> SeccompFilter {
        let before = self.clone();
        let last = path::of(&self).len();
        match event {
            Event::Whose(whose) => self.whose = whose,
            Event::By(by) => self.by = by,
            Event::Made(made) => self.made = made,
            Event::Argument(argument) => self.argument = argument,
            Event::Step => self.steps = (self.steps + 1).min(last),
            Event::Back => self.steps = self.steps.saturating_sub(1),
            Event::End => self.steps = last,
            Event::Guess(answer) => self.guess = Some(answer),
        }
        // Another call, or another filter, begins anew.
        let of = |state: &SeccompFilter| (state.whose, state.by, state.made, state.argument);
        if of(&self) != of(&before) {
            self = SeccompFilter { steps: 0, guess: None, ..self };
        }
        self
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
