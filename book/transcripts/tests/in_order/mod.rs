//! Sessions in the order of the pages, typed into one shell and one folder, as by a reader who types everything: each becomes a
//! snapshot, which the book includes by its name.

use std::path::{Path, PathBuf};

/// What is typed, under the name by which a page includes what came of it.
pub struct Session {
    pub name: &'static str,
    pub commands: Vec<&'static str>,
}

/// A file of the book.
fn book(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

fn read(path: &str) -> String {
    let path = book(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The names of these chapters' sessions as a reader comes to them: page after page, as the table of contents has them.
fn in_the_pages(chapters: &[&str]) -> Vec<String> {
    let summary = read("src/SUMMARY.md");
    let page = |line: &str| Some(line.split_once("](")?.1.split_once(')')?.0.to_string());
    let is_ours = |page: &String| chapters.iter().any(|number| page.starts_with(number));
    let pages = summary.lines().filter_map(page).filter(is_ours);
    let texts: Vec<String> = pages.map(|page| read(&format!("src/{page}"))).collect();
    let name = |line: &str| Some(line.strip_prefix("{{#transcript ")?.strip_suffix("}}")?.to_string());
    texts.iter().flat_map(|text| text.lines().filter_map(name)).collect()
}

/// Records the sessions of these chapters, which must be all that their pages show, in that order.
pub fn record(packages: &[&str], chapters: &[&str], sessions: &[Session]) {
    let names: Vec<&str> = sessions.iter().map(|session| session.name).collect();
    assert_eq!(names, in_the_pages(chapters), "the sessions are typed in the order of the pages");
    let commands: Vec<&[&str]> = sessions.iter().map(|session| &session.commands[..]).collect();
    let said = transcripts::record(packages, &commands);
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(book("transcripts/sessions"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for (name, said) in names.iter().zip(said) {
            insta::assert_snapshot!(*name, said);
        }
    });
}
