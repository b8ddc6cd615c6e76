//! The coursework: `cargo course list | doctor | start | check | hint | diff | run`.
#![forbid(unsafe_code)]

mod checks;
mod compile;
mod diff;
mod doctor;
mod exercise;
mod exercise_02;
mod exercise_03;
mod exercise_04;
mod exercise_05;
mod folder;
mod hints;
mod holes;
mod mine;
mod program;
mod report;
mod start;

use clap::{Parser, Subcommand};
use exercise::Exercise;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// A participant reads the error; nobody matches on it.
pub type Result<T, E = String> = std::result::Result<T, E>;

#[derive(Parser)]
#[command(name = "cargo course", about = "The exercises of the book, and what checks them")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// The exercises, and how far you are
    List,
    /// What this machine lacks, with the command that mends it
    Doctor,
    /// Make a folder with an exercise's starter
    Start {
        #[command(flatten)]
        which: Which,
        /// The answer instead of the starter, for those who fell behind
        #[arg(long)]
        answer: bool,
        /// Whose crate it will be; your user's name if it is left out
        #[arg(long)]
        name: Option<String>,
    },
    /// Build what you wrote, run it, and look at it from outside
    Check {
        #[command(flatten)]
        which: Which,
        /// The results as JSON
        #[arg(long)]
        json: bool,
    },
    /// The next hint for the first check that failed
    Hint {
        #[command(flatten)]
        which: Which,
    },
    /// What you wrote beside the starter or, when every check holds, beside the answer
    Diff {
        #[command(flatten)]
        which: Which,
    },
    /// Build the whole engine with your crate in the place of the chapter, and run `hello` by it
    Run {
        /// The exercise, by the number of its chapter
        #[arg(long, value_name = "EXERCISE")]
        mine: String,
        /// Its folder: coursework/NN-NAME if it is left out, or the one you are in
        #[arg(long)]
        folder: Option<PathBuf>,
        /// What the engine is told instead of `run --rm hello`
        #[arg(last = true, default_values = ["run", "--rm", "hello"])]
        words: Vec<String>,
    },
    /// Only build, and print where the program lies that the checks run
    #[command(hide = true)]
    Build {
        #[command(flatten)]
        which: Which,
    },
    /// Only check a program that was built before; prints JSON
    #[command(hide = true)]
    Observe {
        exercise: String,
        program: PathBuf,
        /// Which of the checks
        #[arg(long, default_value = "all")]
        which: checks::Which,
    },
    /// Become another program, as root of a user namespace
    #[command(hide = true)]
    Within {
        /// In which no further user or UTS namespace may be made
        #[arg(long)]
        closed: bool,
        program: PathBuf,
        #[arg(last = true)]
        words: Vec<String>,
    },
    /// Forbid user namespaces where a process is
    #[command(hide = true)]
    CloseKnob { pid: i32 },
    /// What another process sees of the namespaces of this one; prints JSON
    #[command(hide = true)]
    Look { pid: i32 },
}

/// Which exercise, and where.
#[derive(clap::Args)]
struct Which {
    /// The exercise, by the number of its chapter; left out, that of the folder you are in
    exercise: Option<String>,
    /// Its folder: coursework/NN-NAME if it is left out, or the one you are in
    #[arg(long)]
    folder: Option<PathBuf>,
}

impl Which {
    fn find(&self) -> Result<(&'static Exercise, PathBuf)> {
        folder::find(self.exercise.as_deref(), self.folder.as_deref())
    }
}

fn main() -> ExitCode {
    match run(&Arguments::parse().command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("course: {message}");
            ExitCode::FAILURE
        }
    }
}

/// Whether all was well.
fn run(command: &Command) -> Result<bool> {
    match command {
        Command::List => report::list().map(|()| true),
        Command::Doctor => Ok(doctor::run()),
        Command::Start { which, answer, name } => {
            let (exercise, folder) = which.find()?;
            start::run(exercise, &folder, *answer, name.as_deref()).map(|()| true)
        }
        Command::Check { which, json } => {
            let (exercise, folder) = which.find()?;
            check(exercise, &folder, *json)
        }
        Command::Hint { which } => {
            let (exercise, folder) = which.find()?;
            hints::run(exercise, &folder).map(|()| true)
        }
        Command::Diff { which } => {
            let (exercise, folder) = which.find()?;
            diff::run(exercise, &folder).map(|()| true)
        }
        Command::Run { mine, folder, words } => {
            let (exercise, folder) = folder::find(Some(mine), folder.as_deref())?;
            mine::run(exercise, &folder, words)
        }
        Command::Build { which } => {
            let (exercise, folder) = which.find()?;
            println!("{}", compile::build(exercise, &folder)?.display());
            Ok(true)
        }
        Command::Observe { exercise, program, which } => {
            let results = checks::run(exercise::by_number(exercise)?, program, *which)?;
            println!("{}", report::json(&results));
            Ok(true)
        }
        Command::Within { closed, program, words } => {
            checks::knob::within(program, words, *closed).map(|()| true)
        }
        Command::CloseKnob { pid } => checks::knob::close_here(*pid).map(|()| true),
        Command::Look { pid } => checks::look::run(*pid).map(|()| true),
    }
}

fn check(exercise: &'static Exercise, folder: &Path, json: bool) -> Result<bool> {
    let program = compile::build(exercise, folder).inspect_err(|_| {
        // A folder that is none of the course's has no memory; the error says so already.
        let _ = folder::remember_no_program(folder);
    })?;
    let results = checks::run(exercise, &program, checks::Which::All)?;
    folder::remember(folder, &results)?;
    if json {
        println!("{}", report::json(&results));
    } else {
        report::print(exercise, folder, &results);
    }
    Ok(results.iter().all(|result| !result.verdict.is_failure()))
}
