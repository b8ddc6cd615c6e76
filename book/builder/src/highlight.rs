//! Colours for Rust, made when the book is built: no script does it in the page, and it prints.

/// Words of the language.
const KEYWORDS: &[&str] = &[
    "as", "async", "await", "break", "const", "continue", "crate", "dyn", "else", "enum", "extern", "false",
    "fn", "for", "if", "impl", "in", "let", "loop", "match", "mod", "move", "mut", "pub", "ref", "return",
    "self", "Self", "static", "struct", "super", "trait", "true", "type", "unsafe", "use", "where", "while",
];

/// The text as HTML, a line of it for each of its lines.
pub fn rust(text: &str) -> Vec<String> {
    let mut html = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (class, length) = token(rest);
        let (token, after) = rest.split_at(length);
        let at = column(&text[..text.len() - rest.len()]);
        for (index, line) in token.split('\n').enumerate() {
            if index > 0 {
                html.push('\n');
            }
            match class {
                // One that is wrapped has what is right of its own beginning.
                Some(class @ "comment") if at > 0 => html.push_str(&format!(
                    "<span class=\"{class}\" style=\"--at:{at}ch\">{}</span>",
                    escape(line)
                )),
                Some(class) if !line.is_empty() => {
                    html.push_str(&format!("<span class=\"{class}\">{}</span>", escape(line)));
                }
                _ => html.push_str(&escape(line)),
            }
        }
        rest = after;
    }
    html.split('\n').map(String::from).collect()
}

/// How many letters there are since the last line's end.
fn column(before: &str) -> usize {
    before.rsplit('\n').next().map_or(0, |line| line.chars().count())
}

/// The text with what HTML would read as its own written out.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The class and length of the token at the beginning of a text that is not empty.
fn token(text: &str) -> (Option<&'static str>, usize) {
    let first = text.chars().next().expect("a token has a character");
    let until = |end: fn(char) -> bool| text.find(end).unwrap_or(text.len());
    if text.starts_with("//") {
        let length = until(|character| character == '\n');
        return (Some(comment(&text[..length])), length);
    }
    if let Some(length) = string(text) {
        return (Some("string"), length);
    }
    if first == '\'' {
        return character(text);
    }
    if first == '#' && (text.starts_with("#[") || text.starts_with("#![")) {
        return (Some("attribute"), text.find(']').map_or(text.len(), |end| end + 1));
    }
    if first.is_ascii_digit() {
        return (Some("number"), until(|character| !character.is_ascii_alphanumeric() && character != '_'));
    }
    if first.is_alphabetic() || first == '_' {
        let length = until(|character| !character.is_alphanumeric() && character != '_');
        return (word(&text[..length], &text[length..]), length);
    }
    (None, first.len_utf8())
}

/// What is drawn with spaces keeps its columns on a narrow page; prose is wrapped.
fn comment(text: &str) -> &'static str {
    let is_drawn = text.trim_start_matches(['/', '!']).trim_end().contains("  ");
    if is_drawn { "comment drawn" } else { "comment" }
}

fn word(word: &str, after: &str) -> Option<&'static str> {
    if KEYWORDS.contains(&word) {
        Some("keyword")
    } else if after.starts_with('!') && !after.starts_with("!=") {
        Some("macro")
    } else if word.starts_with(char::is_uppercase) {
        Some("type")
    } else if after.starts_with('(') {
        Some("function")
    } else {
        None
    }
}

/// The length of the string literal at the beginning: plain, raw, of bytes, of C.
fn string(text: &str) -> Option<usize> {
    let prefix = ["br", "cr", "b", "c", "r", ""].iter().find(|prefix| {
        let after = text.strip_prefix(**prefix).unwrap_or_default();
        after.starts_with('"') || prefix.ends_with('r') && after.starts_with("#\"")
    })?;
    let body = &text[prefix.len()..];
    if prefix.ends_with('r') {
        let hashes = body.find('"')?;
        let end = format!("\"{}", &body[..hashes]);
        let length = body[hashes + 1..].find(&end).map_or(body.len(), |at| hashes + 1 + at + end.len());
        return Some(prefix.len() + length);
    }
    let mut escaped = false;
    for (at, character) in body.char_indices().skip(1) {
        match character {
            '"' if !escaped => return Some(prefix.len() + at + 1),
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    Some(text.len())
}

/// A character literal, or a lifetime.
fn character(text: &str) -> (Option<&'static str>, usize) {
    let inner: Vec<(usize, char)> = text.char_indices().skip(1).take(12).collect();
    let is_escape = inner.first().is_some_and(|(_, character)| *character == '\\');
    let closing = inner.iter().skip(if is_escape { 2 } else { 1 }).find(|(_, character)| *character == '\'');
    match closing {
        Some((at, _)) if is_escape || *at == 1 + inner[0].1.len_utf8() => (Some("string"), at + 1),
        _ => {
            let end = |character: char| !character.is_alphanumeric() && character != '_';
            (Some("lifetime"), text[1..].find(end).map_or(text.len(), |at| at + 1))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classes(text: &str) -> Vec<(Option<&'static str>, String)> {
        let (mut found, mut rest) = (Vec::new(), text);
        while !rest.is_empty() {
            let (class, length) = token(rest);
            found.push((class, rest[..length].to_string()));
            rest = &rest[length..];
        }
        found.into_iter().filter(|(class, _)| class.is_some()).collect()
    }

    #[test]
    fn what_is_drawn_keeps_its_columns() {
        let html = rust("/// A pipe:\n///   a ──▶ b   c\n///         d\n");
        let classes = ["comment", "comment drawn", "comment drawn"];
        for (line, class) in html.iter().zip(classes) {
            assert!(line.starts_with(&format!("<span class=\"{class}\">")), "{line}");
        }
    }

    #[test]
    fn a_comment_knows_where_it_begins() {
        let html = rust("fn f() {\n    // why\n}\n");
        assert_eq!(html[1], "    <span class=\"comment\" style=\"--at:4ch\">// why</span>");
    }

    #[test]
    fn literals_end_where_they_end() {
        let found = classes(r####"let a = "x\"y"; r#"z"q"#; '\''; 'a'; b"w"; &'a str"####);
        let strings: Vec<_> = found
            .iter()
            .filter(|(class, _)| *class == Some("string"))
            .map(|(_, text)| text.as_str())
            .collect();
        assert_eq!(strings, [r#""x\"y""#, r##"r#"z"q"#"##, r"'\''", "'a'", "b\"w\""]);
        assert!(found.contains(&(Some("lifetime"), "'a".into())));
    }

    #[test]
    fn a_line_is_closed_in_itself() {
        let lines = rust("// <a>\nfn f() {}\n\"b\nc\"");
        insta::assert_snapshot!(lines.join("\n"), @r#"
        <span class="comment">// &lt;a&gt;</span>
        <span class="keyword">fn</span> <span class="function">f</span>() {}
        <span class="string">&quot;b</span>
        <span class="string">c&quot;</span>
        "#);
    }
}
