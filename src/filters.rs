//! What `--filter` chooses: names with values, and the patterns that some values are.

use std::collections::BTreeMap;

use crate::error::{Error, ErrorKind, Result};

/// Filters as the API carries them, either form of its JSON flattened: `{"label": ["a=b"]}`.
pub type Filters = BTreeMap<String, Vec<String>>;

/// Refuses a filter that a list does not have, in Docker's words.
pub fn only(filters: &Filters, known: &[&str]) -> Result<()> {
    match filters.keys().find(|name| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => Err(Error::new(ErrorKind::InvalidParameter, format!("Invalid filter '{name}'"))),
    }
}

/// The values of one filter; none means that it chooses everything.
pub fn values<'a>(filters: &'a Filters, name: &str) -> &'a [String] {
    filters.get(name).map_or(&[], Vec::as_slice)
}

/// Whether any value of a filter satisfies `test`; true when the filter is not there.
pub fn any(filters: &Filters, name: &str, test: impl Fn(&str) -> bool) -> bool {
    let values = values(filters, name);
    values.is_empty() || values.iter().any(|value| test(value))
}

/// Whether every wanted label (`key` or `key=value`) is there, and none of the unwanted ones.
pub fn labels(filters: &Filters, labels: &BTreeMap<String, String>) -> bool {
    let has = |wanted: &String| match wanted.split_once('=') {
        Some((key, value)) => labels.get(key).is_some_and(|own| own == value),
        None => labels.contains_key(wanted),
    };
    values(filters, "label").iter().all(has) && !values(filters, "label!").iter().any(has)
}

/// `true`, `1`, `false`, `0`: the one value of a filter that switches.
pub fn switch(filters: &Filters, name: &str) -> Result<Option<bool>> {
    match values(filters, name) {
        [] => Ok(None),
        [value] if value == "true" || value == "1" => Ok(Some(true)),
        [value] if value == "false" || value == "0" => Ok(Some(false)),
        values => Err(Error::new(ErrorKind::InvalidParameter, format!("Invalid filter '{name}={values:?}'"))),
    }
}

/// Go's `path.Match`: `*` and `?` stop at a slash, `[a-z]` and `[^a-z]` are sets, a backslash takes the sign out of the next.
pub fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    matches_here(&pattern, &text)
}

fn matches_here(pattern: &[char], text: &[char]) -> bool {
    match (pattern, text) {
        ([], _) => text.is_empty(),
        (['*', rest @ ..], _) => {
            let reach = text.iter().position(|c| *c == '/').unwrap_or(text.len());
            (0..=reach).any(|skip| matches_here(rest, &text[skip..]))
        }
        (['?', rest @ ..], [c, after @ ..]) => *c != '/' && matches_here(rest, after),
        (['[', rest @ ..], [c, after @ ..]) => {
            let Some(end) = rest.iter().skip(1).position(|c| *c == ']').map(|end| end + 1) else {
                return false;
            };
            in_set(&rest[..end], *c) && matches_here(&rest[end + 1..], after)
        }
        (['\\', sign, rest @ ..] | [sign, rest @ ..], [c, after @ ..]) => {
            sign == c && matches_here(rest, after)
        }
        _ => false,
    }
}

fn in_set(set: &[char], c: char) -> bool {
    let (negated, set) = match set {
        ['^', rest @ ..] => (true, rest),
        _ => (false, set),
    };
    let ranges = set.windows(3).any(|w| w[1] == '-' && (w[0]..=w[2]).contains(&c));
    (ranges || set.contains(&c)) != negated
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_gos() {
        for (pattern, text, expected) in [
            ("busybox", "busybox", true),
            ("busy*", "busybox", true),
            ("*", "a/b", false),
            ("a/*", "a/b", true),
            ("b?sy[a-c]*", "busybox", true),
            ("[^b]*", "busybox", false),
            ("busy", "busybox", false),
            (r"\*", "*", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn labels_are_all_wanted() {
        let own = BTreeMap::from([("a".to_owned(), "1".to_owned())]);
        let filters = |value: &str| Filters::from([("label".to_owned(), vec![value.to_owned()])]);
        assert!(labels(&filters("a"), &own) && labels(&filters("a=1"), &own));
        assert!(!labels(&filters("a=2"), &own) && !labels(&filters("b"), &own));
        assert_eq!(
            only(&filters("a"), &["name"]).expect_err("unknown").to_string(),
            "Invalid filter 'label'"
        );
    }
}
