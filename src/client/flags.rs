//! Command lines as docker's users write them: clap's parser with the habits and the error texts of docker's.

use super::daemon_calls::Daemon;
use super::failure::{Error, Result};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, Command};
use std::ops::RangeInclusive;

/// A verb of the command line: its flags are the fields, its behaviour is `run`.
pub trait Verb: clap::Args {
    /// What follows `coracle` in the usage line: `rm [OPTIONS] CONTAINER [CONTAINER...]`.
    const USAGE: &'static str;
    /// One sentence for the help.
    const ABOUT: &'static str;
    /// How many arguments that are no flags it takes.
    const ARGUMENTS: RangeInclusive<usize>;

    /// Flags end at the first argument: what follows belongs to another command.
    const STOPS_AT_FIRST: bool = false;

    /// Does it; `arguments` are the words that are no flags, as many as allowed.
    fn run(self, arguments: &[String], daemon: &Daemon) -> Result<()>;
}

/// No upper bound on arguments.
pub const MANY: usize = usize::MAX;

/// Makes the daemon's handle, once the command line has been found to be right.
pub type Connect<'a> = &'a dyn Fn() -> Result<Daemon>;

/// A verb with its type forgotten, for the table.
pub struct AnyVerb {
    /// What `--help` prints, at most `width` wide.
    pub help: fn(width: usize) -> String,
    /// Parses the words behind the verb, and does it; `path` is the verb as it was called.
    pub run: fn(path: &str, words: &[String], daemon: Connect<'_>) -> Result<()>,
    /// One sentence for the list of verbs.
    pub about: &'static str,
}

impl AnyVerb {
    /// Forgets the type of `V`.
    pub const fn of<V: Verb>() -> AnyVerb {
        AnyVerb { help: help::<V>, run: run::<V>, about: V::ABOUT }
    }
}

fn command<V: Verb>() -> Command {
    let help = Arg::new("help").long("help").action(ArgAction::Help).help("Print usage");
    let arguments = Arg::new("arguments").num_args(0..).hide(true).trailing_var_arg(V::STOPS_AT_FIRST);
    let command = V::augment_args(Command::new("coracle")).disable_help_flag(true);
    command.arg(help).arg(arguments)
}

fn help<V: Verb>(width: usize) -> String {
    super::help::of_verb(&command::<V>(), V::USAGE, V::ABOUT, width)
}

/// `container ls [OPTIONS]` for who typed that rather than `ps`.
fn usage<V: Verb>(path: &str) -> String {
    let is_name = |word: &&str| word.starts_with(|letter: char| letter.is_ascii_lowercase());
    let flags = V::USAGE.split(' ').skip_while(is_name).map(|word| format!(" {word}"));
    format!("{path}{}", flags.collect::<String>())
}

fn run<V: Verb>(path: &str, words: &[String], daemon: Connect<'_>) -> Result<()> {
    let (verb, arguments) = parse::<V>(path, words)?;
    check_count(path, &usage::<V>(path), &V::ARGUMENTS, arguments.len())?;
    verb.run(&arguments, &daemon()?)
}

fn parse<V: Verb>(path: &str, words: &[String]) -> Result<(V, Vec<String>)> {
    let program = std::iter::once("coracle").chain(words.iter().map(String::as_str));
    let parsed = docker_habits(command::<V>()).try_get_matches_from(program);
    let parsed = parsed.and_then(|mut matches| {
        let arguments = matches.remove_many("arguments").into_iter().flatten().collect();
        V::from_arg_matches_mut(&mut matches).map(|verb| (verb, arguments))
    });
    parsed.map_err(|error| match error.kind() {
        ErrorKind::DisplayHelp => {
            print!("{}", help::<V>(super::help::width()));
            Error::exit(0)
        }
        _ => usage_error(
            path,
            &usage::<V>(path),
            &words_of(&error, &command::<V>(), words.last().map_or("", String::as_str)),
        ),
    })
}

/// Gives a clap command the habits of docker's flags: `--rm=false` for every switch, the last of several values wins, and
/// a value may begin with a dash.
pub fn docker_habits(command: Command) -> Command {
    let adapt = |arg: Arg| {
        if arg.get_short().is_none() && arg.get_long().is_none() {
            return arg;
        }
        match arg.get_action() {
            ArgAction::SetTrue => {
                let off = arg.get_default_values().is_empty();
                let arg = arg.action(ArgAction::Set).num_args(0..=1).require_equals(true);
                let arg = arg.default_missing_value("true").value_parser(switch);
                if off { arg.default_value("false") } else { arg }
            }
            ArgAction::Help | ArgAction::Version => arg,
            _ => arg.allow_hyphen_values(true),
        }
    };
    command.mut_args(adapt).args_override_self(true)
}

/// A switch's value, as Go reads one.
pub fn switch(text: &str) -> std::result::Result<bool, String> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(format!("strconv.ParseBool: parsing {text:?}: invalid syntax")),
    }
}

