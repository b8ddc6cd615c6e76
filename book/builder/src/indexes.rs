//! Indexes that are read off the code: which system calls are made where, which errors are expected, and where the book shows it.

use crate::Page;
use crate::highlight::escape;
use crate::snippet::Snippet;
use crate::sources::{SourceFile, Sources};
use std::collections::{BTreeMap, BTreeSet};

/// What the pages show, so that an index can say where.
pub type Shown<'a> = [(&'a Page, &'a Snippet)];

/// Where something is in the code.
type Places<'a> = BTreeMap<String, Vec<(&'a SourceFile, usize)>>;

/// `{{#system-calls}}`: every call that can fail by its name, as its error prints it.
pub fn system_calls(sources: &Sources, shown: &Shown) -> String {
    let mut places = Places::new();
    for file in &sources.files {
        for (line, name) in calls(&file.text) {
            places.entry(name).or_default().push((file, line));
        }
    }
    table("system call", &places, shown, &|_| BTreeSet::new())
}

/// The system calls of a file: `.strace(|| "name(…"`, `.strace(|| format!("name(…"`, or such a closure that is named `call` first.
fn calls(text: &str) -> Vec<(usize, String)> {
    let call = |(at, mark): (usize, &str)| {
        let after = &text[at + mark.len()..];
        let quoted = after.split_once('"').filter(|(before, _)| before.len() < 40)?.1;
        let name = quoted.split_once('(')?.0;
        let is_name = !name.is_empty()
            && name.chars().all(|character| character.is_ascii_alphanumeric() || character == '_');
        is_name.then(|| (text[..at].matches('\n').count() + 1, name.to_string()))
    };
    let mut calls: Vec<_> = ["strace(||", "let call ="]
        .iter()
        .flat_map(|mark| text.match_indices(mark))
        .filter_map(call)
        .collect();
    calls.sort();
    calls
}

/// `{{#errors}}`: every errno that the code expects, and the pages that name it.
pub fn errors(sources: &Sources, shown: &Shown, pages: &[Page]) -> String {
    let mut places = Places::new();
    for file in &sources.files {
        for (line, name) in errnos(&file.text) {
            places.entry(name).or_default().push((file, line));
        }
    }
    let named = |name: &str| {
        let word = format!("`{name}`");
        pages.iter().filter(|page| page.text.contains(&word)).map(Page::address).collect()
    };
    table("error", &places, shown, &named)
}

/// The errnos of a file's code, by the names of errno(3).
fn errnos(text: &str) -> Vec<(usize, String)> {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let mut found = Vec::new();
    for (index, line) in code.lines().enumerate().filter(|(_, line)| !line.trim().starts_with("//")) {
        // In `rustix::io::Errno::LOOP | rustix::io::Errno::NOTDIR` each name has its crate before it.
        for (at, mark) in line.match_indices("Errno::") {
            let rest = &line[at + mark.len()..];
            let name: String = rest
                .chars()
                .take_while(|character| character.is_ascii_uppercase() || character.is_ascii_digit())
                .collect();
            if name.len() > 1 {
                found.push((index + 1, with_its_e(name)));
            }
        }
    }
    found
}

/// nix writes `Errno::ENOENT`, rustix `Errno::NOENT`; of the names that begin with an E after theirs there is one, EEXIST.
fn with_its_e(name: String) -> String {
    if name.starts_with('E') && name != "EXIST" { name } else { format!("E{name}") }
}

/// `{{#cves}}`: every attack that a comment in the code or a page speaks of.
pub fn cves(sources: &Sources, shown: &Shown, pages: &[Page]) -> String {
    let mut places = Places::new();
    for page in pages {
        for (_, name) in cve_numbers(&page.text) {
            places.entry(name).or_default();
        }
    }
    for file in &sources.files {
        for (line, name) in cve_numbers(&file.text) {
            places.entry(name).or_default().push((file, line));
        }
    }
    let named =
        |name: &str| pages.iter().filter(|page| page.text.contains(name)).map(Page::address).collect();
    table("number", &places, shown, &named)
}

fn cve_numbers(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for rest in line.split("CVE-").skip(1) {
            let number: String = rest
                .chars()
                .take_while(|character| character.is_ascii_digit() || *character == '-')
                .collect();
            if number.len() > 5 {
                found.push((index + 1, format!("CVE-{}", number.trim_end_matches('-'))));
            }
        }
    }
    found
}

