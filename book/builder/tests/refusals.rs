//! What the builder refuses, each over a small book of its own: where it is, and what to do.
#![forbid(unsafe_code)]

use book::{Page, Woven, weave};
use std::path::Path;
use tempfile::TempDir;

const LIBRARY: &str = "\
//! One chapter.
mod plan;
mod tail;
/// Adds.
pub fn add(one: u8, other: u8) -> u8 {
    // ANCHOR: sum
    one + other
    // ANCHOR_END: sum
}
pub fn empty() {}
pub fn same() -> u8 {
    1
}
";

const PLAN: &str = "//! The plan.\npub fn same() -> u8 {\n    2\n}\npub fn more() -> u8 {\n    4\n}\n";
const TAIL: &str = "//! Long tail: more.\npub fn more() -> u8 {\n    3\n}\n";

/// A workspace with one chapter and one page.
fn workspace(library: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("chapters/01-one/src/lib.rs", library);
    write("chapters/01-one/src/plan.rs", PLAN);
    write("chapters/01-one/src/tail.rs", TAIL);
    write("chapters/01-one/src/main.rs", "//! One.\nfn main() {\n    one();\n}\n");
    write("chapters/02-two/src/lib.rs", "//! Two.\n");
    write("chapters/02-two/src/main.rs", "//! One.\nfn main() {\n    one();\n    two();\n}\n");
    folder
}

fn page(path: &str, text: &str) -> Page {
    Page { path: path.into(), title: "A page".into(), text: text.into() }
}

/// What is wrong with this page; the library's anchor is used by another one.
fn refused(text: &str) -> Vec<String> {
    let folder = workspace(LIBRARY);
    let pages =
        [page("one.md", text), page("other.md", "# Other\n\n{{#anchor chapters/01-one/src/lib.rs:sum}}\n")];
    told(weave(folder.path(), &pages))
}

fn told(woven: Result<Woven, Vec<book::Defect>>) -> Vec<String> {
    woven.err().unwrap_or_default().iter().map(ToString::to_string).collect()
}

#[test]
fn a_sound_book_is_woven() {
    let folder = workspace(LIBRARY);
    let text = "# One\n\nAdds, see [there](#more).\n\n{{#item one::add}}\n\n## More\n\n{{#anchor chapters/01-one/src/lib.rs:sum}}\n";
    let woven = weave(folder.path(), &[page("one.md", text)]).unwrap_or_else(|defects| panic!("{defects:?}"));
    insta::assert_snapshot!(woven.pages[Path::new("one.md")]);
}

#[test]
fn code_without_provenance() {
    let found = refused("Text.\n\n```rust\nfn made_up() {}\n```\n");
    insta::assert_snapshot!(found.join("\n"), @"book/src/one.md:3: a fence holds code that nobody compiled: use {{#item …}}, {{#anchor …}} or {{#transcript …}}");
}

