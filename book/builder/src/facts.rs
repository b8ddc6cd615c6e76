//! What a chapter's page says of itself: its folder, and how long it takes to read, computed of what it shows.

use crate::page::Directive;
use crate::snippet::Snippet;
use crate::sources::Sources;
use crate::{Page, prose};

/// Words of prose that are read in a minute. It is what is usually said of readers; nobody has timed ours.
const WORDS: usize = 200;

/// Lines of code that are read in a minute: three seconds each, with the words beside it read before.
const LINES: usize = 20;

/// `{{#chapter PACKAGE whole|unfinished}}`, once it is known what the page shows.
pub fn facts<'a>(
    page: &Page,
    directive: &Directive,
    snippets: impl Iterator<Item = &'a Snippet>,
    sources: &Sources,
) -> String {
    let package = directive.arguments.first().map_or("", String::as_str);
    let chapter = sources.chapters.iter().find(|chapter| chapter.package == package);
    let folder = chapter.map_or(String::new(), |chapter| chapter.folder.display().to_string());
    let (words, lines) = (prose::words(page), snippets.map(|snippet| snippet.shown.len()).sum());
    let is_whole = directive.arguments.get(1).is_some_and(|word| word == "whole");
    let unfinished = if is_whole { "" } else { " · unfinished: it does not show the whole main path yet" };
    let minutes = minutes(words, lines);
    format!(
        "<p class=\"facts\"><code>{folder}</code> · {words} words and {lines} lines of code, about {minutes} minutes{unfinished}</p>"
    )
}

/// In steps of five, since it is no more exact than that.
fn minutes(words: usize, lines: usize) -> usize {
    let seconds = words * 60 / WORDS + lines * 60 / LINES;
    (seconds.div_ceil(60).div_ceil(5) * 5).max(5)
}

#[cfg(test)]
mod tests {
    use super::minutes;

    #[test]
    fn minutes_are_those_of_words_and_of_lines() {
        assert_eq!([minutes(0, 0), minutes(1000, 0), minutes(1004, 0)], [5, 5, 10]);
        assert_eq!([minutes(3000, 0), minutes(3000, 300)], [15, 30]);
    }
}
