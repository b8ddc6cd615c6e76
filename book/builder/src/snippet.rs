//! Code in a page: the lines of an item or of an anchor, with where they are from, a link, and what is around them.

use crate::highlight::escape;
use crate::items::Item;
use crate::listing::Listing;
use crate::page::Directive;
use crate::sources::{SourceFile, Sources};
use crate::{Defect, Page, anchors};
use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

/// More lines than this are not read in one glance.
const LONGEST: usize = 20;

/// What a page shows of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snippet {
    /// The file.
    pub file: PathBuf,
    /// The lines that are shown.
    pub shown: BTreeSet<usize>,
    /// The lines that can be unfolded, if they are more: the whole function; or the same items, with their comments.
    whole: BTreeSet<usize>,
    /// What is in it, by name.
    titles: Vec<String>,
    /// The anchor that was used, if it was one.
    pub anchor: Option<String>,
}

/// `{{#item PATH… [plain]}}`: items of one file, in its order; `plain` leaves their comments out.
pub fn item(page: &Page, directive: &Directive, sources: &Sources) -> Result<Snippet, Defect> {
    let defect = |remedy: String| page.defect(directive.line, remedy);
    let is_plain = directive.arguments.last().is_some_and(|last| last == "plain");
    let paths = &directive.arguments[..directive.arguments.len() - usize::from(is_plain)];
    let mut snippet: Option<Snippet> = None;
    let mut chosen = Vec::new();
    for path in paths {
        let found = sources.find(path);
        if found.is_empty() || found.len() > 1 && !path.ends_with("::*") {
            return Err(defect(missing_or_ambiguous(path, &found)));
        }
        chosen.extend(found.into_iter().map(|(file, item)| (path, file, item)));
    }
    for (path, file, item) in chosen {
        if item.is_empty {
            return Err(defect(format!("the item {path} is empty: show one that does something")));
        }
        let lines = file.visible(item.lines.clone(), is_plain);
        let whole = file.visible(item.lines.clone(), false);
        match &mut snippet {
            None => {
                snippet = Some(Snippet {
                    file: file.path.clone(),
                    shown: lines,
                    whole,
                    titles: vec![item.title()],
                    anchor: None,
                });
            }
            Some(first) if first.file == file.path => {
                first.shown.extend(lines);
                first.titles.push(item.title());
                first.whole.extend(whole);
            }
            Some(first) => {
                return Err(defect(format!(
                    "{path} is not in {}: a snippet is of one file",
                    first.file.display()
                )));
            }
        }
    }
    let snippet = snippet.ok_or_else(|| defect("name an item: `{{#item crate::path}}`".into()))?;
    snippet.checked(page, directive)
}

fn missing_or_ambiguous(path: &str, found: &[(&SourceFile, &Item)]) -> String {
    if found.is_empty() {
        return format!("no item {path} in the chapters' sources: correct its name, or remove the directive");
    }
    let places: Vec<String> =
        found.iter().map(|(file, item)| format!("{}::{}", file.module, item.name)).collect();
    format!("{path} is one of {}: say which", places.join(", "))
}

/// `{{#anchor FILE:NAME}}`: a part of a function.
pub fn anchor(page: &Page, directive: &Directive, sources: &Sources) -> Result<Snippet, Defect> {
    let defect = |remedy: String| page.defect(directive.line, remedy);
    let argument = directive.arguments.join(" ");
    let (path, name) = argument
        .split_once(':')
        .ok_or_else(|| defect("name a file and an anchor: `{{#anchor chapters/…/file.rs:name}}`".into()))?;
    let file = sources
        .file(Path::new(path))
        .ok_or_else(|| defect(format!("no file {path} among the chapters' sources: correct its path")))?;
    let anchor = file.anchors.iter().find(|anchor| anchor.name == name).ok_or_else(|| {
        defect(format!(
            "no anchor {name} in {path}: add `// ANCHOR: {name}` and `// ANCHOR_END: {name}` there"
        ))
    })?;
    let around = file
        .items
        .iter()
        .find(|item| item.lines.contains(anchor.lines.start()) && item.lines.contains(anchor.lines.end()));
    let around = around.ok_or_else(|| {
        defect(format!("the anchor {name} is not inside an item: show the item by its path"))
    })?;
    let shown = file.visible(anchor.lines.clone(), false);
    let titles = vec![around.title()];
    let whole = file.visible(around.lines.clone(), false);
    let snippet = Snippet { file: file.path.clone(), shown, whole, titles, anchor: Some(name.to_string()) };
    snippet.checked(page, directive)
}

