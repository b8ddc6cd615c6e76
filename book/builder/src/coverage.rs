//! Coverage: how much of each chapter's main path its page shows. A page that says it is whole must show all of it.

use crate::snippet::Snippet;
use crate::sources::{Chapter, Sources};
use crate::{Defect, Page};
use std::collections::BTreeSet;
use std::path::Path;

/// What a page says with `{{#chapter PACKAGE whole|unfinished}}`.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The page.
    pub page: Page,
    /// Which chapter it tells.
    pub package: String,
    /// It says that it shows the whole main path.
    pub is_whole: bool,
    /// What it shows.
    pub snippets: Vec<Snippet>,
}

/// How much of a chapter is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// The chapter's folder.
    pub folder: String,
    /// Lines of code of the main path.
    pub main_path: usize,
    /// Those of them that its page shows.
    pub shown: usize,
    /// Lines of code beside the main path.
    pub long_tail: usize,
    /// The page, and whether it says it is whole.
    pub page: Option<(String, bool)>,
}

impl Share {
    fn percent(&self) -> String {
        let permille = self.shown * 1000 / self.main_path.max(1);
        format!("{}.{} %", permille / 10, permille % 10)
    }

    fn state(&self) -> &'static str {
        match self.page {
            Some((_, true)) => "whole",
            Some((_, false)) => "unfinished",
            None => "to come",
        }
    }
}

/// The shares of all chapters, and what the whole ones do not show.
pub fn measure(sources: &Sources, claims: &[Claim]) -> (Vec<Share>, Vec<Defect>) {
    let mut defects = Vec::new();
    let share = |chapter: &Chapter| {
        let claim = claims.iter().find(|claim| claim.package == chapter.package);
        let mut share = Share {
            folder: chapter.folder.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            main_path: 0,
            shown: 0,
            long_tail: 0,
            page: claim.map(|claim| (claim.page.address(), claim.is_whole)),
        };
        for file in sources.files_of(&chapter.package) {
            let code = file.code_lines();
            if file.is_main_path() {
                let shown = shown_in(claim, &file.path);
                share.main_path += code.len();
                share.shown += code.intersection(&shown).count();
                if let Some(claim) = claim.filter(|claim| claim.is_whole) {
                    let missing: Vec<usize> = code.difference(&shown).copied().collect();
                    defects.extend(runs(&missing).map(|(first, last)| {
                        let page = claim.page.file().display().to_string();
                        let remedy = format!("lines {first} to {last} are on the main path, and {page} does not show them: include them, or move them into a module marked `//! Long tail:`");
                        Defect::new(&file.path, first, remedy)
                    }));
                }
            } else if file.is_long_tail {
                share.long_tail += code.len();
            }
        }
        share
    };
    let shares = sources.chapters.iter().map(share).collect();
    (shares, defects)
}

fn shown_in(claim: Option<&Claim>, file: &Path) -> BTreeSet<usize> {
    let snippets = claim.into_iter().flat_map(|claim| &claim.snippets).filter(|snippet| snippet.file == file);
    snippets.flat_map(|snippet| snippet.shown.iter().copied()).collect()
}

/// Numbers that follow each other, as first and last.
fn runs(lines: &[usize]) -> impl Iterator<Item = (usize, usize)> {
    lines.chunk_by(|one, next| one + 1 == *next).map(|run| (run[0], run[run.len() - 1]))
}

/// The table for a terminal.
pub fn text(shares: &[Share]) -> String {
    let mut text = format!(
        "{:<18}{:>10}{:>8}{:>10}{:>11}  page\n",
        "chapter", "main path", "shown", "share", "long tail"
    );
    for share in shares {
        text.push_str(&format!(
            "{:<18}{:>10}{:>8}{:>10}{:>11}  {}\n",
            share.folder,
            share.main_path,
            share.shown,
            share.percent(),
            share.long_tail,
            share.state()
        ));
    }
    text
}

/// The table for a page.
pub fn html(shares: &[Share]) -> String {
    let mut html = String::from(
        "<div class=\"table\"><table><thead><tr><th>chapter</th><th>main path</th><th>shown</th><th>share</th><th>long tail</th><th>page</th></tr></thead><tbody>",
    );
    for share in shares {
        let name = match &share.page {
            Some((address, _)) => format!("<a href=\"{address}\">{}</a>", share.folder),
            None => share.folder.clone(),
        };
        html.push_str(&format!(
            "<tr><td>{name}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            share.main_path,
            share.shown,
            share.percent(),
            share.long_tail,
            share.state()
        ));
    }
    html + "</tbody></table></div>"
}
