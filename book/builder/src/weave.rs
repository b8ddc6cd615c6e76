//! Weaving: every directive of every page gives way to what the sources hold, and everything that is wrong is collected.

use crate::coverage::{self, Claim};
use crate::glossary::Glossary;
use crate::page::{Directive, Piece};
use crate::snippet::{self, Snippet};
use crate::sources::Sources;
use crate::{Defect, Page, beats, facts, indexes, links, prose, so_far, stage, transcript};
use diagrams::{CapabilitySets, CgroupTree, Diagram, IdMaps, MountPlan, SeccompFilter, Spawn};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The pages, ready to be rendered.
pub struct Woven {
    /// Each page's text, by its file below `book/src`.
    pub pages: BTreeMap<PathBuf, String>,
    /// How much of the code is shown, as text.
    pub report: String,
    /// The chapters that pages tell as a whole, by their packages.
    pub whole: Vec<String>,
    /// What was woven in.
    pub sources: Sources,
}

/// A part of a page on its way.
pub enum Part {
    /// A line of Markdown.
    Line(String),
    /// Code.
    Snippet(Snippet),
    /// What is ready.
    Html(String),
    /// What can be made when all pages are known.
    Later(Directive),
}

/// Weaves all pages, or says everything that is wrong with them.
pub fn weave(workspace: &Path, pages: &[Page]) -> Result<Woven, Vec<Defect>> {
    let sources = Sources::read(workspace)?;
    let mut loom = Loom {
        workspace,
        sources: &sources,
        glossary: Glossary::read(pages),
        claims: Vec::new(),
        transcripts: Vec::new(),
        defects: Vec::new(),
    };
    let mut parts = Vec::new();
    for page in pages {
        loom.defects.extend(prose::check(page));
        loom.defects.extend(links::check_page(page, pages));
        parts.push(loom.parts(page));
    }
    let (shares, missing) = coverage::measure(&sources, &loom.claims_with(pages, &parts));
    let mut defects = loom.defects;
    defects.extend(missing);
    let shown: Vec<(&Page, &Snippet)> = pages
        .iter()
        .zip(&parts)
        .flat_map(|(page, parts)| snippets(parts).map(move |snippet| (page, snippet)))
        .collect();
    defects.extend(stage::check(&sources));
    defects.extend(unused_anchors(&sources, &shown));
    defects.extend(transcript::unused(workspace, &loom.transcripts));
    let later = |page: &Page, directive: &Directive| match directive.name.as_str() {
        "coverage" => Ok(coverage::html(&shares)),
        "system-calls" => Ok(indexes::system_calls(&sources, &shown)),
        "chapter" => {
            let own = shown.iter().filter(|(other, _)| other.path == page.path).map(|(_, snippet)| *snippet);
            Ok(facts::facts(page, directive, own, &sources))
        }
        "cves" => Ok(indexes::cves(&sources, &shown, pages)),
        "errors" => Ok(indexes::errors(&sources, &shown, pages)),
        name => {
            let remedy = format!("no directive {name}: correct it, or remove it");
            Err(page.defect(directive.line, remedy))
        }
    };
    let mut woven = BTreeMap::new();
    for (page, parts) in pages.iter().zip(&parts) {
        match beats::lay_out(parts, &sources, |directive| later(page, directive)) {
            Ok(text) => drop(woven.insert(page.path.clone(), text)),
            Err(defect) => defects.push(defect),
        }
    }
    defects.sort();
    let report = coverage::text(&shares);
    let whole = loom.claims.into_iter().filter(|(.., is_whole)| *is_whole);
    let whole = whole.map(|(_, package, _)| package).collect();
    if defects.is_empty() { Ok(Woven { pages: woven, report, whole, sources }) } else { Err(defects) }
}

struct Loom<'a> {
    workspace: &'a Path,
    sources: &'a Sources,
    glossary: Glossary,
    claims: Vec<(PathBuf, String, bool)>,
    transcripts: Vec<PathBuf>,
    defects: Vec<Defect>,
}

