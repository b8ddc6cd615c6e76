//! What is printed when no verb was named, or one that does not exist.

use super::failure::{Error, Result};
use super::verbs::{GROUPS, VERBS};

/// The answer to a command line without a known verb.
pub fn without_verb(words: &[String], wanted: bool) -> Result<()> {
    let known = |word: &String| GROUPS.iter().find(|(group, _)| group == word);
    match words {
        [] if wanted => print!("{}", overview()),
        [] => {
            eprint!("{}", overview());
        }
        [word, rest @ ..] if known(word).is_some() => return group(known(word), rest),
        [word, ..] => {
            let text = format!(
                "coracle: unknown command: coracle {word}\n\nRun 'coracle --help' for more information"
            );
            return Err(Error::usage(text));
        }
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
            return Err(Error::usage(format!(
                "coracle: unknown command: coracle {name} {word}\n\n{usage}"
            )));
        }
    }
    let verbs = VERBS.iter().filter_map(|entry| {
        let verb = entry
            .names
            .iter()
            .find_map(|long| long.strip_prefix(name)?.strip_prefix(' '))?;
        Some((verb, entry.verb.about))
    });
    println!(
        "Usage:  coracle {name} COMMAND\n\n{about}\n\nCommands:\n{}",
        columns(verbs)
    );
    println!("Run 'coracle {name} COMMAND --help' for more information on a command.");
    Ok(())
}

fn overview() -> String {
    let verbs = VERBS.iter().map(|entry| (entry.names[0], entry.verb.about));
    let own = [("daemon", "Run the engine, or stop it: coracle daemon stop")];
    format!(
        "Usage:  coracle [OPTIONS] COMMAND\n\n\
         A container engine small enough to read\n\n\
         Commands:\n{}\n\
         Management Commands:\n{}\n\
         Global Options:\n\
         \x20 -D, --debug         Enable debug mode\n\
         \x20 -H, --host string   Daemon socket to connect to (also CORACLE_HOST, DOCKER_HOST); without one, a daemon of\n\
         \x20                     your own is started\n\
         \x20 -v, --version       Print version information and quit\n\n\
         Run 'coracle COMMAND --help' for more information on a command.\n",
        columns(verbs.filter(|(name, _)| !name.contains(' '))),
        columns(GROUPS.iter().copied().chain(own)),
    )
}

fn columns<'a>(lines: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut lines: Vec<String> = lines
        .map(|(name, about)| format!("  {name:<11} {about}\n"))
        .collect();
    lines.sort();
    lines.concat()
}
