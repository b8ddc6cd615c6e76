//! `cargo xtask bench SUITE`: our figures as ratios to peers and to the kernel's own floor, all measured in one run.

mod arena;
mod bundle;
mod command;
mod contenders;
mod crowds;
mod debian;
mod engine;
mod engines;
mod facts;
mod images;
mod memory;
mod report;
mod runtime;
mod steps;
mod targets;

use crate::Result;
use crate::dist::{Architecture, order};
use arena::Arena;
use contenders::Contender;
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
pub struct Arguments {
    /// What is measured
    suite: Suite,
    /// Leave this contender out (also: coracle), instead of refusing to run when it is missing
    #[arg(long, value_name = "PEER")]
    without: Vec<String>,
    /// Where the figures are written as JSON; target/bench/SUITE.json if not said
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// How often each contender is measured, after a round that does not count
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Suite {
    /// OCI runtimes: the container of `true`, one more process, 100 at once, on a crowded machine, memory
    Runtime,
    /// Engines, driven by Docker's command line: run, exec, ps, many at once, memory
    Engine,
    /// Images: pull, load, save
    Images,
}

impl Suite {
    fn name(self) -> &'static str {
        match self {
            Suite::Runtime => "runtime",
            Suite::Engine => "engine",
            Suite::Images => "images",
        }
    }
}

/// Measures one suite, prints the table and writes the JSON.
pub fn run(arguments: &Arguments) -> Result<()> {
    let contenders = contenders::of(arguments.suite.name(), &arguments.without)?;
    let prepare = |arena: &Arena| prepare(arena, arguments.suite, &contenders);
    arena::enter(prepare, |arena| measure(arena, arguments, &contenders))
}

/// What needs the network or the compiler, and is no part of the measurement.
fn prepare(arena: &Arena, suite: Suite, contenders: &[&Contender]) -> Result<()> {
    if contenders.iter().any(|contender| contender.name == targets::OURS) {
        build_ours(&arena.folder, suite)?;
    }
    match suite {
        Suite::Runtime => Ok(()),
        Suite::Engine | Suite::Images => debian::prepare(),
    }
}

fn measure(arena: &Arena, arguments: &Arguments, contenders: &[&Contender]) -> Result<()> {
    let suite = arguments.suite.name();
    let facts = facts::gather(suite, contenders)?;
    println!("{}", facts::print(&facts));
    let runs = arguments.runs as usize;
    let report = match arguments.suite {
        Suite::Runtime => runtime::measure(arena, contenders, runs)?,
        Suite::Engine => engine::measure(arena, contenders, runs)?,
        Suite::Images => images::measure(arena, contenders, runs)?,
    };
    println!("{suite}, medians of {runs}\n\n{}", report.print(suite));
    if runs < 15 {
        println!("Fewer than 15 runs: too few for a figure that is quoted.");
    }
    let path = arguments.json.clone().unwrap_or_else(|| arena::cache().join(format!("{suite}.json")));
    let document =
        serde_json::json!({ "suite": suite, "runs": runs, "facts": facts, "figures": report.json(suite) });
    std::fs::write(&path, format!("{document:#}\n"))
        .map_err(|error| format!("{}: {error}", path.display()))?;
    println!("written to {}", path.display());
    Ok(())
}

/// Builds ours as it is released, and copies it, so that a build meanwhile does not exchange it.
fn build_ours(folder: &Path, suite: Suite) -> Result<()> {
    let own = Architecture::own()?;
    let executable = match suite {
        Suite::Runtime => order::build(own, &order::traced())?,
        Suite::Engine | Suite::Images => own.engine()?,
    };
    std::fs::copy(&executable, folder.join(executable.file_name().unwrap_or_default()))
        .map_err(|error| format!("{}: {error}", executable.display()))?;
    Ok(())
}