fn table(title: &str, places: &Places, shown: &Shown, named: &dyn Fn(&str) -> BTreeSet<String>) -> String {
    let mut html = format!(
        "<div class=\"table\"><table class=\"index\"><thead><tr><th>{title}</th><th>in the code</th><th>in the book</th></tr></thead><tbody>"
    );
    for (name, places) in places {
        let code: Vec<String> = places
            .iter()
            .map(|(file, line)| {
                let path = file.path.display();
                let short = file.path.strip_prefix("chapters").unwrap_or(&file.path).display();
                format!("<a href=\"source/{path}.html#L{line}\">{}:{line}</a>", escape(&short.to_string()))
            })
            .collect();
        let mut pages = named(name);
        for (file, line) in places {
            let shows =
                |(_, snippet): &&(&Page, &Snippet)| snippet.file == file.path && snippet.shown.contains(line);
            pages.extend(shown.iter().filter(shows).map(|(page, _)| page.address()));
        }
        let book: Vec<String> = pages
            .iter()
            .map(|address| format!("<a href=\"{address}\">{}</a>", address.trim_end_matches(".html")))
            .collect();
        html.push_str(&format!(
            "<tr><td><code>{}</code></td><td>{}</td><td>{}</td></tr>",
            escape(name),
            code.join(" "),
            book.join(" ")
        ));
    }
    html + "</tbody></table></div>"
}

/// `{{#long-tail PACKAGE}}`: the modules beside the main path, each with what it says of itself.
pub fn long_tail(sources: &Sources, package: &str) -> String {
    let list = |mark: &str, title: &str| {
        let items: String = sources.files_of(package).filter_map(|file| marked(file, mark)).collect();
        if items.is_empty() { String::new() } else { format!("<p>{title}</p><ul>{items}</ul>") }
    };
    format!(
        "<div class=\"long-tail\">{}{}</div>",
        list("//! Long tail: ", "The long tail of this chapter, named and not told:"),
        list("//! Stage: ", "On what its binary stands, so that it can be tried:")
    )
}

/// What stands between backticks is code.
fn with_code(text: &str) -> String {
    let pieces = text.split('`').enumerate();
    pieces
        .map(|(index, piece)| if index % 2 == 1 { format!("<code>{piece}</code>") } else { piece.to_owned() })
        .collect()
}

fn marked(file: &SourceFile, mark: &str) -> Option<String> {
    let path = file.path.display();
    let what = first_sentence(file.text.strip_prefix(mark)?);
    let (module, what) = (escape(&file.module), with_code(&escape(&what)));
    Some(format!("<li><a href=\"source/{path}.html\">{module}</a>: {what}</li>"))
}

/// What a file says of itself, to the first full stop: `text` begins behind the mark, and goes on in lines of the same comment.
fn first_sentence(text: &str) -> String {
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default();
    let others = lines.map_while(|line| line.strip_prefix("//! "));
    let whole = [first].into_iter().chain(others).collect::<Vec<_>>().join(" ");
    whole.split_once(". ").map_or(whole.clone(), |(sentence, _)| format!("{sentence}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backticks_are_code() {
        assert_eq!(with_code("a `b` c: `d`"), "a <code>b</code> c: <code>d</code>");
    }

    #[test]
    fn a_sentence_may_have_several_lines() {
        let text = "what is so (config.md, \"The\n//! State\"). More.\n//!\n//! Else.\n\nuse a;\n";
        assert_eq!(first_sentence(text), "what is so (config.md, \"The State\").");
        assert_eq!(first_sentence("one line, and no stop\nuse a;\n"), "one line, and no stop");
    }

    #[test]
    fn calls_and_errors_are_read_off_the_code() {
        let text = "a.strace(|| \"fchdir(root)\".into());\nb\n    .strace(|| format!(\"mount({x})\"));\nc.strace(|| name.clone());\nlet call =\n    || format!(\"bpf({x})\");\n";
        assert_eq!(calls(text), [(1, "fchdir".into()), (3, "mount".into()), (5, "bpf".into())]);
        let text = "Errno::ENOENT | rustix::io::Errno::LOOP\n// Errno::EPERM\nErrno::last()\n";
        assert_eq!(
            cve_numbers("a\n(CVE-2019-19921, CVE-2024-21626)."),
            [(2, "CVE-2019-19921".into()), (2, "CVE-2024-21626".into())]
        );
        assert_eq!(errnos(text), [(1, "ENOENT".into()), (1, "ELOOP".into())]);
        let names = errnos("Errno::AGAIN | Errno::EXIST\nErrno::EEXIST").into_iter().map(|(_, name)| name);
        assert_eq!(names.collect::<Vec<_>>(), ["EAGAIN", "EEXIST", "EEXIST"]);
    }
}
