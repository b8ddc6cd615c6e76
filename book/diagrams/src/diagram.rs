//! What every diagram is, and what a page shows of it.

use crate::controls::{self, Control};
use crate::drawing::escaped;
use crate::live::{Kernel, Plan, Row};

/// A diagram, as its state.
pub trait Diagram: Clone + Default + PartialEq {
    /// What happens to it.
    type Event: Copy + 'static;
    /// What a page calls it: `<coracle-diagram name="…">`.
    const NAME: &'static str;
    /// Its heading.
    const TITLE: &'static str;
    /// The words of all events, as controls and drawing carry them.
    const EVENTS: &'static [(&'static str, Self::Event)];

    /// The state after an event.
    fn apply(self, event: Self::Event) -> Self;
    /// The events that lead here from the beginning: what a link to this state says.
    fn events(&self) -> Vec<&'static str>;
    /// What the reader can do.
    fn controls(&self) -> Vec<Control>;
    /// The drawing.
    fn svg(&self) -> String;
    /// The same in words; the first line is the answer, or the question.
    fn text(&self) -> Vec<String>;
    /// A container's plan beside what the kernel reports of it; nothing, where a diagram is of no container.
    fn beside(_plan: &Plan, _kernel: &Kernel) -> Vec<Row> {
        Vec::new()
    }

    /// The event of a word; `None` for what is none.
    fn event(word: &str) -> Option<Self::Event> {
        Self::EVENTS.iter().find(|(other, _)| *other == word).map(|(_, event)| *event)
    }

    /// A state in a link's words; what is no event is passed over, so that an old link still shows something.
    fn link(&self) -> String {
        self.events().join(".")
    }

    /// The state that a link names.
    fn from_link(link: &str) -> Self {
        link.split('.').filter_map(Self::event).fold(Self::default(), Self::apply)
    }
}

/// The link of the state after an event; `reset` goes back to the beginning.
pub fn next<D: Diagram>(link: &str, event: &str) -> String {
    let state = if event == "reset" { D::default() } else { D::from_link(link) };
    D::event(event).into_iter().fold(state, D::apply).link()
}

/// What an element shows. Without controls it is the still: the first paint, a print, a page without scripts.
pub fn content<D: Diagram>(link: &str, is_still: bool) -> String {
    let (name, state) = (D::NAME, D::from_link(link));
    let mut html = format!("<figure class=\"diagram\"><figcaption>{}</figcaption>", D::TITLE);
    if !is_still {
        html.push_str(&controls::html(name, &state.controls(), &state.link()));
    }
    html.push_str(&format!("<div class=\"drawing\">{}</div>", state.svg()));
    html.push_str(&format!("<div class=\"words\" id=\"{name}-words\" aria-live=\"polite\">"));
    for line in state.text() {
        html.push_str(&format!("<p>{}</p>", escaped(&line)));
    }
    html + "</div></figure>"
}