impl Loom<'_> {
    /// A page's parts; where one is defective, the defect is kept and the part left out.
    fn parts(&mut self, page: &Page) -> Vec<Part> {
        let pieces = page.pieces().unwrap_or_else(|defects| {
            self.defects.extend(defects);
            Vec::new()
        });
        let mut parts = Vec::new();
        for piece in pieces {
            let part = match piece {
                Piece::Line(line, text) => self.glossary.link(page, line, &text).map(Part::Line),
                Piece::Directive(directive) => self.expand(page, directive),
            };
            match part {
                Ok(part) => parts.push(part),
                Err(defect) => self.defects.push(defect),
            }
        }
        parts
    }

    fn expand(&mut self, page: &Page, directive: Directive) -> Result<Part, Defect> {
        match directive.name.as_str() {
            "item" => snippet::item(page, &directive, self.sources).map(Part::Snippet),
            "anchor" => snippet::anchor(page, &directive, self.sources).map(Part::Snippet),
            "so-far" => so_far::so_far(page, &directive, self.sources).map(Part::Html),
            "transcript" => {
                let transcript = transcript::transcript(page, &directive, self.workspace)?;
                self.transcripts.push(transcript.file.clone());
                Ok(Part::Html(transcript.html()))
            }
            "diagram" => diagram(page, &directive).map(Part::Html),
            "long-tail" => {
                let package = directive.arguments.join(" ");
                if !self.is_chapter(&package) {
                    return Err(page.defect(
                        directive.line,
                        format!("no chapter {package}: correct its package's name"),
                    ));
                }
                Ok(Part::Html(indexes::long_tail(self.sources, &package)))
            }
            "chapter" => {
                self.claim(page, &directive)?;
                Ok(Part::Later(directive))
            }
            _ => Ok(Part::Later(directive)),
        }
    }

    /// `{{#chapter PACKAGE whole|unfinished}}`: which chapter the page tells, and whether it shows all of it.
    fn claim(&mut self, page: &Page, directive: &Directive) -> Result<(), Defect> {
        let arguments: Vec<&str> = directive.arguments.iter().map(String::as_str).collect();
        let (package, is_whole) = match arguments.as_slice() {
            [package, "whole"] if self.is_chapter(package) => (*package, true),
            [package, "unfinished"] if self.is_chapter(package) => (*package, false),
            _ => {
                return Err(
                    page.defect(directive.line, "name a chapter's package, and say `whole` or `unfinished`")
                );
            }
        };
        self.claims.push((page.path.clone(), package.into(), is_whole));
        Ok(())
    }

    fn is_chapter(&self, package: &str) -> bool {
        self.sources.chapters.iter().any(|chapter| chapter.package == package)
    }

    fn claims_with(&self, pages: &[Page], parts: &[Vec<Part>]) -> Vec<Claim> {
        let claim = |(path, package, is_whole): &(PathBuf, String, bool)| {
            let (page, parts) = pages.iter().zip(parts).find(|(page, _)| page.path == *path)?;
            let snippets = snippets(parts).cloned().collect();
            Some(Claim { page: page.clone(), package: package.clone(), is_whole: *is_whole, snippets })
        };
        self.claims.iter().filter_map(claim).collect()
    }
}

/// `{{#diagram NAME}}`: an element that runs the chapters' own functions.
fn diagram(page: &Page, directive: &Directive) -> Result<String, Defect> {
    let name = directive.arguments.join(" ");
    let names = [
        MountPlan::NAME,
        Spawn::NAME,
        IdMaps::NAME,
        CapabilitySets::NAME,
        SeccompFilter::NAME,
        CgroupTree::NAME,
    ];
    if names.contains(&name.as_str()) {
        return Ok(format!("<div class=\"wide\"><coracle-diagram name=\"{name}\"></coracle-diagram></div>"));
    }
    Err(page.defect(directive.line, format!("no diagram {name}: there are {}", names.join(", "))))
}

fn snippets(parts: &[Part]) -> impl Iterator<Item = &Snippet> {
    parts.iter().filter_map(|part| match part {
        Part::Snippet(snippet) => Some(snippet),
        _ => None,
    })
}

/// Marks in the code that no page uses any more.
fn unused_anchors(sources: &Sources, shown: &[(&Page, &Snippet)]) -> Vec<Defect> {
    let mut defects = Vec::new();
    for file in &sources.files {
        for anchor in &file.anchors {
            let is_used = shown.iter().any(|(_, snippet)| {
                snippet.file == file.path && snippet.anchor.as_ref() == Some(&anchor.name)
            });
            if !is_used {
                let remedy =
                    format!("no page shows the anchor {}: remove its marks, or show it", anchor.name);
                defects.push(Defect::new(&file.path, anchor.lines.start() - 1, remedy));
            }
        }
    }
    defects
}
