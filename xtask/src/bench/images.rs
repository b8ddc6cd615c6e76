//! Images: a pull of one large layer from a registry on loopback, load and save.

use super::arena::Arena;
use super::command;
use super::contenders::Contender;
use super::debian::{self, REFERENCE};
use super::engines::{Engine, Place};
use super::report::Report;
use super::targets::work;
use crate::Result;
use std::fs;
use std::path::Path;
use std::process::{Child, Command};
use std::time::Duration;

/// The least that a pull has to do, by four programs at once: fetch, sum, decompress, unpack.
const PIPE: &str = "curl -sSf \"$URL\" | tee >(sha256sum > sum) | gunzip | tar -x";

/// Someone who pulls, and the registry next to them.
enum Puller {
    Engine(Engine),
    Pipe(Place),
}

impl Puller {
    fn name(&self) -> &'static str {
        match self {
            Puller::Engine(engine) => engine.name,
            Puller::Pipe(_) => "pipe",
        }
    }
}

/// Starts all contenders with a registry each, and measures them in turn.
pub fn measure(arena: &Arena, contenders: &[&Contender], runs: usize) -> Result<Report> {
    let archive = arena.folder.join("debian.tar");
    debian::write_archive(&archive)?;
    let url = debian::layer_url()?;
    let mut pullers = Vec::new();
    for contender in contenders {
        pullers.push(start(arena, contender)?);
    }
    let mut report = Report::default();
    let mut unused = Report::default();
    for round in 0..=runs {
        let report = if round == 0 { &mut unused } else { &mut report };
        for (puller, _) in &pullers {
            settle()?;
            match puller {
                Puller::Pipe(place) => {
                    let target = arena.folder.join("unpacked");
                    report.time(work::PULL, puller.name(), pull_by_pipe(place, &target, &url)?);
                }
                Puller::Engine(engine) => pull_load_save(engine, &archive, report)?,
            }
        }
    }
    Ok(report)
}

fn start(arena: &Arena, contender: &Contender) -> Result<(Puller, Child)> {
    let puller = match contender.name {
        "pipe" => Puller::Pipe(Place::new()?),
        name => Puller::Engine(Engine::start(arena, name)?),
    };
    let place = match &puller {
        Puller::Pipe(place) => place,
        Puller::Engine(engine) => &engine.place,
    };
    let registry = debian::start_registry(arena, place)?;
    Ok((puller, registry))
}

/// Nobody pays for what the one before left unwritten.
fn settle() -> Result<()> {
    command::timed(&mut Command::new("sync")).map(|_| ())
}

fn pull_by_pipe(place: &Place, target: &Path, url: &str) -> Result<Duration> {
    fs::create_dir(target).map_err(|error| format!("{}: {error}", target.display()))?;
    let mut pipe = Command::new("bash");
    pipe.args(["-ec", &format!("set -o pipefail; {PIPE}")]).env("URL", url).current_dir(target);
    let duration = place.inside(|| command::timed(&mut pipe))?;
    fs::remove_dir_all(target).map_err(|error| format!("{}: {error}", target.display()))?;
    Ok(duration)
}

fn pull_load_save(engine: &Engine, archive: &Path, report: &mut Report) -> Result<()> {
    let archive = archive.to_string_lossy();
    let saved = archive.replace("debian.tar", "saved.tar");
    let mut measure = |work, arguments: &[&str]| -> Result<()> {
        report.time(work, engine.name, command::timed(&mut engine.docker(arguments))?);
        Ok(())
    };
    let remove = || command::timed(&mut engine.docker(&["rmi", REFERENCE])).and_then(|_| settle());
    measure(work::PULL, &["pull", "--quiet", REFERENCE])?;
    measure(work::SAVE, &["save", "--output", &saved, REFERENCE])?;
    remove()?;
    fs::remove_file(&saved).map_err(|error| format!("{saved}: {error}"))?;
    measure(work::LOAD, &["load", "--quiet", "--input", &archive])?;
    remove()
}
