//! Lines of a source as a coloured listing, without what indents all of them.

use crate::highlight::rust;
use std::collections::BTreeSet;

/// Some lines of a file.
pub struct Listing<'a> {
    /// Which, from 1.
    pub lines: BTreeSet<usize>,
    /// Those of them that are told from the others.
    pub aside: BTreeSet<usize>,
    /// By this class.
    pub class: &'a str,
}

impl Listing<'_> {
    /// The listing as HTML without an empty line.
    pub fn html(&self, text: &str) -> String {
        let all: Vec<&str> = text.lines().collect();
        let chosen: Vec<&str> = self.lines.iter().filter_map(|line| all.get(line - 1).copied()).collect();
        let coloured = rust(&dedented(&chosen).join("\n"));
        let mut html = String::new();
        let mut last = None;
        for (number, line) in self.lines.iter().zip(&coloured) {
            // Where lines are left out and one of them is empty, the listing has an empty one as well.
            let left_out = last.map_or(*number, |last| last + 1)..*number;
            let text_of = |line: usize| all.get(line - 1).map_or("", |line| line.trim());
            // A block does not begin or end with it.
            let is_edge = last.is_some_and(|last| text_of(last).ends_with('{')) || text_of(*number) == "}";
            if !is_edge && left_out.into_iter().any(|line| text_of(line).is_empty()) {
                html.push_str("<span class=\"line\"></span>\n");
            }
            let aside = if self.aside.contains(number) { format!(" {}", self.class) } else { String::new() };
            html.push_str(&format!("<span class=\"line{aside}\">{line}</span>\n"));
            last = Some(*number);
        }
        format!("<pre class=\"rust\" tabindex=\"0\"><code>{}</code></pre>", html.trim_end())
    }
}

fn dedented<'a>(lines: &[&'a str]) -> Vec<&'a str> {
    let is_text = |line: &&&str| !line.trim().is_empty();
    let indent = lines.iter().filter(is_text).map(|line| line.len() - line.trim_start().len()).min();
    lines.iter().map(|line| line.get(indent.unwrap_or(0)..).unwrap_or_default()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_apart_stay_apart() {
        let text = "  a\n  // b\n  c\n\n  d\n";
        let html = Listing { lines: [1, 3, 5].into(), aside: [5].into(), class: "seen" }.html(text);
        let lines = [
            "<span class=\"line\">a</span>",
            "<span class=\"line\">c</span>",
            "<span class=\"line\"></span>",
            "<span class=\"line seen\">d</span>",
        ];
        assert_eq!(
            html,
            format!("<pre class=\"rust\" tabindex=\"0\"><code>{}</code></pre>", lines.join("\n"))
        );
    }

    #[test]
    fn a_block_does_not_begin_or_end_with_an_empty_line() {
        let text = "impl A {\n    b\n\n    c\n\n    d\n}\n";
        let html = Listing { lines: [1, 4, 7].into(), aside: [].into(), class: "" }.html(text);
        assert!(!html.contains("<span class=\"line\"></span>"), "{html}");
    }
}
