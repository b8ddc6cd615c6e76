//! What the reader can do, as the page's own controls: a keyboard and a screen reader know them already.

use crate::drawing::escaped;

/// A group of controls under one question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Control {
    /// What it decides.
    pub legend: String,
    /// What can be chosen.
    pub choices: Vec<Choice>,
    /// Whether one excludes the others.
    pub is_exclusive: bool,
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

/// The controls, with a way back and a link.
pub fn html(diagram: &str, controls: &[Control], link: &str) -> String {
    let mut html = String::from("<form class=\"controls\">");
    for (index, control) in controls.iter().enumerate() {
        html.push_str(&format!("<fieldset><legend>{}</legend>", escaped(&control.legend)));
        let kind = if control.is_exclusive { "radio" } else { "checkbox" };
        for Choice { event, label, is_on } in &control.choices {
            let checked = if *is_on { " checked" } else { "" };
            html.push_str(&format!(
                "<label><input type=\"{kind}\" name=\"{diagram}-{index}\" data-event=\"{event}\"{checked}> {}</label>",
                escaped(label)
            ));
        }
        html.push_str("</fieldset>");
    }
    html.push_str("<p class=\"links\"><button type=\"button\" data-event=\"reset\">Reset</button> ");
    html + &format!("<a href=\"#{diagram}={link}\">Link to this state</a></p></form>")
}
