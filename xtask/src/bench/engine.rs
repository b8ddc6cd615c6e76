//! Engines, driven by Docker's command line: single containers, twenty at once, and what stays in memory.

use super::arena::Arena;
use super::bundle::make_rootfs;
use super::command;
use super::contenders::Contender;
use super::debian;
use super::engines::Engine;
use super::memory;
use super::report::{Report, Unit};
use super::targets::{OUR_CLIENT, work};
use crate::Result;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

const RUN: &[&str] = &["run", "--rm", "busybox", "true"];
const RUN_NONE: &[&str] = &["run", "--rm", "--network", "none", "busybox", "true"];
const PS: &[&str] = &["ps", "--all"];

/// How long an engine may tidy up before its memory counts.
const REST: Duration = Duration::from_secs(30);

/// Starts all engines, and measures them in turn.
pub fn measure(arena: &Arena, contenders: &[&Contender], runs: usize) -> Result<Report> {
    let archive = busybox_archive(arena)?;
    let mut engines = Vec::new();
    for contender in contenders {
        let engine = Engine::start(arena, contender.name)?;
        engine.import_busybox(&archive)?;
        command::timed(
            &mut engine.docker(&["run", "--detach", "--name", "running", "busybox", "sleep", "10000"]),
        )?;
        engines.push(engine);
    }
    let mut report = Report::default();
    let mut unused = Report::default();
    for round in 0..=runs {
        let report = if round == 0 { &mut unused } else { &mut report };
        engines.iter().try_for_each(|engine| one_by_one(engine, report))?;
        engines.iter().try_for_each(|engine| twenty_at_once(engine, report))?;
    }
    engines.iter().try_for_each(run_200)?;
    for round in 0..=runs {
        let report = if round == 0 { &mut unused } else { &mut report };
        engines.iter().try_for_each(|engine| list(engine, report))?;
    }
    measure_memory(arena, &engines, &mut report)?;
    Ok(report)
}

fn busybox_archive(arena: &Arena) -> Result<PathBuf> {
    let (rootfs, archive) = (arena.folder.join("busybox"), arena.folder.join("busybox.tar"));
    make_rootfs(&rootfs)?;
    command::timed(Command::new("tar").arg("-C").arg(&rootfs).arg("-cf").arg(&archive).arg("."))?;
    Ok(archive)
}

fn one_by_one(engine: &Engine, report: &mut Report) -> Result<()> {
    let work = [
        (work::VERSION, &["version"][..]),
        (work::RUN_BRIDGE, RUN),
        (work::RUN_NONE, RUN_NONE),
        (work::EXEC, &["exec", "running", "true"]),
    ];
    for (name, arguments) in work {
        report.time(name, engine.name, command::timed(&mut engine.docker(arguments))?);
    }
    if engine.is_ours() {
        for (name, arguments) in [(work::VERSION, &["version"][..]), (work::RUN_NONE, RUN_NONE)] {
            report.time(name, OUR_CLIENT, command::timed(&mut engine.our_client(arguments))?);
        }
    }
    Ok(())
}

fn twenty_at_once(engine: &Engine, report: &mut Report) -> Result<()> {
    report.time(work::RUN_20, engine.name, start_20(engine)?);
    report.time(work::REMOVE_20, engine.name, remove_20(engine)?);
    Ok(())
}

fn name_of(number: usize) -> String {
    format!("many-{number}")
}

fn start_20(engine: &Engine) -> Result<Duration> {
    let start =
        |number| engine.docker(&["run", "--detach", "--name", &name_of(number), "busybox", "sleep", "10000"]);
    let mut commands: Vec<Command> = (0..20).map(start).collect();
    command::at_once(&mut commands)
}

fn remove_20(engine: &Engine) -> Result<Duration> {
    let mut remove = engine.docker(&["rm", "--force"]);
    remove.args((0..20).map(name_of));
    command::timed(&mut remove)
}

/// Two hundred containers that have ended and stay, ten started at a time.
fn run_200(engine: &Engine) -> Result<()> {
    for _ in 0..20 {
        let mut commands: Vec<Command> =
            (0..10).map(|_| engine.docker(&["run", "busybox", "true"])).collect();
        command::at_once(&mut commands)?;
    }
    Ok(())
}

fn list(engine: &Engine, report: &mut Report) -> Result<()> {
    report.time(work::PS, engine.name, command::timed(&mut engine.docker(PS))?);
    if engine.is_ours() {
        report.time(work::PS, OUR_CLIENT, command::timed(&mut engine.our_client(PS))?);
    }
    Ok(())
}

/// The daemons' after a pull and a rest, which all take together; then the supervisors'.
fn measure_memory(arena: &Arena, engines: &[Engine], report: &mut Report) -> Result<()> {
    for engine in engines {
        let mut registry = debian::start_registry(arena, &engine.place)?;
        command::timed(&mut engine.docker(&["pull", "--quiet", debian::REFERENCE]))?;
        registry
            .kill()
            .and_then(|()| registry.wait())
            .map_err(|error| format!("docker-registry: {error}"))?;
    }
    std::thread::sleep(REST);
    for engine in engines {
        report.add(work::DAEMON_RSS, Unit::Memory, engine.name, memory::daemon_rss(&engine.run_folder)?);
    }
    for engine in engines {
        start_20(engine)?;
        let (pss, dirty) = memory::supervisor(&engine.run_folder)?;
        report.add(work::SUPERVISOR_PSS, Unit::Memory, engine.name, pss);
        report.add(work::SUPERVISOR_DIRTY, Unit::Memory, engine.name, dirty);
        remove_20(engine)?;
    }
    Ok(())
}
