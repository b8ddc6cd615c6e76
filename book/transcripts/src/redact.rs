//! What differs from machine to machine gives way to words; what is equal stays equal, and what differs stays different.

use std::path::Path;

/// Replaces the session's folder, the numbers of namespaces and processes, and addresses in memory: each number by a letter, in the
/// order in which they appear.
pub fn redact(text: &str, workspace: &Path) -> String {
    // What came out of a terminal has its line ends; on a page they are a line's end like every other.
    let text = text.replace("\r\n", "\n").replace(&workspace.display().to_string(), "/home/you/coracle");
    let text = processes(&without_addresses(&text));
    let text =
        numbered(&text, "[", "]", "namespace ", |number| number.len() == 10 && number.starts_with("402"));
    text.trim_end().to_string() + "\n"
}

/// `0x7ffcc56b1704` is where it happened to be.
fn without_addresses(text: &str) -> String {
    let mut parts = text.split("0x7ff");
    let mut plain = parts.next().unwrap_or_default().to_string();
    for part in parts {
        plain.push_str("0x…");
        plain.push_str(part.trim_start_matches(|character: char| character.is_ascii_hexdigit()));
    }
    plain
}

/// The numbers of processes, which stand behind `pid`, or name a group of chapter 03's, or are what clone3 returned. Those below
/// 100 are a container's own.
fn processes(text: &str) -> String {
    let mut found = Vec::new();
    for line in text.lines() {
        let after_clone =
            line.strip_prefix("clone3(").and_then(|line| line.rsplit_once(" = ")).map(|(_, number)| number);
        let after_pid =
            ["pid ", "\"pid\": ", "coracle/"].into_iter().flat_map(|word| line.split(word).skip(1));
        for rest in after_pid.chain(after_clone) {
            let number: String = rest.chars().take_while(char::is_ascii_digit).collect();
            if number.len() > 2 && !found.contains(&number) {
                found.push(number);
            }
        }
    }
    found.iter().enumerate().fold(text.to_string(), |text, (at, number)| {
        replace_number(&text, number, &format!("NUMBER {}", char::from(b'A' + at as u8)))
    })
}

/// Replaces a number where it is one, and not a part of a longer one.
fn replace_number(text: &str, number: &str, by: &str) -> String {
    let mut replaced = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(number) {
        let is_part = before.ends_with(|letter: char| letter.is_ascii_digit())
            || after.starts_with(|letter: char| letter.is_ascii_digit());
        replaced.push_str(before);
        replaced.push_str(if is_part { number } else { by });
        rest = after;
    }
    replaced + rest
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
    fn numbers_of_processes_and_addresses_go() {
        let text =
            "kill: can't kill pid 19819: none\npid 1\nclone3({pidfd=0x7ffcc56b1704}, 88) = 19852\n19852 a\n";
        let redacted = redact(text, Path::new("/nowhere"));
        assert_eq!(
            redacted,
            "kill: can't kill pid NUMBER A: none\npid 1\nclone3({pidfd=0x…}, 88) = NUMBER B\nNUMBER B a\n"
        );
    }

    #[test]
    fn a_number_inside_of_another_stays() {
        let redacted = redact("/sys/fs/cgroup/coracle/485/a\n1048576 bytes, 485\n", Path::new("/nowhere"));
        assert_eq!(redacted, "/sys/fs/cgroup/coracle/NUMBER A/a\n1048576 bytes, NUMBER A\n");
    }

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
