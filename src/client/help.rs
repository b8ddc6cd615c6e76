//! What `--help` prints, and what is printed when no verb was named, or one that does not exist.

use super::failure::{Error, Result};
use super::terminal;
use super::verbs::{GROUPS, NOT_YET, VERBS, find};
use clap::{Arg, Command};

/// What the executable is besides a client (see `main.rs`), each with a help of its own.
const FACES: [(&str, &str); 2] = [
    ("daemon", "Run the engine, or stop it: coracle daemon stop"),
    ("oci", "Run containers from bundles, with the command line of runc"),
];

/// The answer to a command line without a known verb.
pub fn without_verb(words: &[String], wanted: bool) -> Result<()> {
    let known = |word: &String| GROUPS.iter().find(|(group, _)| group == word);
    match words {
        [] if wanted => print!("{}", overview()),
        [] => {
            eprint!("{}", overview());
        }
        [word, rest @ ..] if word == "help" => return help_of(rest),
        [word, rest @ ..] if known(word).is_some() => return group(known(word), rest),
        [word, ..] if NOT_YET.contains(&word.as_str()) => {
            return Err(Error::usage(format!("coracle {word} is not supported yet")));
        }
        [word, ..] => {
            let text = format!(
                "coracle: unknown command: coracle {word}\n\nRun 'coracle --help' for more information"
            );
            return Err(Error::usage(text));
        }
    }
    Ok(())
}

/// `coracle help run`
fn help_of(words: &[String]) -> Result<()> {
    let face = FACES.iter().find(|(name, _)| words.first().is_some_and(|word| word == name));
    match (find(words), face) {
        (Some((entry, ..)), _) => print!("{}", (entry.verb.help)(width())),
        (None, Some((name, about))) => {
            println!("{about}\n\nRun 'coracle {name} --help' for more information.")
        }
        (None, None) => return without_verb(words, true),
    }
    Ok(())
}

fn group(group: Option<&(&str, &str)>, rest: &[String]) -> Result<()> {
    let (name, about) = group.copied().unwrap_or_default();
    match rest {
        [] => {}
        [word] if word == "--help" => {}
        [word, ..] => {
            let usage = format!("Usage:  coracle {name}\n\nRun 'coracle {name} --help' for more information");
            return Err(Error::usage(format!("coracle: unknown command: coracle {name} {word}\n\n{usage}")));
        }
    }
    let verbs = VERBS.iter().filter_map(|entry| {
        let verb = entry.names.iter().find_map(|long| long.strip_prefix(name)?.strip_prefix(' '))?;
        Some((verb, entry.verb.about))
    });
    println!("Usage:  coracle {name} COMMAND\n\n{about}\n\nCommands:\n{}", columns(verbs));
    println!("Run 'coracle {name} COMMAND --help' for more information on a command.");
    Ok(())
}

fn overview() -> String {
    let verbs = VERBS.iter().map(|entry| (entry.names[0], entry.verb.about));
    format!(
        "Usage:  coracle [OPTIONS] COMMAND\n\n\
         A container engine small enough to read\n\n\
         Commands:\n{}\n\
         Management Commands:\n{}\n\
         Global Options:\n\
         \x20 -D, --debug         Tell every request to standard error\n\
         \x20 -H, --host string   Daemon socket to connect to (also CORACLE_HOST, DOCKER_HOST); without one, a daemon of\n\
         \x20                     your own is started\n\
         \x20 -v, --version       Print version information and quit\n\n\
         Run 'coracle COMMAND --help' for more information on a command.\n",
        columns(verbs.filter(|(name, _)| !name.contains(' '))),
        columns(GROUPS.iter().copied().chain(FACES)),
    )
}

fn columns<'a>(lines: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut lines: Vec<String> = lines.map(|(name, about)| format!("  {name:<11} {about}\n")).collect();
    lines.sort();
    lines.concat()
}

/// How wide help may be: as wide as the terminal, within reason.
pub fn width() -> usize {
    terminal::size().map_or(100, |(_, columns)| usize::from(columns).clamp(60, 120))
}

/// The help of one verb, at most `width` wide: usage, purpose, and its flags in alphabetical order.
pub fn of_verb(command: &Command, usage: &str, about: &str, width: usize) -> String {
    let mut flags: Vec<&Arg> =
        command.get_arguments().filter(|arg| !arg.is_hide_set() && arg.get_long().is_some()).collect();
    flags.sort_by_key(|arg| arg.get_long());
    let names: Vec<String> = flags.iter().map(|arg| flag_name(arg)).collect();
    let column = names.iter().map(String::len).max().unwrap_or(0) + 3;
    let mut text = format!("Usage:  coracle {usage}\n\n{about}\n\nOptions:\n");
    for (name, flag) in names.iter().zip(flags) {
        let lines = wrapped(&flag_about(flag), width.saturating_sub(column).max(20));
        let indent = format!("\n{}", " ".repeat(column));
        text.push_str(&format!("{name:column$}{}\n", lines.join(&indent)));
    }
    text
}

/// `  -m, --memory bytes`
fn flag_name(flag: &Arg) -> String {
    let short = flag.get_short().map_or("    ".to_string(), |letter| format!("-{letter}, "));
    let takes_value = matches!(flag.get_action(), clap::ArgAction::Set | clap::ArgAction::Append);
    let value = flag.get_value_names().and_then(|names| names.first()).filter(|_| takes_value);
    let value = value.map(|name| format!(" {name}")).unwrap_or_default();
    format!("  {short}--{}{value}", flag.get_long().unwrap_or_default())
}

fn flag_about(flag: &Arg) -> String {
    let about = flag.get_help().map(ToString::to_string).unwrap_or_default();
    let defaults = flag.get_default_values();
    match defaults.first().and_then(|value| value.to_str()) {
        Some(value) if !flag.is_hide_default_value_set() && !value.is_empty() => {
            format!("{about} (default {value})")
        }
        _ => about,
    }
}

fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.last_mut().expect("there is always a line");
        if !last.is_empty() && last.len() + 1 + word.len() > width {
            lines.push(word.to_string());
            continue;
        }
        if !last.is_empty() {
            last.push(' ');
        }
        last.push_str(word);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_not_said_to_come() {
        for name in NOT_YET {
            assert!(
                find(&[name.to_string()]).is_none() && GROUPS.iter().all(|(group, _)| group != name),
                "{name}"
            );
        }
    }

    #[test]
    fn help_of_all_verbs() {
        let all: Vec<String> = VERBS.iter().map(|entry| (entry.verb.help)(100)).collect();
        insta::assert_snapshot!(all.join("\n----\n\n"));
    }

    #[test]
    fn overview_of_all_verbs() {
        insta::assert_snapshot!(overview());
    }
}
