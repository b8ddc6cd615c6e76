//! Side by side with Debian's dockerd: the same command lines, compared in output, errors and exit code.
//!
//! Both daemons are spoken to at API 1.41, so that the client asks both in the same way. What differs from run to
//! run is redacted by [`redact`]; each redaction is listed there.

use crate::harness::{Engine, Said, Who};
use crate::{needs, test_name};
use std::process::Command;

/// Command lines of docker in the order in which both engines see them; words are split at spaces, `'…'` holds them together.
const LINES: &str = include_str!("parity.txt");

#[test]
fn the_same_command_lines_agree_with_dockerd() {
    needs!(root);
    needs!("docker");
    needs!("dockerd");
    let lines = command_lines(LINES);
    assert!(lines.len() >= 60, "only {} command lines are left", lines.len());
    let (ours, theirs) = std::thread::scope(|scope| {
        let ours = scope.spawn(|| answers(Who::Coracle, &lines));
        let theirs = scope.spawn(|| answers(Who::Dockerd, &lines));
        (ours.join().expect("our engine"), theirs.join().expect("dockerd"))
    });
    let differing: Vec<String> = lines
        .iter()
        .zip(ours.iter().zip(&theirs))
        .filter(|(_, (ours, theirs))| ours != theirs)
        .map(|(line, (ours, theirs))| {
            format!("docker {}\n  ours   {ours:?}\n  theirs {theirs:?}", line.join(" "))
        })
        .collect();
    println!("{}: {} of {} command lines agree", test_name!(), lines.len() - differing.len(), lines.len());
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

/// Both clients against our engine: what a user of docker types and reads is the same, but for the program's name.
#[test]
fn our_client_says_what_dockers_does() {
    needs!(root);
    needs!("docker");
    let lines = command_lines(LINES);
    let said = |client: fn(&Engine, &[&str]) -> Command| {
        let engine = Engine::start();
        engine.import_busybox();
        let said: Vec<Said> = lines.iter().map(|line| answer(&engine, client, line)).collect();
        engine.finish();
        said
    };
    let (ours, theirs) = std::thread::scope(|scope| {
        let ours = scope.spawn(|| said(Engine::coracle_command));
        let theirs = scope.spawn(|| said(Engine::docker_command));
        (ours.join().expect("our client"), theirs.join().expect("docker"))
    });
    let by_any_name = |said: &Said| Said { stderr: said.stderr.replace("coracle", "docker"), ..said.clone() };
    for (line, (ours, theirs)) in lines.iter().zip(ours.iter().zip(&theirs)) {
        assert_eq!(by_any_name(ours), by_any_name(theirs), "{}", line.join(" "));
    }
}

fn answers(who: Who, lines: &[Vec<String>]) -> Vec<Said> {
    let engine = Engine::start_as(who);
    engine.import_busybox();
    let said = lines.iter().map(|line| answer(&engine, Engine::docker_command, line)).collect();
    if who == Who::Coracle {
        engine.finish();
    } else {
        engine.discard();
    }
    said
}

fn answer(engine: &Engine, client: fn(&Engine, &[&str]) -> Command, line: &[String]) -> Said {
    let folder = &engine.folder().display().to_string();
    let line: Vec<String> = line.iter().map(|word| word.replace("FOLDER", folder)).collect();
    let words: Vec<&str> = line.iter().map(String::as_str).collect();
    let mut command = client(engine, &words);
    let said = crate::harness::run(command.env("DOCKER_API_VERSION", "1.41"));
    let redacted = |text: String| redact(&text.replace(folder, "FOLDER"));
    Said { stdout: redacted(said.stdout), stderr: redacted(said.stderr), code: said.code }
}

/// The command lines of a script, one a line; empty lines and those that begin with `#` are for the reader.
fn command_lines(script: &str) -> Vec<Vec<String>> {
    let lines = script.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(words).collect()
}

/// Splits a line into words at spaces; quotes hold a word together.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted, mut begun) = (Vec::new(), String::new(), false, false);
    for character in line.chars() {
        match character {
            '\'' => (quoted, begun) = (!quoted, true),
            ' ' if !quoted => {
                if std::mem::take(&mut begun) {
                    words.push(std::mem::take(&mut word));
                }
            }
            other => {
                word.push(other);
                begun = true;
            }
        }
    }
    if begun {
        words.push(word);
    }
    words
}

/// Replaces what no two runs share: identifiers of 64 or 12 hexadecimal digits, times, ages, and generated names.
fn redact(text: &str) -> String {
    let mut redacted = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let word_end = rest.find(|character: char| !character.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let (word, after) = rest.split_at(word_end);
        let is_hexadecimal =
            word.chars().all(|character| character.is_ascii_digit() || ('a'..='f').contains(&character));
        match word.len() {
            64 if is_hexadecimal => redacted.push_str("ID64"),
            12 if is_hexadecimal => redacted.push_str("ID12"),
            _ => redacted.push_str(word),
        }
        let next = after.chars().next();
        redacted.extend(next);
        rest = &after[next.map_or(0, char::len_utf8)..];
    }
    redact_ages(&redacted)
}

/// `Up 2 seconds`, `Exited (0) Less than a second ago`: how long ago is not what is compared.
fn redact_ages(text: &str) -> String {
    let ages = ["Less than a second", "About a minute"];
    let mut text = ages.iter().fold(text.to_string(), |text, age| text.replace(age, "AGE"));
    for seconds in (1..60).rev() {
        let plural = if seconds == 1 { "" } else { "s" };
        text = text.replace(&format!("{seconds} second{plural}"), "AGE");
    }
    text
}

#[test]
fn quotes_hold_words_together() {
    assert_eq!(words("run busybox sh -c 'echo  a'"), ["run", "busybox", "sh", "-c", "echo  a"]);
    assert_eq!(words("a '' b"), ["a", "", "b"]);
}

#[test]
fn identifiers_and_ages_are_redacted() {
    assert_eq!(redact("0123456789ab Up 3 seconds"), "ID12 Up AGE");
    assert_eq!(redact(&"f".repeat(64)), "ID64");
}