impl SourceFile {
    /// The lines of a range that are shown: anchors' marks never are.
    fn visible(&self, range: RangeInclusive<usize>, is_plain: bool) -> BTreeSet<usize> {
        let is_hidden = |text: &str| {
            anchors::mark(text).is_some()
                || is_plain && (text.trim().starts_with("//") || text.trim().is_empty())
        };
        let numbered = self.text.lines().enumerate().map(|(index, text)| (index + 1, text));
        numbered
            .filter(|(line, text)| range.contains(line) && !is_hidden(text))
            .map(|(line, _)| line)
            .collect()
    }
}

impl Snippet {
    fn checked(self, page: &Page, directive: &Directive) -> Result<Snippet, Defect> {
        let name = self.anchor.clone().unwrap_or_else(|| self.titles.join(", "));
        let remedy = match self.shown.len() {
            0 => format!("{name} is empty: put its marks around code, or remove it"),
            length if length > LONGEST => {
                format!(
                    "{name} has {length} lines, at most {LONGEST}: show parts of it by anchors, or leave out comments with `plain`"
                )
            }
            _ => return Ok(self),
        };
        Err(page.defect(directive.line, remedy))
    }

    /// The snippet as HTML without an empty line, so that it stays one block of Markdown.
    pub fn html(&self, sources: &Sources) -> String {
        let Some(file) = sources.file(&self.file) else {
            return String::new();
        };
        let first = self.shown.first().copied().unwrap_or(1);
        let (path, title) = (self.file.display(), escape(&self.title()));
        let around = self.around(file);
        let more = self.folded(file, &around);
        let more = more.map_or(String::new(), |(label, listing)| {
            format!("<details><summary>{label} <code>{title}</code></summary>{listing}</details>")
        });
        let lines = self.shown.union(&around).copied().collect();
        let listing = Listing { lines, aside: BTreeSet::new(), class: "" }.html(&file.text);
        format!(
            "<figure class=\"code\"><figcaption><a href=\"source/{path}.html#L{first}\">{path}<span class=\"line-number\">:{first}</span></a> \
             <span class=\"item\">{title}</span></figcaption>{listing}{more}</figure>"
        )
    }

    /// What can be unfolded, and what it is called: of the items that are named here, and no others.
    fn folded(&self, file: &SourceFile, around: &BTreeSet<usize>) -> Option<(&'static str, String)> {
        let has_text =
            |line: &usize| file.text.lines().nth(line - 1).is_some_and(|text| !text.trim().is_empty());
        if !self.whole.difference(&self.shown).any(has_text) {
            return None;
        }
        let label = if self.anchor.is_some() { "The whole of" } else { "With comments:" };
        let lines = self.whole.union(around).copied().collect();
        let listing = Listing { lines, aside: self.shown.clone(), class: "seen" };
        Some((label, listing.html(&file.text)))
    }

    fn title(&self) -> String {
        match self.titles.as_slice() {
            [first, _, rest @ ..] if !rest.is_empty() => format!("{first} and {} more", rest.len() + 1),
            titles => titles.join(", "),
        }
    }

    /// Where members of a type stand among other items: the lines that open and close the `impl` around them.
    fn around(&self, file: &SourceFile) -> BTreeSet<usize> {
        let is_shown = |item: &&Item| self.titles.len() > 1 && self.shown.contains(item.lines.end());
        let blocks = file.items.iter().filter(is_shown).filter_map(|item| item.block);
        blocks.flat_map(|(open, close)| [open, close]).collect()
    }
}
