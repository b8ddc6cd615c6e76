//! What the reader can do, as the page's own controls: a keyboard and a screen reader know them already.

use crate::drawing::escaped;

/// A group of controls under one question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Control {
    /// What it decides.
    pub legend: String,
    /// What can be chosen.
    pub choices: Vec<Choice>,
    /// How.
    pub kind: Kind,
}

/// How the choices of a group stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Each for itself.
    Any,
    /// One excludes the others.
    One,
    /// Nothing is chosen: something is done.
    Act,
}

/// One thing that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The event.
    pub event: &'static str,
    /// What the reader sees.
    pub label: String,
    /// Whether it is chosen.
    pub is_on: bool,
}

/// A choice.
pub fn choice(event: &'static str, label: &str, is_on: bool) -> Choice {
    Choice { event, label: label.to_owned(), is_on }
}

/// A group of controls.
pub fn group(legend: &str, kind: Kind, choices: Vec<Choice>) -> Control {
    Control { legend: legend.to_owned(), choices, kind }
}

/// The controls, with a way back and a link.
pub fn html(diagram: &str, controls: &[Control], link: &str) -> String {
    let mut html = String::from("<form class=\"controls\">");
    for (index, control) in controls.iter().enumerate() {
        html.push_str(&format!("<fieldset><legend>{}</legend>", escaped(&control.legend)));
        for Choice { event, label, is_on } in &control.choices {
            let (label, checked) = (escaped(label), if *is_on { " checked" } else { "" });
            let kind = match control.kind {
                Kind::Any => "checkbox",
                Kind::One => "radio",
                Kind::Act => {
                    html.push_str(&format!(
                        "<button type=\"button\" data-event=\"{event}\">{label}</button>"
                    ));
                    continue;
                }
            };
            html.push_str(&format!(
                "<label><input type=\"{kind}\" name=\"{diagram}-{index}\" data-event=\"{event}\"{checked}> {label}</label>"
            ));
        }
        html.push_str("</fieldset>");
    }
    html.push_str("<p class=\"links\"><button type=\"button\" data-event=\"reset\">Reset</button> ");
    html + &format!("<a href=\"#{diagram}={link}\">Link to this state</a></p></form>")
}
