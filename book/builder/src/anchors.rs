//! Anchors: `// ANCHOR: name` … `// ANCHOR_END: name` inside a function, where an item's path cannot point.

use crate::Defect;
use std::ops::RangeInclusive;
use std::path::Path;

/// A part of a function that has a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    /// Its name, unique in its file.
    pub name: String,
    /// The lines between its marks; empty where there is none.
    pub lines: RangeInclusive<usize>,
}

/// The anchors of a file.
pub fn of_file(path: &Path, text: &str) -> Result<Vec<Anchor>, Vec<Defect>> {
    let (mut anchors, mut open, mut defects) =
        (Vec::<Anchor>::new(), Vec::<(String, usize)>::new(), Vec::new());
    for (index, text) in text.lines().enumerate() {
        let line = index + 1;
        match mark(text) {
            Some((true, name))
                if open.iter().any(|one| one.0 == name) || anchors.iter().any(|one| one.name == name) =>
            {
                defects.push(Defect::new(
                    path,
                    line,
                    format!("the anchor {name} begins twice: give it another name"),
                ));
            }
            Some((true, name)) => open.push((name.to_string(), line)),
            Some((false, name)) => match open.iter().position(|one| one.0 == name) {
                Some(at) => {
                    let (name, begin) = open.remove(at);
                    anchors.push(Anchor { name, lines: begin + 1..=line - 1 });
                }
                None => {
                    let remedy =
                        format!("the anchor {name} ends without a beginning: add `// ANCHOR: {name}`");
                    defects.push(Defect::new(path, line, remedy));
                }
            },
            None => {}
        }
    }
    for (name, line) in open {
        let remedy = format!("the anchor {name} does not end: add `// ANCHOR_END: {name}`");
        defects.push(Defect::new(path, line, remedy));
    }
    if defects.is_empty() { Ok(anchors) } else { Err(defects) }
}

/// Whether a line is an anchor's mark: the beginning (true) or the end, and its name.
pub fn mark(line: &str) -> Option<(bool, &str)> {
    let line = line.trim();
    let begins = line.strip_prefix("// ANCHOR: ").map(|name| (true, name.trim()));
    begins.or_else(|| line.strip_prefix("// ANCHOR_END: ").map(|name| (false, name.trim())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anchors_may_lie_in_each_other() {
        let text = "// ANCHOR: a\none\n  // ANCHOR: b\ntwo\n// ANCHOR_END: b\n// ANCHOR_END: a\n";
        let expected = [Anchor { name: "b".into(), lines: 4..=4 }, Anchor { name: "a".into(), lines: 2..=5 }];
        assert_eq!(of_file(Path::new("x.rs"), text).unwrap(), expected);
    }

    #[test]
    fn halves_and_doubles_are_defects() {
        let text = "// ANCHOR: a\n// ANCHOR_END: b\n// ANCHOR: a\n";
        let defects = of_file(Path::new("x.rs"), text).unwrap_err();
        assert_eq!(defects.iter().map(|defect| defect.line).collect::<Vec<_>>(), [2, 3, 1]);
    }
}
