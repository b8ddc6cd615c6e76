//! The glossary: `[[term]]` in a page becomes a link that shows what the term means.

use crate::highlight::escape;
use crate::{Defect, Page};
use std::collections::BTreeMap;
use std::path::Path;

/// The page whose headings are the terms, and whose first paragraphs say what they mean.
const PAGE: &str = "glossary.md";

/// Every term, in lower case, with what it means.
#[derive(Debug, Default)]
pub struct Glossary(BTreeMap<String, String>);

impl Glossary {
    /// Reads the glossary's page, if the book has one.
    pub fn read(pages: &[Page]) -> Glossary {
        let mut terms = BTreeMap::<String, String>::new();
        let mut term = None;
        let page = pages.iter().find(|page| page.path == Path::new(PAGE));
        for line in page.map_or("", |page| page.text.as_str()).lines() {
            if let Some(heading) = line.strip_prefix("## ") {
                term = Some(heading.trim().to_lowercase());
            } else if let Some(name) = &term {
                let meaning = terms.entry(name.clone()).or_default();
                if line.trim().is_empty() && !meaning.is_empty() {
                    term = None;
                } else if !line.trim().is_empty() {
                    meaning.push_str(if meaning.is_empty() { "" } else { " " });
                    meaning.push_str(line.trim());
                }
            }
        }
        Glossary(terms)
    }

    /// A line of a page with its terms linked: `[[term]]`, or `[[words|term]]`.
    pub fn link(&self, page: &Page, line: usize, text: &str) -> Result<String, Defect> {
        let (mut linked, mut in_code) = (String::new(), false);
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let term = rest.strip_prefix("[[").filter(|_| !in_code).and_then(|rest| rest.split_once("]]"));
            if let Some((inner, after)) = term {
                linked.push_str(&self.anchor(inner).ok_or_else(|| {
                    page.defect(
                        line,
                        format!("[[{inner}]] is not in the glossary: explain it in book/src/{PAGE}"),
                    )
                })?);
                rest = after;
            } else {
                in_code ^= first == '`';
                linked.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
        Ok(linked)
    }

    fn anchor(&self, inner: &str) -> Option<String> {
        let (words, term) = inner.split_once('|').unwrap_or((inner, inner));
        let term = term.trim().to_lowercase();
        let names = [term.as_str(), term.strip_suffix('s').unwrap_or(&term)];
        let (term, meaning) = names.iter().find_map(|name| self.0.get_key_value(*name))?;
        let id = term.replace(' ', "-");
        let meaning = escape(&meaning.replace(['`', '*'], "").replace("[[", "").replace("]]", ""));
        Some(format!("<a class=\"term\" href=\"glossary.html#{id}\" data-meaning=\"{meaning}\">{words}</a>"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(path: &str, text: &str) -> Page {
        Page { path: path.into(), title: String::new(), text: text.into() }
    }

    #[test]
    fn terms_are_linked_with_their_meaning() {
        let glossary =
            page("glossary.md", "# Glossary\n\n## bind mount\n\nA *folder*\nelsewhere.\n\nMore.\n");
        let glossary = Glossary::read(&[glossary]);
        let linked =
            glossary.link(&page("a.md", ""), 1, "Two [[bind mounts]], `[[code]]`, [[bound|bind mount]].");
        insta::assert_snapshot!(linked.unwrap(), @r#"Two <a class="term" href="glossary.html#bind-mount" data-meaning="A folder elsewhere.">bind mounts</a>, `[[code]]`, <a class="term" href="glossary.html#bind-mount" data-meaning="A folder elsewhere.">bound</a>."#);
    }

    #[test]
    fn an_unknown_term_is_a_defect() {
        let defect = Glossary::default().link(&page("a.md", ""), 7, "[[nothing]]").unwrap_err();
        assert_eq!(
            defect.to_string(),
            "book/src/a.md:7: [[nothing]] is not in the glossary: explain it in book/src/glossary.md"
        );
    }
}
