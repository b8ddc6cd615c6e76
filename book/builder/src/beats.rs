//! Beats: the prose since the last heading or snippet goes beside the code that it tells, as one row of the page.

use crate::Defect;
use crate::page::Directive;
use crate::sources::Sources;
use crate::weave::Part;

/// A page's Markdown, with the parts that are made late.
pub fn lay_out(
    parts: &[Part],
    sources: &Sources,
    later: impl Fn(&Directive) -> Result<String, Defect>,
) -> Result<String, Defect> {
    let mut page = String::new();
    let mut prose = String::new();
    for part in parts {
        match part {
            Part::Line(line) if line.starts_with('#') => {
                page.push_str(&std::mem::take(&mut prose));
                page.push_str(&format!("{line}\n"));
            }
            Part::Line(line) => prose.push_str(&format!("{line}\n")),
            Part::Snippet(snippet) => {
                page.push_str(&beat(&std::mem::take(&mut prose), &snippet.html(sources)))
            }
            Part::Html(html) => page.push_str(&block(&std::mem::take(&mut prose), html)),
            Part::Later(directive) => page.push_str(&block(&std::mem::take(&mut prose), &later(directive)?)),
        }
    }
    Ok(page + &prose)
}

fn beat(prose: &str, code: &str) -> String {
    let prose = prose.trim();
    if prose.is_empty() {
        return format!("\n<div class=\"beat\">\n{code}\n</div>\n\n");
    }
    // The empty lines let the prose be Markdown inside of the elements.
    format!("\n<div class=\"beat\"><div class=\"prose\">\n\n{prose}\n\n</div>\n{code}\n</div>\n\n")
}

fn block(prose: &str, html: &str) -> String {
    format!("{prose}\n{html}\n\n")
}
