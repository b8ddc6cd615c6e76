//! Transcripts: what a chapter's binary said when a test ran it, as insta recorded it.

use crate::highlight::escape;
use crate::page::Directive;
use crate::{Defect, Page};
use std::path::{Path, PathBuf};

/// Where the recorded sessions lie, relative to the workspace.
const FOLDER: &str = "book/transcripts/sessions";

/// A session that was recorded.
pub struct Transcript {
    /// Its file, relative to the workspace.
    pub file: PathBuf,
    text: String,
}

/// `{{#transcript NAME}}`
pub fn transcript(page: &Page, directive: &Directive, workspace: &Path) -> Result<Transcript, Defect> {
    let name = directive.arguments.join(" ");
    let file = Path::new(FOLDER).join(format!("{name}.snap"));
    let missing = || {
        let remedy = format!("no transcript {}: record it by a test in book/transcripts", file.display());
        page.defect(directive.line, remedy)
    };
    let recorded = std::fs::read_to_string(workspace.join(&file)).map_err(|_| missing())?;
    let text = without_header(&recorded).trim_end().to_string();
    if text.is_empty() {
        return Err(page.defect(directive.line, format!("the transcript {name} is empty: record it again")));
    }
    Ok(Transcript { file, text })
}

/// The recorded sessions that no page shows.
pub fn unused(workspace: &Path, used: &[PathBuf]) -> Vec<Defect> {
    let entries = std::fs::read_dir(workspace.join(FOLDER)).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries
        .map(|entry| Path::new(FOLDER).join(entry.file_name()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "snap"))
        .collect();
    files.sort();
    files.retain(|file| !used.contains(file));
    let defect = |file: PathBuf| {
        Defect::new(file, 1, "no page shows this transcript: include it, or remove it with its test")
    };
    files.into_iter().map(defect).collect()
}

/// What follows insta's header.
fn without_header(recorded: &str) -> &str {
    let body = recorded.strip_prefix("---\n").and_then(|rest| rest.split_once("\n---\n"));
    body.map_or(recorded, |(_, body)| body)
}

impl Transcript {
    /// The session as HTML without an empty line.
    pub fn html(&self) -> String {
        let mut goes_on = false;
        let line = |line: &str| {
            let (prompt, command) = match line.strip_prefix("$ ") {
                Some(command) => ("<span class=\"prompt\">$ </span>", command),
                None => ("", line),
            };
            let is_typed = goes_on || !prompt.is_empty();
            goes_on = is_typed && command.ends_with('\\');
            let text = escape(command);
            let text = if is_typed { format!("<span class=\"command\">{text}</span>") } else { text };
            format!("<span class=\"line\">{prompt}{text}</span>")
        };
        let lines: Vec<String> = self.text.lines().map(line).collect();
        format!(
            "<figure class=\"transcript\"><figcaption><span>recorded by a test</span></figcaption>\
             <pre tabindex=\"0\"><code>{}</code></pre></figure>",
            lines.join("\n")
        )
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_typed_is_told_from_what_is_said() {
        let text = "$ cat a \\\n    b\nb \\\nc".to_owned();
        let html = super::Transcript { file: "a.snap".into(), text }.html();
        let typed = |text: &str| format!("<span class=\"command\">{text}</span></span>");
        assert!(html.contains(&typed("cat a \\")) && html.contains(&typed("    b")), "{html}");
        assert!(html.contains("<span class=\"line\">b \\</span>\n<span class=\"line\">c</span>"), "{html}");
    }

    #[test]
    fn the_header_is_not_part_of_a_session() {
        let recorded = "---\nsource: a.rs\nexpression: text\n---\n$ true\n---\n";
        assert_eq!(super::without_header(recorded), "$ true\n---\n");
        assert_eq!(super::without_header("plain"), "plain");
    }
}
