//! From pages to a site: mdBook renders what was woven, in our theme, into `target/book`.

use crate::weave::{Woven, weave};
use crate::{Defect, Page, breaks, links, search, source_pages};
use mdbook_driver::MDBook;
use mdbook_preprocessor::book::{Book, BookItem};
use mdbook_preprocessor::errors::Result as BookResult;
use mdbook_preprocessor::{Preprocessor, PreprocessorContext};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A site that was built.
pub struct Built {
    /// Its folder.
    pub site: PathBuf,
    /// What `check` says.
    pub report: String,
    /// The chapters that pages tell as a whole, by their packages.
    pub whole: Vec<String>,
}

/// What mdBook brings for its own theme, and ours does not use.
const UNUSED: &[&str] = &[
    "ayu-highlight.css",
    "book.js",
    "clipboard.min.js",
    "css",
    "favicon.png",
    "highlight.css",
    "highlight.js",
    "toc.html",
    "toc.js",
    "tomorrow-night.css",
    ".nojekyll",
];

/// Builds the book of a workspace, or says everything that is wrong with it.
pub fn build(workspace: &Path) -> Result<Built, Vec<Defect>> {
    let refused = |error: &dyn std::fmt::Display| vec![Defect::new("book/book.toml", 1, error.to_string())];
    let mut book = MDBook::load(workspace.join("book")).map_err(|error| refused(&format!("{error:#}")))?;
    let pages = pages(&book);
    let woven = weave(workspace, &pages)?;
    book.with_preprocessor(Replace(woven.pages.clone()));
    book.build().map_err(|error| refused(&format!("{error:#}")))?;
    let site = book.build_dir_for("html").canonicalize().map_err(|error| refused(&error))?;
    diagram_bundle::bundle(workspace, &site.join("diagrams")).map_err(|error| {
        refused(&format!("{error}: `cargo xtask setup` installs the target that diagrams are compiled for"))
    })?;
    finish(workspace, &site, &woven, &pages).map_err(|error| refused(&error))?;
    let defects = links::check_site(&site, &pages);
    if defects.is_empty() {
        Ok(Built { site, report: woven.report, whole: woven.whole })
    } else {
        Err(defects)
    }
}

/// The pages that are written; those to come have a name only.
fn pages(book: &MDBook) -> Vec<Page> {
    let chapters = book.iter().filter_map(|item| match item {
        BookItem::Chapter(chapter) => Some(chapter),
        _ => None,
    });
    let page = |chapter: &mdbook_preprocessor::book::Chapter| {
        let path = chapter.source_path.clone()?;
        Some(Page { path, title: chapter.name.clone(), text: chapter.content.clone() })
    };
    chapters.filter_map(page).collect()
}

/// Our theme's files, what is searched, the pages of the sources, and away with what nobody links to.
fn finish(workspace: &Path, site: &Path, woven: &Woven, pages: &[Page]) -> std::io::Result<()> {
    for name in UNUSED {
        let path = site.join(name);
        if path.is_dir() {
            std::fs::remove_dir_all(path)?;
        } else if path.exists() {
            std::fs::remove_file(path)?;
        }
    }
    for name in ["book.css", "book.js"] {
        std::fs::copy(workspace.join("book/theme").join(name), site.join(name))?;
    }
    std::fs::write(site.join("search-index.js"), search::index(pages))?;
    finish_pages(site)?;
    source_pages::write(site, &woven.sources)
}

/// The diagrams' stills, which are the first paint, and their scripts where a page has one; and where names break in tables.
fn finish_pages(site: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(site)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "html") {
            let page = std::fs::read_to_string(&path)?;
            std::fs::write(&path, breaks::in_tables(&diagram_bundle::embed(&page, "diagrams/")))?;
        }
    }
    Ok(())
}

/// The one preprocessor: each page gives way to what was woven from it.
struct Replace(BTreeMap<PathBuf, String>);

impl Preprocessor for Replace {
    fn name(&self) -> &str {
        "weave"
    }

    fn run(&self, _: &PreprocessorContext, mut book: Book) -> BookResult<Book> {
        book.for_each_chapter_mut(|chapter| {
            if let Some(text) = chapter.source_path.as_ref().and_then(|path| self.0.get(path)) {
                chapter.content.clone_from(text);
            }
        });
        Ok(book)
    }
}
