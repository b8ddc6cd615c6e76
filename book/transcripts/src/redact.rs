//! What differs from machine to machine gives way to words; what is equal stays equal, and what differs stays different.

use std::path::Path;

/// Replaces the session's folder, and the numbers of namespaces and processes: each by the order in which it appears.
pub fn redact(text: &str, workspace: &Path) -> String {
    let text = text.replace(&workspace.display().to_string(), "/home/you/coracle");
    let text =
        numbered(&text, "[", "]", "namespace ", |number| number.len() == 10 && number.starts_with("402"));
    text.trim_end().to_string() + "\n"
}

/// Every number between two marks that is wanted becomes a letter with a word before it.
fn numbered(text: &str, open: &str, close: &str, word: &str, wanted: fn(&str) -> bool) -> String {
    let mut seen = Vec::<String>::new();
    let (mut redacted, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once(open) {
        redacted.push_str(before);
        redacted.push_str(open);
        rest = after;
        let number = after.split_once(close).map(|(number, _)| number);
        if let Some(number) =
            number.filter(|number| number.bytes().all(|byte| byte.is_ascii_digit()) && wanted(number))
        {
            let at = seen.iter().position(|one| one == number).unwrap_or_else(|| {
                seen.push(number.to_string());
                seen.len() - 1
            });
            redacted.push_str(&format!("{word}{}", char::from(b'A' + at as u8)));
            rest = &after[number.len()..];
        }
    }
    redacted + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_equal_stays_equal() {
        let text = "/tmp/x/coracle/a mnt:[4026531832] mnt:[4026532341] mnt:[4026531832] [12]\n\n";
        let redacted = redact(text, Path::new("/tmp/x/coracle"));
        assert_eq!(
            redacted,
            "/home/you/coracle/a mnt:[namespace A] mnt:[namespace B] mnt:[namespace A] [12]\n"
        );
    }
}
