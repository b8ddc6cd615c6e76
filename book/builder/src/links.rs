//! Links: to pages and headings that are there, relative so that the site opens from `file://`.

use crate::{Defect, Page, prose};
use pulldown_cmark::{Event, Parser, Tag, TagEnd};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The dead links of a page.
pub fn check_page(page: &Page, pages: &[Page]) -> Vec<Defect> {
    let text = prose::without_directives(page);
    let mut defects = Vec::new();
    for (event, range) in Parser::new_ext(&text, prose::options()).into_offset_iter() {
        if let Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) = event {
            let line = text[..range.start].matches('\n').count() + 1;
            defects.extend(dead(page, pages, &dest_url).map(|remedy| page.defect(line, remedy)));
        }
    }
    defects
}

fn dead(page: &Page, pages: &[Page], target: &str) -> Option<String> {
    if target.starts_with("https://") {
        return None;
    }
    if target.starts_with('/') || target.contains("://") {
        return Some(format!("{target} does not work from a file: link to another page as `page.md`"));
    }
    let (path, heading) = target.split_once('#').unwrap_or((target, ""));
    let there =
        if path.is_empty() { Some(page) } else { pages.iter().find(|page| page.path == Path::new(path)) };
    let Some(there) = there else {
        return Some(format!("no page {path} in SUMMARY.md: correct the link"));
    };
    let is_there = heading.is_empty() || headings(there).contains(heading);
    (!is_there).then(|| format!("{} has no heading #{heading}: correct the link", there.path.display()))
}

/// The ids of a page's headings, as mdBook makes them.
fn headings(page: &Page) -> BTreeSet<String> {
    let text = prose::without_directives(page);
    let (mut ids, mut heading) = (BTreeSet::new(), None::<String>);
    for event in Parser::new_ext(&text, prose::options()) {
        match (event, &mut heading) {
            (Event::Start(Tag::Heading { .. }), _) => heading = Some(String::new()),
            (Event::Text(words) | Event::Code(words), Some(heading)) => heading.push_str(&words),
            (Event::End(TagEnd::Heading(_)), Some(text)) => {
                ids.insert(id(text));
                heading = None;
            }
            _ => {}
        }
    }
    ids
}

/// The id that mdBook gives to a heading.
pub fn id(heading: &str) -> String {
    let kept = |character: char| match character {
        '_' | '-' => Some(character),
        _ if character.is_alphanumeric() => Some(character),
        _ => character.is_whitespace().then_some('-'),
    };
    heading.trim().to_lowercase().chars().filter_map(kept).collect()
}

/// Every address in the site that was built leads to a file and an id that are there: also those that the builder made.
pub fn check_site(site: &Path, pages: &[Page]) -> Vec<Defect> {
    let files = html_files(site);
    let read = |path: &PathBuf| (path.clone(), std::fs::read_to_string(path).unwrap_or_default());
    let texts: BTreeMap<PathBuf, String> = files.iter().map(read).collect();
    let ids: BTreeMap<&PathBuf, BTreeSet<&str>> =
        texts.iter().map(|(path, text)| (path, values(text, " id=\"").collect())).collect();
    let mut defects = BTreeSet::new();
    for (path, text) in &texts {
        for target in values(text, " href=\"").chain(values(text, " src=\"")) {
            if target.starts_with("https://") || target.starts_with("data:") {
                continue;
            }
            let (file, id) = target.split_once('#').unwrap_or((target, ""));
            let there =
                if file.is_empty() { path.clone() } else { normal(&path.with_file_name("").join(file)) };
            let is_there =
                there.is_file() && (id.is_empty() || ids.get(&there).is_some_and(|ids| ids.contains(id)));
            if !is_there || target.starts_with('/') {
                defects.insert(dead_in_site(site, path, target, pages));
            }
        }
    }
    defects.into_iter().collect()
}

fn dead_in_site(site: &Path, path: &Path, target: &str, pages: &[Page]) -> Defect {
    let below = path.strip_prefix(site).unwrap_or(path);
    let source = pages.iter().find(|page| Path::new(&page.address()) == below);
    let file = source.map_or_else(|| Path::new("target/book").join(below), Page::file);
    Defect::new(file, 1, format!("the built page links to {target}, which is not in the site"))
}

fn values<'a>(text: &'a str, attribute: &'a str) -> impl Iterator<Item = &'a str> {
    text.match_indices(attribute).filter_map(move |(at, _)| text[at + attribute.len()..].split('"').next())
}

fn html_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let below = |path: PathBuf| if path.is_dir() { html_files(&path) } else { vec![path] };
    entries
        .flat_map(below)
        .filter(|path| path.extension().is_some_and(|extension| extension == "html"))
        .collect()
}

/// The path without `..`.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path {
        if part == ".." {
            normal.pop();
        } else {
            normal.push(part);
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_lead_nowhere_are_found() {
        let site = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = site.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("a.html", r#"<p id="x"><a href="b/c.html#y"></a><a href="b/c.html#z"></a><a href="/b"></a>"#);
        write("b/c.html", r##"<p id="y"><a href="../a.html#x"></a><a href="#y"></a><img src="gone.svg">"##);
        let page = Page { path: "a.md".into(), title: String::new(), text: String::new() };
        let found: Vec<String> = check_site(site.path(), &[page]).iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            [
                "book/src/a.md:1: the built page links to /b, which is not in the site",
                "book/src/a.md:1: the built page links to b/c.html#z, which is not in the site",
                "target/book/b/c.html:1: the built page links to gone.svg, which is not in the site",
            ]
        );
    }
}
