//! What a reader searches: the sections of all pages, as a script that the page loads when it is needed. No server, no fetch.

use crate::page::Piece;
use crate::{Page, links, prose};
use pulldown_cmark::{Event, Parser, Tag, TagEnd};
use serde_json::json;

/// A part of a page below one heading.
#[derive(Debug, Default, PartialEq, Eq)]
struct Section {
    id: String,
    title: String,
    text: String,
}

/// The script: `coracleSections = [[address, title, text], …]`.
pub fn index(pages: &[Page]) -> String {
    let mut entries = Vec::new();
    for page in pages {
        for section in sections(page) {
            let address = format!("{}#{}", page.address(), section.id);
            let title = if section.title == page.title {
                section.title
            } else {
                format!("{}: {}", page.title, section.title)
            };
            entries.push(json!([
                address,
                title,
                section.text.split_whitespace().collect::<Vec<_>>().join(" ")
            ]));
        }
    }
    format!("window.coracleSections = {};\n", serde_json::Value::from(entries))
}

fn sections(page: &Page) -> Vec<Section> {
    let text = with_items(page);
    let mut sections = vec![Section::default()];
    let mut in_heading = false;
    for event in Parser::new_ext(&text, prose::options()) {
        let last = sections.len() - 1;
        match event {
            Event::Start(Tag::Heading { .. }) => {
                sections.push(Section::default());
                in_heading = true;
            }
            Event::End(TagEnd::Heading(_)) => {
                sections[last].id = links::id(&sections[last].title);
                in_heading = false;
            }
            Event::Text(words) | Event::Code(words) if in_heading => sections[last].title.push_str(&words),
            Event::Text(words) | Event::Code(words) => sections[last].text.push_str(&words),
            Event::SoftBreak | Event::End(_) => sections[last].text.push(' '),
            _ => {}
        }
    }
    sections.retain(|section| !section.id.is_empty());
    sections
}

/// The page's text with the names of the items that it shows, so that a function is found by its name.
fn with_items(page: &Page) -> String {
    let shown = |piece: &Piece| match piece {
        Piece::Line(_, line) => line.replace("[[", "").replace("]]", ""),
        Piece::Directive(directive) if directive.name == "item" => {
            let names = directive.arguments.iter().filter(|name| *name != "plain" && !name.ends_with('*'));
            names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" ")
        }
        Piece::Directive(_) => String::new(),
    };
    page.pieces().unwrap_or_default().iter().map(shown).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_holds_prose_and_the_names_of_its_items() {
        let text =
            "# One\n\nSome [[words]] and `code`.\n\n{{#item one::add plain}}\n\n## Two *parts*\n\nMore.\n";
        let page = Page { path: "one.md".into(), title: "One".into(), text: text.into() };
        assert_eq!(
            index(&[page]),
            "window.coracleSections = [[\"one.html#one\",\"One\",\"Some words and code. one::add\"],[\"one.html#two-parts\",\"One: Two parts\",\"More.\"]];\n"
        );
    }
}
