//! Stage: what `hello` prints, from inside a container: what makes it one, a fact a line, each with the chapter that built it.
//!
//! Everything is read from /proc and /sys/fs/cgroup, with nothing else in the root than this executable.

mod capabilities;
mod cgroup;
mod facts;
mod mounts;

pub use facts::Fact;

use std::ffi::OsStr;
use std::path::Path;

/// The variable in which a client tells its own namespaces, to be shown beside the container's: `mnt:4026531841 pid:…`.
pub const CALLER: &str = "CORACLE_CALLER";

/// Whether this process was started as `/hello`.
pub fn is_face(program: &OsStr) -> bool {
    Path::new(program).file_name().is_some_and(|name| name == "hello")
}

/// The namespaces of this process, as [`CALLER`] tells them.
pub fn own_namespaces() -> String {
    let known = |kind: &&str| Some(format!("{kind}:{}", facts::namespace(kind)?));
    facts::NAMESPACES.iter().filter_map(known).collect::<Vec<_>>().join(" ")
}

/// The report on the process that asks.
pub fn report() -> String {
    report_with_authors(&[])
}

/// The same, naming who wrote which chapter's crate, where somebody is named.
pub fn report_with_authors(authors: &[(&'static str, &str)]) -> String {
    let facts = facts::all(&std::env::var(CALLER).unwrap_or_default());
    render(&with_authors(facts, authors))
}

/// An author comes first among the facts of a chapter.
fn with_authors(mut facts: Vec<Fact>, authors: &[(&'static str, &str)]) -> Vec<Fact> {
    for (chapter, names) in authors.iter().filter(|(_, names)| !names.is_empty()) {
        let place = facts.iter().position(|fact| fact.chapter == *chapter).unwrap_or(facts.len());
        facts.insert(place, Fact { chapter, name: "written by", value: names.to_string() });
    }
    facts
}

/// The report as a table: the chapter, the fact's name, the fact.
fn render(facts: &[Fact]) -> String {
    let mut text =
        String::from("Hello from a container. This is what makes it one, and the chapter that built it:\n\n");
    for Fact { chapter, name, value } in facts {
        text.push_str(&format!("  {chapter:<14} {name:<13} {value}\n"));
    }
    text.push_str(
        "\nA chapter is a folder of `chapters/`: read it, run it, and build the next one on top.\n",
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fact_is_a_line() {
        let fact = |chapter, name, value: &str| Fact { chapter, name, value: value.into() };
        let facts = [
            fact("01-chroot", "root", "an overlay of 1 layer and a writable one"),
            fact("01-chroot", "mounts", "/ /dev /proc"),
            fact("02-namespaces", "pid", "1"),
        ];
        insta::assert_snapshot!(render(&facts));
    }

    #[test]
    fn authors_are_named_where_there_are_some() {
        let fact = |chapter, name, value: &str| Fact { chapter, name, value: value.into() };
        let facts = || vec![fact("01-chroot", "root", "writable"), fact("02-namespaces", "pid", "1")];
        let authors = [("01-chroot", ""), ("02-namespaces", "Ada")];
        let written = fact("02-namespaces", "written by", "Ada");
        let expected = [facts()[0].clone(), written, facts()[1].clone()];
        assert_eq!(with_authors(facts(), &authors), expected);
    }

    #[test]
    fn the_caller_is_told_in_the_words_that_are_understood() {
        let told = own_namespaces();
        assert!(told.contains("mnt:4"), "{told}");
        let facts = facts::all(&told);
        let shared = facts.iter().filter(|fact| fact.value.ends_with("shared with the caller"));
        assert_eq!(shared.count(), told.split(' ').count(), "{}", render(&facts));
    }
}
