//! The long tier: tests that take a seed and a number of rounds, with many more rounds.

use crate::{Result, dist, root, setup};
use std::process::Command;

#[derive(clap::Args)]
pub struct Arguments {
    /// The seed of the random choices; printed, so that a failure can be repeated
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many times the short tier's rounds
    #[arg(long, default_value_t = 20)]
    factor: u32,
    /// Run only the parts whose name contains this: `mutants`, or `mutants 02` for those of one exercise
    #[arg(long)]
    only: Option<String>,
}

/// A part of the long tier: its name, and what cargo is told.
type Part = (&'static str, &'static [&'static str]);

const PARTS: &[Part] = &[
    (
        "black box",
        &[
            "test",
            "--locked",
            "--package",
            "coracle",
            "--test",
            "blackbox",
            "--",
            "--test-threads=2",
            "seeded",
        ],
    ),
    (
        "hierarchies",
        &["test", "--locked", "--package", "runtime", "--test", "oci", "--", "packets_are_marked"],
    ),
    ("attacks", &["test", "--locked", "--package", "runtime", "--test", "cve"]),
    ("inject", &["test", "--locked", "--package", "runtime", "--test", "oci", "--", "inject", "--nocapture"]),
];

/// Rounds of each race in which an attacker runs beside us.
const RACE_ROUNDS: &str = "20000";

/// Executions of each fuzz target, and seconds after which it ends anyway.
const FUZZ_RUNS: &str = "-runs=10000000";
const FUZZ_SECONDS: &str = "-max_total_time=14400";

/// Searches for bytes that break a law (see `fuzz/`); on the stable compiler, without a sanitizer: no unsafe code is reached. What
/// is found for the corpus stays below `target`.
fn fuzz(law: &str, seed: u64) -> Result<bool> {
    let mut version = Command::new("cargo");
    if !version.args(["fuzz", "--version"]).output().is_ok_and(|output| output.status.success()) {
        return Err("fuzzing needs cargo-fuzz: cargo install cargo-fuzz".into());
    }
    let found = root().join("target/fuzz/corpus").join(law);
    std::fs::create_dir_all(&found).map_err(|error| format!("{}: {error}", found.display()))?;
    let status = Command::new("cargo")
        .args(["fuzz", "run", "--fuzz-dir", "fuzz/search", "--sanitizer", "none", law])
        .arg(&found)
        .arg(root().join("fuzz/corpus").join(law))
        .args(["--", FUZZ_RUNS, FUZZ_SECONDS, &format!("-seed={seed}"), "-print_final_stats=1"])
        .current_dir(root())
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_TARGET_DIR", root().join("target/fuzz"))
        .status()
        .map_err(|error| format!("cargo cannot be started: {error}"))?;
    Ok(status.success())
}

/// The laws, which are the folders of the corpus.
fn laws() -> Result<Vec<String>> {
    let folder = root().join("fuzz/corpus");
    let entries = std::fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut laws: Vec<String> =
        entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    laws.sort();
    Ok(laws)
}

/// The exercises that have a list of surviving mutants, by their numbers.
fn exercises() -> Result<Vec<String>> {
    let folder = root().join("chapters");
    let entries = std::fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let chapters = entries.flatten().filter(|entry| entry.path().join("exercise/survivors.txt").is_file());
    let names = chapters.map(|chapter| chapter.file_name().to_string_lossy().into_owned());
    let mut numbers: Vec<String> =
        names.filter_map(|name| Some(name.split_once('-')?.0.to_owned())).collect();
    numbers.sort();
    Ok(numbers)
}

/// Lets an exercise's checks find out the mutants of its answer.
fn mutants(exercise: &str) -> Result<bool> {
    let test = format!("mutants_of_the_answer_are_found_out::exercise_{exercise}");
    let exercises = ["test", "--locked", "--package", "course", "--test", "exercises"];
    cargo(&exercises)
        .args(["--", "--exact", &test, "--nocapture"])
        .env("CORACLE_MUTANTS", "all")
        .status()
        .map(|status| status.success())
        .map_err(|error| format!("cargo cannot be started: {error}"))
}

fn cargo(words: &[&str]) -> Command {
    let mut cargo = Command::new("cargo");
    cargo.args(words).current_dir(root());
    cargo
}

/// Runs the long tier, and prints as JSON what was run at which commit.
pub fn run(arguments: &Arguments) -> Result<()> {
    let wanted = |name: &str| arguments.only.as_ref().is_none_or(|only| name.contains(only.as_str()));
    let mut parts = serde_json::Map::new();
    for (name, words) in PARTS.iter().filter(|(name, _)| wanted(name)) {
        println!("── {name}");
        let status = cargo(words)
            .env("CORACLE_SEED", arguments.seed.to_string())
            .env("CORACLE_FACTOR", arguments.factor.to_string())
            .env("CORACLE_RACE_ROUNDS", RACE_ROUNDS)
            .env("CORACLE_INJECT", "all")
            .env("CORACLE_HIERARCHIES", "all")
            .status()
            .map_err(|error| format!("cargo cannot be started: {error}"))?;
        parts.insert(name.to_string(), status.success().into());
    }
    for exercise in exercises()? {
        let name = format!("mutants {exercise}");
        if wanted(&name) {
            println!("── {name}");
            setup::cargo_mutants();
            parts.insert(name, mutants(&exercise)?.into());
        }
    }
    if wanted("dist") {
        println!("── dist");
        let outcome = dist::test().inspect_err(|error| println!("{error}"));
        parts.insert("dist".into(), outcome.is_ok().into());
    }
    for law in laws()? {
        let name = format!("fuzz {law}");
        if wanted(&name) {
            println!("── {name}");
            parts.insert(name, fuzz(&law, arguments.seed)?.into());
        }
    }
    report(arguments, parts)
}

fn report(arguments: &Arguments, parts: serde_json::Map<String, serde_json::Value>) -> Result<()> {
    let passed = parts.values().all(|passed| *passed == true);
    let report = serde_json::json!({
        "commit": commit()?,
        "seed": arguments.seed,
        "factor": arguments.factor,
        "parts": parts,
        "passed": passed,
    });
    println!("{report}");
    if passed { Ok(()) } else { Err(format!("the long tier failed with seed {}", arguments.seed)) }
}

fn commit() -> Result<String> {
    let output = Command::new("git")
        .args(["describe", "--always", "--dirty", "--abbrev=40"])
        .current_dir(root())
        .output()
        .map_err(|error| format!("git cannot be started: {error}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_string())
}