/// A whole number, refused in Go's words.
pub fn integer(text: &str) -> std::result::Result<i64, String> {
    text.parse().map_err(|_| format!("strconv.ParseInt: parsing {text:?}: invalid syntax"))
}

/// clap's error in the words of docker's parser; `command` knows the short forms, and only the `last` word can lack its value.
pub fn words_of(error: &clap::Error, command: &Command, last: &str) -> String {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(texts)) => texts.join(" "),
        _ => String::new(),
    };
    let argument = context(ContextKind::InvalidArg);
    let flag = argument.split([' ', '[', '=']).next().unwrap_or_default().to_string();
    let value = context(ContextKind::InvalidValue);
    match error.kind() {
        ErrorKind::UnknownArgument if flag.starts_with("--") => format!("unknown flag: {flag}"),
        ErrorKind::UnknownArgument if flag.starts_with('-') => {
            format!("unknown shorthand flag: {:?} in {flag}", flag.chars().nth(1).unwrap_or('-'))
        }
        ErrorKind::InvalidValue if value.is_empty() => {
            match last.strip_prefix('-').and_then(|rest| rest.chars().last()) {
                Some(letter) if !last.starts_with("--") => {
                    format!("flag needs an argument: '{letter}' in -{letter}")
                }
                _ => format!("flag needs an argument: {flag}"),
            }
        }
        ErrorKind::ValueValidation | ErrorKind::InvalidValue => {
            let reason =
                std::error::Error::source(error).map(|source| source.to_string()).unwrap_or_default();
            format!("invalid argument {value:?} for \"{}{flag}\" flag: {reason}", short_form(command, &flag))
        }
        _ => error.to_string().trim_start_matches("error: ").lines().next().unwrap_or_default().to_string(),
    }
}

/// `-m, ` for `--memory`.
fn short_form(command: &Command, long: &str) -> String {
    let name = long.trim_start_matches('-');
    let found = command.get_arguments().find(|arg| arg.get_long() == Some(name));
    found.and_then(Arg::get_short).map(|letter| format!("-{letter}, ")).unwrap_or_default()
}

/// A wrong command line: what is wrong, the usage, and where to read more. The exit code is 125, as docker's.
pub fn usage_error(path: &str, usage: &str, what: &str) -> Error {
    let whole = if path.is_empty() { "coracle".to_owned() } else { format!("coracle {path}") };
    eprintln!("{what}\n\nUsage:  coracle {usage}\n\nRun '{whole} --help' for more information");
    Error::exit(125)
}

fn check_count(path: &str, usage: &str, allowed: &RangeInclusive<usize>, count: usize) -> Result<()> {
    if allowed.contains(&count) {
        return Ok(());
    }
    let (least, most) = (*allowed.start(), *allowed.end());
    let plural = |number: usize| if number == 1 { "argument" } else { "arguments" };
    let wants = match (least, most) {
        (0, 0) => "accepts no arguments".to_string(),
        (least, most) if least == most => format!("requires {least} {}", plural(least)),
        (least, _) if count < least => format!("requires at least {least} {}", plural(least)),
        (_, most) => format!("requires at most {most} {}", plural(most)),
    };
    let see = if count < least && most != least { "See" } else { "Run" };
    let more = format!("{see} 'coracle {path} --help' for more information");
    Err(Error::usage(format!("coracle: 'coracle {path}' {wants}\n\nUsage:  coracle {usage}\n\n{more}")))
}
