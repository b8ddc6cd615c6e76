//! The long tier: the black-box tests that take a seed and a number of rounds, with many more rounds.

use crate::{Result, root};
use std::process::Command;

#[derive(clap::Args)]
pub struct Arguments {
    /// The seed of the random choices; printed, so that a failure can be repeated
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many times the short tier's rounds
    #[arg(long, default_value_t = 20)]
    factor: u32,
}

/// Runs the long tier, and prints as JSON what was run at which commit.
pub fn run(arguments: &Arguments) -> Result<()> {
    let status = Command::new("cargo")
        .args([
            "test",
            "--locked",
            "--package",
            "coracle",
            "--test",
            "blackbox",
            "--",
            "--test-threads=2",
            "seeded",
        ])
        .current_dir(root())
        .env("CORACLE_SEED", arguments.seed.to_string())
        .env("CORACLE_FACTOR", arguments.factor.to_string())
        .status()
        .map_err(|error| format!("cargo cannot be started: {error}"))?;
    let report = serde_json::json!({
        "commit": commit()?,
        "seed": arguments.seed,
        "factor": arguments.factor,
        "passed": status.success(),
    });
    println!("{report}");
    if status.success() { Ok(()) } else { Err(format!("the long tier failed with seed {}", arguments.seed)) }
}

fn commit() -> Result<String> {
    let output = Command::new("git")
        .args(["describe", "--always", "--dirty", "--abbrev=40"])
        .current_dir(root())
        .output()
        .map_err(|error| format!("git cannot be started: {error}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_string())
}