#[test]
fn an_item_that_is_missing_empty_or_ambiguous() {
    let found = refused(
        "{{#item one::nothing}}\n{{#item one::empty}}\n{{#item one::more}}\n{{#item one::same}}\n{{#item one::plan::same}}\n{{#item}}\n",
    );
    insta::assert_snapshot!(found.join("\n"), @r##"
    book/src/one.md:1: no item one::nothing in the chapters' sources: correct its name, or remove the directive
    book/src/one.md:2: the item one::empty is empty: show one that does something
    book/src/one.md:3: one::more is one of plan::more, tail::more: say which
    book/src/one.md:6: name an item: `{{#item crate::path}}`
    "##);
}

#[test]
fn all_members_of_a_type() {
    let folder = workspace(
        "//! One.\npub struct S;\nimpl S {\n    const A: u8 = 1;\n    fn f() -> u8 {\n        2\n    }\n}\n",
    );
    let woven = weave(
        folder.path(),
        &[page("one.md", "{{#chapter one unfinished}}\n\n{{#item one::S one::S::*}}\n")],
    );
    let report = woven.unwrap_or_else(|defects| panic!("{defects:?}")).report;
    assert!(report.contains("01-one                    11       5    45.4 %"), "{report}");
}

#[test]
fn what_unfolds_is_what_is_named() {
    let folder = workspace(
        "//! One.\n/// First.\npub struct A;\n/// Between.\npub struct B;\npub struct C;\nimpl C {\n    /// Last.\n    fn f() {\n        g()\n    }\n}\n",
    );
    let pages = [page("one.md", "{{#item one::A one::C::f plain}}\n\n{{#item one::C plain}}\n")];
    let woven = weave(folder.path(), &pages).unwrap_or_else(|defects| panic!("{defects:?}"));
    let text = &woven.pages[Path::new("one.md")];
    let (_, unfolded) = text.split_once("With comments: <code>A, C::f</code>").expect("a fold");
    let (unfolded, rest) = unfolded.split_once("</details>").expect("its end");
    let has = |what: &str| unfolded.contains(what);
    assert!(has("First.") && has("Last.") && has("</span> <span class=\"type\">C</span> {"), "{unfolded}");
    assert!(!has("Between.") && !has("</span> <span class=\"type\">B</span>"), "{unfolded}");
    assert!(!rest.contains("With comments"), "C has none: {rest}");
}

#[test]
fn items_of_two_files_in_one_snippet() {
    let found = refused("{{#item one::add one::tail::more}}\n");
    insta::assert_snapshot!(found.join("\n"), @"book/src/one.md:1: one::tail::more is not in chapters/01-one/src/lib.rs: a snippet is of one file");
}

#[test]
fn an_anchor_that_is_missing_or_nowhere() {
    let found = refused(
        "{{#anchor chapters/01-one/src/lib.rs:nothing}}\n{{#anchor chapters/01-one/src/gone.rs:sum}}\n{{#anchor sum}}\n",
    );
    insta::assert_snapshot!(found.join("\n"), @r##"
    book/src/one.md:1: no anchor nothing in chapters/01-one/src/lib.rs: add `// ANCHOR: nothing` and `// ANCHOR_END: nothing` there
    book/src/one.md:2: no file chapters/01-one/src/gone.rs among the chapters' sources: correct its path
    book/src/one.md:3: name a file and an anchor: `{{#anchor chapters/…/file.rs:name}}`
    "##);
}

#[test]
fn an_anchor_that_is_empty_or_used_by_nobody() {
    let library = "//! One.\npub fn f() -> u8 {\n    // ANCHOR: none\n    // ANCHOR_END: none\n    // ANCHOR: lonely\n    1\n    // ANCHOR_END: lonely\n}\n";
    let folder = workspace(library);
    let page = page("one.md", "{{#anchor chapters/01-one/src/lib.rs:none}}\n");
    insta::assert_snapshot!(told(weave(folder.path(), &[page])).join("\n"), @r##"
    book/src/one.md:1: none is empty: put its marks around code, or remove it
    chapters/01-one/src/lib.rs:3: no page shows the anchor none: remove its marks, or show it
    chapters/01-one/src/lib.rs:5: no page shows the anchor lonely: remove its marks, or show it
    "##);
}

#[test]
fn a_snippet_that_is_too_long() {
    let body: String = (0..19).map(|number| format!("    // {number}\n")).collect();
    let folder = workspace(&format!("//! One.\npub fn long() -> u8 {{\n{body}    1\n}}\n"));
    let long = told(weave(folder.path(), &[page("one.md", "{{#item one::long}}\n")]));
    insta::assert_snapshot!(long.join("\n"), @"book/src/one.md:1: long has 22 lines, at most 20: show parts of it by anchors, or leave out comments with `plain`");
    assert_eq!(
        told(weave(folder.path(), &[page("one.md", "{{#item one::long plain}}\n")])),
        Vec::<String>::new()
    );
}

#[test]
fn a_link_that_leads_nowhere() {
    let found = refused(
        "[a](gone.md) [b](other.md#gone) [c](other.md#other)\n[d](#gone) [e](/one.html) [f](https://kernel.org/)\n",
    );
    insta::assert_snapshot!(found.join("\n"), @r##"
    book/src/one.md:1: no page gone.md in SUMMARY.md: correct the link
    book/src/one.md:1: other.md has no heading #gone: correct the link
    book/src/one.md:2: /one.html does not work from a file: link to another page as `page.md`
    book/src/one.md:2: one.md has no heading #gone: correct the link
    "##);
}

#[test]
fn a_term_that_is_not_explained() {
    insta::assert_snapshot!(refused("A [[mystery]].\n").join("\n"), @"book/src/one.md:1: [[mystery]] is not in the glossary: explain it in book/src/glossary.md");
}

#[test]
fn a_directive_that_there_is_not() {
    let found = [refused("{{#include lib.rs}}\n"), refused("Text {{#item one::add}} in a line.\n")].concat();
    insta::assert_snapshot!(found.join("\n"), @r##"
    book/src/one.md:1: no directive include: correct it, or remove it
    book/src/one.md:1: a directive stands on a line of its own
    "##);
}

#[test]
fn a_transcript_that_is_missing_empty_or_shown_by_nobody() {
    let folder = workspace("//! One.\n");
    let sessions = folder.path().join("book/transcripts/sessions");
    std::fs::create_dir_all(&sessions).unwrap();
    std::fs::write(sessions.join("empty.snap"), "---\nsource: x\n---\n").unwrap();
    std::fs::write(sessions.join("lonely.snap"), "---\nsource: x\n---\n$ true\n").unwrap();
    let page = page("one.md", "{{#transcript gone}}\n\n{{#transcript empty}}\n");
    insta::assert_snapshot!(told(weave(folder.path(), &[page])).join("\n"), @r##"
    book/src/one.md:1: no transcript book/transcripts/sessions/gone.snap: record it by a test in book/transcripts
    book/src/one.md:3: the transcript empty is empty: record it again
    book/transcripts/sessions/empty.snap:1: no page shows this transcript: include it, or remove it with its test
    book/transcripts/sessions/lonely.snap:1: no page shows this transcript: include it, or remove it with its test
    "##);
}

#[test]
fn prose_that_is_out_of_breath_or_misspelt() {
    let long = vec!["word"; 41].join(" ");
    insta::assert_snapshot!(refused(&format!("The filesystem.\n\n{long}.\n")).join("\n"), @r##"
    book/src/one.md:1: "filesystem": we write file system
    book/src/one.md:3: a sentence of 41 words, at most 40: make two of it
    "##);
}

#[test]
fn a_chapter_that_is_not_whole_although_it_says_so() {
    let whole = refused(
        "{{#chapter one whole}}\n\n{{#item one::add}}\n\n{{#item one::plan::same}}\n\n{{#item one::plan::more}}\n",
    );
    insta::assert_snapshot!(whole.join("\n"), @"chapters/01-one/src/lib.rs:10: lines 10 to 13 are on the main path, and book/src/one.md does not show them: include them, or move them into a module marked `//! Long tail:`");
    assert_eq!(refused("{{#chapter one unfinished}}\n\n{{#item one::add}}\n"), Vec::<String>::new());
    assert_eq!(refused("{{#chapter three whole}}\n").len(), 1);
}

#[test]
fn coverage_counts_the_main_path_alone() {
    let folder = workspace(LIBRARY);
    let text = "{{#chapter one unfinished}}\n\n{{#anchor chapters/01-one/src/lib.rs:sum}}\n\n{{#item one::tail::more}}\n";
    let woven = weave(folder.path(), &[page("one.md", text)]).unwrap_or_else(|defects| panic!("{defects:?}"));
    insta::assert_snapshot!(woven.report, @r##"
    chapter            main path   shown     share  long tail  stage  page
    01-one                    13       1     7.6 %          3      0  unfinished
    02-two                     0       0     0.0 %          0      0  to come
    "##);
}

/// Two pages tell one chapter, and are whole together.
#[test]
fn a_chapter_of_two_pages() {
    let folder = workspace(LIBRARY);
    let first = "{{#chapter one whole}}\n\n{{#item one::add}}\n\n{{#item one::plan::same}}\n";
    let second = "{{#chapter one whole}}\n\n{{#item one::lib::same}}\n";
    let more = "{{#item one::plan::more}}\n\n{{#anchor chapters/01-one/src/lib.rs:sum}}\n";
    let pages = [page("one.md", first), page("two.md", &format!("{second}\n{more}"))];
    let found = told(weave(folder.path(), &pages));
    let rest: Vec<&String> = found.iter().filter(|defect| !defect.contains("one::lib::same")).collect();
    insta::assert_snapshot!(rest.iter().map(|one| one.as_str()).collect::<Vec<_>>().join("\n"), @"chapters/01-one/src/lib.rs:10: lines 10 to 13 are on the main path, and book/src/two.md does not show them: include them, or move them into a module marked `//! Long tail:`");
}

#[test]
fn a_page_that_shows_too_much() {
    let functions = |count| (0..count).map(|number| format!("pub fn f{number}() {{\n    g();\n}}\n"));
    let items =
        |count| (0..count).map(|number| format!("{{{{#item one::f{number}}}}}\n\n")).collect::<String>();
    let refused = |count| {
        let folder = workspace(&format!("//! One.\n{}", functions(count).collect::<String>()));
        told(weave(
            folder.path(),
            &[page("one.md", &format!("{{{{#chapter one unfinished}}}}\n\n{}", items(count)))],
        ))
    };
    assert_eq!(refused(150), Vec::<String>::new());
    assert_eq!(
        refused(151),
        ["book/src/one.md:1: this page shows 453 lines of the main path, at most 450: make two pages of it"]
    );
}

/// What a binary stands on may be used by the binary alone; the crate's root hands it out.
#[test]
fn a_main_path_that_stands_on_the_stage() {
    let folder = workspace("//! One.\nmod plan;\nmod tried;\npub use tried::try_it;\n");
    let write = |name: &str, text: &str| {
        std::fs::write(folder.path().join("chapters/01-one/src").join(name), text).unwrap()
    };
    write("tried.rs", "//! Stage: a root to try it on.\npub fn try_it() {\n    1\n}\n");
    write(
        "plan.rs",
        "//! The plan.\nuse crate::{Other, tried};\nfn more() {\n    crate::try_it();\n    try_it();\n}\n#[cfg(test)]\nmod tests {\n    fn f() {\n        crate::try_it();\n    }\n}\n",
    );
    insta::assert_snapshot!(told(weave(folder.path(), &[page("one.md", "Text.\n")])).join("\n"), @"
    chapters/01-one/src/plan.rs:2: tried is of this chapter's stage, marked `//! Stage:`: only its binary may use it
    chapters/01-one/src/plan.rs:4: try_it is of this chapter's stage, marked `//! Stage:`: only its binary may use it
    ");
}

#[test]
fn a_diagram_that_there_is_not() {
    assert_eq!(refused("{{#diagram spawn}}\n"), Vec::<String>::new());
    assert_eq!(
        refused("{{#diagram gone}}\n"),
        [
            "book/src/one.md:1: no diagram gone: there are mount-plan, spawn, id-maps, capability-sets, seccomp-filter, cgroup-tree"
        ]
    );
}

#[test]
fn the_long_tail_is_named() {
    let folder = workspace("//! One.\n");
    let woven = weave(folder.path(), &[page("one.md", "{{#long-tail one}}\n")])
        .unwrap_or_else(|defects| panic!("{defects:?}"));
    insta::assert_snapshot!(woven.pages[Path::new("one.md")]);
    assert_eq!(told(weave(folder.path(), &[page("one.md", "{{#long-tail three}}\n")])).len(), 1);
}

#[test]
fn the_container_so_far_is_a_difference() {
    let folder = workspace("//! One.\n");
    let woven = weave(folder.path(), &[page("one.md", "{{#so-far one two}}\n")])
        .unwrap_or_else(|defects| panic!("{defects:?}"));
    insta::assert_snapshot!(woven.pages[Path::new("one.md")]);
    assert_eq!(
        told(weave(folder.path(), &[page("one.md", "{{#so-far one}}\n{{#so-far one three}}\n")])).len(),
        2
    );
}
