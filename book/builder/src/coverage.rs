//! Coverage: how much of each chapter's main path its page shows. A page that says it is whole must show all of it.

use crate::snippet::Snippet;
use crate::sources::{Chapter, SourceFile, Sources};
use crate::{Defect, Page};
use std::collections::BTreeSet;
use std::path::Path;

/// Lines of a main path that one page may show; what has more becomes two pages.
const LONGEST: usize = 450;

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
    /// Lines of code on which the chapter's binary stands.
    pub stage: usize,
    /// The addresses of its pages.
    pub pages: Vec<String>,
    /// They say that together they show all of it.
    pub is_whole: bool,
}

impl Share {
    fn percent(&self) -> String {
        let permille = self.shown * 1000 / self.main_path.max(1);
        format!("{}.{} %", permille / 10, permille % 10)
    }

    fn state(&self) -> &'static str {
        match (self.pages.is_empty(), self.is_whole) {
            (true, _) => "to come",
            (false, true) => "whole",
            (false, false) => "unfinished",
        }
    }
}

/// The shares of all chapters, and what the whole ones do not show.
pub fn measure(sources: &Sources, claims: &[Claim]) -> (Vec<Share>, Vec<Defect>) {
    let mut defects: Vec<Defect> = claims.iter().filter_map(|claim| too_long(sources, claim)).collect();
    let shares =
        sources.chapters.iter().map(|chapter| share(sources, chapter, claims, &mut defects)).collect();
    (shares, defects)
}

fn share(sources: &Sources, chapter: &Chapter, claims: &[Claim], defects: &mut Vec<Defect>) -> Share {
    let claims: Vec<&Claim> = claims.iter().filter(|claim| claim.package == chapter.package).collect();
    let mut share = Share {
        folder: chapter.folder.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        main_path: 0,
        shown: 0,
        long_tail: 0,
        stage: 0,
        pages: claims.iter().map(|claim| claim.page.address()).collect(),
        is_whole: !claims.is_empty() && claims.iter().all(|claim| claim.is_whole),
    };
    for file in sources.files_of(&chapter.package) {
        let code = file.code_lines();
        if file.is_main_path() {
            let shown: BTreeSet<usize> =
                claims.iter().flat_map(|claim| shown_in(claim, &file.path)).collect();
            share.main_path += code.len();
            share.shown += code.intersection(&shown).count();
            if let Some(claim) = claims.last().filter(|_| share.is_whole) {
                let missing: Vec<usize> = code.difference(&shown).copied().collect();
                defects.extend(runs(&missing).map(|lines| not_shown(file, claim, lines)));
            }
        } else if file.is_long_tail {
            share.long_tail += code.len();
        } else if file.is_stage {
            share.stage += code.len();
        }
    }
    share
}

fn not_shown(file: &SourceFile, claim: &Claim, (first, last): (usize, usize)) -> Defect {
    let page = claim.page.file().display().to_string();
    let remedy = format!(
        "lines {first} to {last} are on the main path, and {page} does not show them: include them, or move them into a module marked `//! Long tail:`"
    );
    Defect::new(&file.path, first, remedy)
}

fn too_long(sources: &Sources, claim: &Claim) -> Option<Defect> {
    let files = sources.files_of(&claim.package).filter(|file| file.is_main_path());
    let shown = |file: &SourceFile| file.code_lines().intersection(&shown_in(claim, &file.path)).count();
    let lines: usize = files.map(shown).sum();
    let remedy =
        || format!("this page shows {lines} lines of the main path, at most {LONGEST}: make two pages of it");
    (lines > LONGEST).then(|| claim.page.defect(1, remedy()))
}

fn shown_in(claim: &Claim, file: &Path) -> BTreeSet<usize> {
    let snippets = claim.snippets.iter().filter(|snippet| snippet.file == file);
    snippets.flat_map(|snippet| snippet.shown.iter().copied()).collect()
}

/// Numbers that follow each other, as first and last.
fn runs(lines: &[usize]) -> impl Iterator<Item = (usize, usize)> {
    lines.chunk_by(|one, next| one + 1 == *next).map(|run| (run[0], run[run.len() - 1]))
}

/// The table for a terminal.
pub fn text(shares: &[Share]) -> String {
    let mut text = format!(
        "{:<18}{:>10}{:>8}{:>10}{:>11}{:>7}  page\n",
        "chapter", "main path", "shown", "share", "long tail", "stage"
    );
    for share in shares {
        text.push_str(&format!(
            "{:<18}{:>10}{:>8}{:>10}{:>11}{:>7}  {}\n",
            share.folder,
            share.main_path,
            share.shown,
            share.percent(),
            share.long_tail,
            share.stage,
            share.state()
        ));
    }
    text
}

/// The table for a page.
pub fn html(shares: &[Share]) -> String {
    let mut html = String::from(
        "<div class=\"table\"><table><thead><tr><th>chapter</th><th>main path</th><th>shown</th><th>share</th><th>long tail</th><th>stage</th><th>page</th></tr></thead><tbody>",
    );
    for share in shares {
        let name = match share.pages.first() {
            Some(address) => format!("<a href=\"{address}\">{}</a>", share.folder),
            None => share.folder.clone(),
        };
        html.push_str(&format!(
            "<tr><td>{name}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            share.main_path,
            share.shown,
            share.percent(),
            share.long_tail,
            share.stage,
            share.state()
        ));
    }
    html + "</tbody></table></div>"
}
