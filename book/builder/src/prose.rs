//! Prose: no code that nobody compiled, no sentence that is out of breath, one spelling.

use crate::{Defect, Page};
use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

/// A sentence with more words than this is two.
const LONGEST_SENTENCE: usize = 40;

/// How we do not write, and how we do.
const SPELLING: &[(&str, &str)] = &[
    ("filesystem", "file system"),
    ("filesystems", "file systems"),
    ("syscall", "system call"),
    ("syscalls", "system calls"),
    ("rootfs folder", "root file system"),
    ("symlink", "symbolic link"),
    ("symlinks", "symbolic links"),
    ("hostname", "host name"),
    ("behavior", "behaviour"),
    ("color", "colour"),
    ("utilize", "use"),
    ("leverage", "use"),
    ("simply", "(nothing: what is simple need not be called so)"),
    ("obviously", "(nothing: what is obvious need not be said)"),
    ("just", "only, or nothing"),
    ("basically", "(nothing)"),
    ("under the hood", "what it does, by name"),
];

/// What mdBook reads beyond plain Markdown; `[[…]]` is ours.
pub fn options() -> Options {
    Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES | Options::ENABLE_STRIKETHROUGH
}

/// A page's text without its directives, line for line.
pub fn without_directives(page: &Page) -> String {
    let blank = |line: &str| if line.trim().starts_with("{{#") { String::new() } else { line.to_string() };
    page.text.lines().map(blank).collect::<Vec<_>>().join("\n")
}

/// Everything that is wrong with a page's prose.
pub fn check(page: &Page) -> Vec<Defect> {
    let text = without_directives(page);
    let line_of = |offset: usize| text[..offset].matches('\n').count() + 1;
    let mut defects = Vec::new();
    let mut block: Vec<(usize, String)> = Vec::new();
    let mut in_code = false;
    for (event, range) in Parser::new_ext(&text, options()).into_offset_iter() {
        let line = line_of(range.start);
        match event {
            Event::Start(Tag::CodeBlock(kind)) => {
                in_code = true;
                defects.push(page.defect(line, fence(&kind)));
            }
            Event::End(TagEnd::CodeBlock) => in_code = false,
            Event::Html(_) | Event::InlineHtml(_) => {
                let remedy =
                    "HTML in a page could hold code that nobody compiled: write Markdown, or a directive";
                defects.push(page.defect(line, remedy));
            }
            Event::Text(words) if !in_code => block.push((line, words.to_string())),
            Event::Code(_) => block.push((line, "code".into())),
            Event::SoftBreak | Event::HardBreak => block.push((line, " ".into())),
            Event::End(TagEnd::Paragraph | TagEnd::Heading(_) | TagEnd::Item | TagEnd::TableCell) => {
                defects.extend(check_block(page, &std::mem::take(&mut block)));
            }
            _ => {}
        }
    }
    defects
}

fn fence(kind: &CodeBlockKind) -> String {
    let what = if matches!(kind, CodeBlockKind::Fenced(_)) { "a fence" } else { "an indented block" };
    format!(
        "{what} holds code that nobody compiled: use {{{{#item …}}}}, {{{{#anchor …}}}} or {{{{#transcript …}}}}"
    )
}

/// One paragraph, heading, item or cell.
fn check_block(page: &Page, block: &[(usize, String)]) -> Vec<Defect> {
    let mut defects = Vec::new();
    let (mut words, mut begin) = (0, None);
    for (line, text) in block {
        begin = begin.or((!text.trim().is_empty()).then_some(*line));
        defects.extend(spelling(text).map(|remedy| page.defect(*line, remedy)));
        for piece in text.split_inclusive(['.', '?', '!', ':', ';']) {
            words += piece.split_whitespace().filter(|word| word.contains(char::is_alphanumeric)).count();
            if piece.ends_with(['.', '?', '!', ':', ';']) {
                defects.extend(too_long(words).map(|remedy| page.defect(begin.unwrap_or(*line), remedy)));
                (words, begin) = (0, None);
            }
        }
    }
    defects.extend(too_long(words).map(|remedy| page.defect(begin.unwrap_or(1), remedy)));
    defects
}

fn too_long(words: usize) -> Option<String> {
    (words > LONGEST_SENTENCE)
        .then(|| format!("a sentence of {words} words, at most {LONGEST_SENTENCE}: make two of it"))
}

fn spelling(text: &str) -> Option<String> {
    let lower = text.to_lowercase();
    let is_word = |at: usize, length: usize| {
        let edge = |character: Option<char>| character.is_none_or(|character| !character.is_alphanumeric());
        edge(lower[..at].chars().next_back()) && edge(lower[at + length..].chars().next())
    };
    let found = |wrong: &str| lower.match_indices(wrong).any(|(at, _)| is_word(at, wrong.len()));
    let (wrong, right) = SPELLING.iter().find(|(wrong, _)| found(wrong))?;
    Some(format!("\"{wrong}\": we write {right}"))
}

/// How many words of prose a page has.
pub fn words(page: &Page) -> usize {
    let text = without_directives(page);
    text.split_whitespace().filter(|word| word.contains(char::is_alphanumeric)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remedies(text: &str) -> Vec<(usize, String)> {
        let page = Page { path: "a.md".into(), title: String::new(), text: text.into() };
        check(&page).into_iter().map(|defect| (defect.line, defect.remedy)).collect()
    }

    #[test]
    fn code_that_nobody_compiled_is_refused() {
        let found = remedies("Text.\n\n```rust\nfn f() {}\n```\n\n    indented\n\n~~~\nx\n~~~\n");
        assert_eq!(found.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [3, 7, 9]);
        assert!(found.iter().all(|(_, remedy)| remedy.contains("nobody compiled")), "{found:?}");
    }

    #[test]
    fn a_long_sentence_is_refused_where_it_begins() {
        let long = vec!["word"; LONGEST_SENTENCE + 1].join(" ");
        let fits = vec!["word"; LONGEST_SENTENCE].join(" ");
        let found = remedies(&format!("Short.\n{long}.\n\n{fits}. {fits}.\n"));
        assert_eq!(found.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2]);
    }

    #[test]
    fn html_is_refused() {
        let found = remedies("<pre>\ncode\n</pre>\n\nA <b>word</b>.\n");
        assert_eq!(found.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [1, 2, 3, 5, 5]);
    }

    #[test]
    fn one_spelling() {
        let found = remedies("A filesystem, `filesystem` in code,\nadjusted syscalls.\n");
        assert_eq!(
            found,
            [
                (1, "\"filesystem\": we write file system".into()),
                (2, "\"syscalls\": we write system calls".into())
            ]
        );
    }
}
