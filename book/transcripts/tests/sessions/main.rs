//! Records the sessions of chapters 01 and 02 in the order of their pages, in one shell and one folder: as a reader types them.
//! (Those of 03 need a machine of their own; each of the later ones begins with what it stands on.)
#![forbid(unsafe_code)]

mod chapter_01;
mod chapter_02;

use std::path::{Path, PathBuf};

/// What is typed, under the name by which a page includes what came of it.
struct Session {
    name: &'static str,
    commands: &'static [&'static str],
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
fn in_the_pages() -> Vec<String> {
    let summary = read("src/SUMMARY.md");
    let page = |line: &str| Some(line.split_once("](")?.1.split_once(')')?.0.to_string());
    let is_ours = |page: &String| page.starts_with("01") || page.starts_with("02");
    let pages = summary.lines().filter_map(page).filter(is_ours);
    let texts: Vec<String> = pages.map(|page| read(&format!("src/{page}"))).collect();
    let name = |line: &str| Some(line.strip_prefix("{{#transcript ")?.strip_suffix("}}")?.to_string());
    texts.iter().flat_map(|text| text.lines().filter_map(name)).collect()
}

#[test]
fn what_a_reader_sees_who_types_everything_in_order() {
    let sessions: Vec<&Session> = chapter_01::SESSIONS.iter().chain(chapter_02::SESSIONS).collect();
    let names: Vec<&str> = sessions.iter().map(|session| session.name).collect();
    assert_eq!(names, in_the_pages(), "the sessions are typed in the order of the pages");
    let commands: Vec<&[&str]> = sessions.iter().map(|session| session.commands).collect();
    let said = transcripts::record(&["chroot", "namespaces"], &commands);
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
