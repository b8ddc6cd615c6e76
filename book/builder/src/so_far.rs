//! The container so far: what a chapter's binary has that the binary of the chapter before has not.

use crate::highlight::escape;
use crate::page::Directive;
use crate::sources::{SourceFile, Sources};
use crate::{Defect, Page};
use similar::{ChangeTag, TextDiff};

/// Unchanged lines around a change.
const CONTEXT: usize = 2;

/// `{{#so-far EARLIER LATER}}`: the difference between the two `main.rs`.
pub fn so_far(page: &Page, directive: &Directive, sources: &Sources) -> Result<String, Defect> {
    let defect = |remedy: String| page.defect(directive.line, remedy);
    let [earlier, later] = directive.arguments.as_slice() else {
        return Err(defect("name the chapter before and this one: `{{#so-far chroot namespaces}}`".into()));
    };
    let missing = |package: &str| defect(format!("{package} has no binary: correct its name"));
    let earlier = binary(sources, earlier).ok_or_else(|| missing(earlier))?;
    let later = binary(sources, later).ok_or_else(|| missing(later))?;
    Ok(difference(earlier, later))
}

fn binary<'a>(sources: &'a Sources, package: &'a str) -> Option<&'a SourceFile> {
    sources.files_of(package).find(|file| file.module == "main")
}

fn difference(earlier: &SourceFile, later: &SourceFile) -> String {
    let diff = TextDiff::from_lines(&earlier.text, &later.text);
    let mut lines = Vec::new();
    for (index, group) in diff.grouped_ops(CONTEXT).iter().enumerate() {
        if index > 0 {
            lines.push("<span class=\"line gap\">⋯</span>".to_string());
        }
        for change in group.iter().flat_map(|operation| diff.iter_changes(operation)) {
            let (class, sign) = match change.tag() {
                ChangeTag::Delete => ("removed", '-'),
                ChangeTag::Insert => ("added", '+'),
                ChangeTag::Equal => ("kept", ' '),
            };
            let text = escape(change.value().trim_end_matches('\n'));
            lines.push(format!("<span class=\"line {class}\">{sign} {text}</span>"));
        }
    }
    let (before, after) = (earlier.path.display(), later.path.display());
    format!(
        "<figure class=\"difference\"><figcaption><a href=\"source/{before}.html\">{before}</a> → <a href=\"source/{after}.html\">{after}</a>\
         </figcaption><pre tabindex=\"0\"><code>{}</code></pre></figure>",
        lines.join("\n")
    )
}
