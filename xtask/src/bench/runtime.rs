//! OCI runtimes: how long the container of `true` takes, against the kernel's floor; more processes, many containers, crowded machines.

use super::arena::{self, Arena, RUN_FOLDER};
use super::contenders::Contender;
use super::crowds::{self, Crowd};
use super::report::{Report, Unit};
use super::targets::{OURS, work};
use super::{bundle, command, memory, steps};
use crate::{Result, root};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// How many containers are started at once.
const AT_ONCE: usize = 100;

/// How often what takes milliseconds is done in each of the runs: a single time of it differs from the next by a fifth.
const QUICK: usize = 4;

/// Over how many created containers the memory that each holds is averaged.
const CREATED: usize = 20;

/// What one piece of work came to.
pub type Sample = (&'static str, Unit, f64);

/// Measures every contender `runs` times in turn, or a few times as often, after one round that does not count; then again in each crowd.
pub fn measure(arena: &Arena, contenders: &[&Contender], runs: usize) -> Result<Report> {
    // crun refuses a host that binds some controllers to cgroup v1; here everyone sees one v2 hierarchy.
    arena::mount_fresh("cgroup2", "/sys/fs/cgroup")?;
    let stage = Stage::new(arena)?;
    let mut report = Report::default();
    let quick = runs * QUICK;
    rounds(&mut report, contenders, quick, |contender, round| stage.alone(contender, round))?;
    rounds(&mut report, contenders, runs, |contender, round| stage.looked_at(contender, round))?;
    rounds(&mut report, contenders, runs, |contender, round| stage.at_once(contender, round))?;
    for (work, crowd) in
        [(work::OCI_RUN_AMONG_MOUNTS, Crowd::Mounts), (work::OCI_RUN_AMONG_CGROUPS, Crowd::Cgroups)]
    {
        let _crowd = crowds::gather(crowd, &arena.token)?;
        rounds(&mut report, contenders, quick, |contender, round| {
            Ok(vec![time(work, stage.run(contender, &format!("{crowd:?}-{round}"))?)])
        })?;
    }
    Ok(report)
}

fn rounds(
    report: &mut Report,
    contenders: &[&Contender],
    runs: usize,
    samples: impl Fn(&Contender, usize) -> Result<Vec<Sample>>,
) -> Result<()> {
    for round in 0..=runs {
        for contender in contenders {
            let samples = samples(contender, round)?;
            // The first round only warms up.
            for (work, unit, sample) in samples.into_iter().filter(|_| round > 0) {
                report.add(work, unit, contender.name, sample);
            }
        }
    }
    Ok(())
}

fn time(work: &'static str, duration: Duration) -> Sample {
    (work, Unit::Time, duration.as_secs_f64() * 1000.0)
}

/// What all contenders use.
struct Stage {
    folder: PathBuf,
    /// The container of `true`.
    short: PathBuf,
}

impl Stage {
    fn new(arena: &Arena) -> Result<Stage> {
        let folder = arena.folder.clone();
        let rootfs = folder.join("rootfs");
        bundle::make_rootfs(&rootfs)?;
        for program in ["floor", "peak"] {
            compile(program, &folder)?;
        }
        let make = |name: &str, args: &[&str]| {
            let bundle = folder.join("bundles").join(name);
            bundle::make(&bundle, &rootfs, &format!("/{}/{name}", arena.token), args).map(|()| bundle)
        };
        for number in 0..AT_ONCE {
            make(&number.to_string(), &["sleep", "1000"])?;
        }
        Ok(Stage { short: make("short", &["true"])?, folder })
    }

    /// The bundle of a container with a command that stays.
    fn one_of_many(&self, number: usize) -> PathBuf {
        self.folder.join("bundles").join(number.to_string())
    }

    fn runtime(&self, contender: &Contender) -> Runtime {
        Runtime(match contender.name {
            OURS => self.folder.join("coracle-oci"),
            name => PathBuf::from(name),
        })
    }

    /// The container of `true`, from nothing to nothing.
    fn run(&self, contender: &Contender, id: &str) -> Result<Duration> {
        if is_floor(contender) {
            return command::timed(Command::new(self.folder.join("floor")).arg(self.folder.join("rootfs")));
        }
        command::timed(self.runtime(contender).command("run").arg("--bundle").arg(&self.short).arg(id))
    }

    /// One container, and nothing beside it.
    fn alone(&self, contender: &Contender, round: usize) -> Result<Vec<Sample>> {
        let mut samples = vec![time(work::OCI_RUN, self.run(contender, &format!("run-{round}"))?)];
        if is_floor(contender) {
            samples.extend(steps::of_the_floor(&self.folder)?);
            return Ok(samples);
        }
        let runtime = self.runtime(contender);
        let duration = runtime.create_start_delete(&self.short, &format!("csd-{round}"))?;
        samples.push(time(work::OCI_CREATE_START_DELETE, duration));
        samples.push(time(work::OCI_EXEC, self.exec(&runtime, &format!("long-{round}"))?));
        Ok(samples)
    }

    /// What it asks of the kernel, and what it holds.
    fn looked_at(&self, contender: &Contender, round: usize) -> Result<Vec<Sample>> {
        if is_floor(contender) {
            return Ok(Vec::new());
        }
        let runtime = self.runtime(contender);
        let mut traced = runtime.command("run");
        traced.arg("--bundle").arg(&self.short).arg(format!("traced-{round}"));
        Ok(vec![
            steps::calls(&traced, &self.folder)?,
            (work::OCI_PEAK, Unit::Memory, self.peak(&runtime, &format!("peak-{round}"))?),
            (work::OCI_OWN, Unit::Memory, self.own(&runtime, &format!("own-{round}"))?),
            (work::OCI_HELD, Unit::Memory, self.held(&runtime, &format!("held-{round}"))?),
        ])
    }

    /// The most memory that `run` has at once, in MB.
    fn peak(&self, runtime: &Runtime, id: &str) -> Result<f64> {
        let run = runtime.command("run");
        let mut peak = Command::new(self.folder.join("peak"));
        peak.arg(run.get_program()).args(run.get_args()).arg("--bundle").arg(&self.short).arg(id);
        let kilobytes = command::output(&mut peak)?;
        let kilobytes: f64 = kilobytes.trim().parse().map_err(|error| format!("peak: {error}"))?;
        Ok(kilobytes / 1024.0)
    }

    /// What `run` holds of its own while its container runs, in MB: the executable's pages, which are the cache's, not counted.
    fn own(&self, runtime: &Runtime, id: &str) -> Result<f64> {
        let mut run = runtime.command("run");
        run.arg("--bundle").arg(self.one_of_many(0)).arg(id).stdin(Stdio::null()).stdout(Stdio::null());
        let mut child = command::spawn(&mut run)?;
        let own = memory::anonymous_beside(&child, "sleep");
        // What is left is for `run` itself to remove: a `delete` beside it may find nothing any more.
        runtime.end(id)?;
        child.wait().map_err(|error| format!("{run:?}: {error}"))?;
        own
    }

    /// What containers hold that wait for their start: an average, since they share the pages of the runtime's executable.
    fn held(&self, runtime: &Runtime, id: &str) -> Result<f64> {
        let pid_file = Path::new(RUN_FOLDER).join("pid");
        let mut sum = 0.0;
        let mut pids = Vec::new();
        for number in 0..CREATED {
            let mut create = runtime.command("create");
            create.arg("--bundle").arg(self.one_of_many(number)).arg("--pid-file").arg(&pid_file);
            command::timed(create.arg(format!("{id}-{number}")))?;
            pids.push(
                fs::read_to_string(&pid_file).map_err(|error| format!("{}: {error}", pid_file.display()))?,
            );
        }
        for pid in &pids {
            sum += memory::proportional(pid.trim())?;
        }
        for number in 0..CREATED {
            command::timed(runtime.command("delete").args(["--force", &format!("{id}-{number}")]))?;
        }
        Ok(sum / CREATED as f64)
    }

    /// One more process in a container that runs.
    fn exec(&self, runtime: &Runtime, id: &str) -> Result<Duration> {
        command::timed(
            runtime.command("run").arg("--detach").arg("--bundle").arg(self.one_of_many(0)).arg(id),
        )?;
        let duration = command::timed(runtime.command("exec").args([id, "true"]))?;
        command::timed(runtime.command("delete").args(["--force", id]))?;
        Ok(duration)
    }

    fn at_once(&self, contender: &Contender, round: usize) -> Result<Vec<Sample>> {
        if is_floor(contender) {
            return Ok(Vec::new());
        }
        let runtime = self.runtime(contender);
        let id = |number: usize| format!("one-{round}-{number}");
        let run = |number: usize| {
            let mut command = runtime.command("run");
            command.arg("--detach").arg("--bundle").arg(self.one_of_many(number)).arg(id(number));
            command
        };
        let duration = command::at_once(&mut (0..AT_ONCE).map(run).collect::<Vec<_>>())?;
        for number in 0..AT_ONCE {
            command::timed(runtime.command("delete").args(["--force", &id(number)]))?;
        }
        Ok(vec![time(work::OCI_RUN_100, duration)])
    }
}

fn is_floor(contender: &Contender) -> bool {
    contender.name == "floor"
}

fn compile(program: &str, folder: &Path) -> Result<()> {
    let mut gcc = Command::new("gcc");
    let source = root().join("benches").join(program).with_extension("c");
    gcc.args(["-O2", "-static", "-o"]).arg(folder.join(program)).arg(source);
    command::timed(&mut gcc).map(|_| ())
}

/// One runtime with its command line, which they all share.
struct Runtime(PathBuf);

impl Runtime {
    fn command(&self, verb: &str) -> Command {
        let state = Path::new(RUN_FOLDER).join(self.0.file_name().unwrap_or_default());
        let mut command = Command::new(&self.0);
        command.arg("--root").arg(state).arg(verb);
        command
    }

    /// Kills a container that runs. youki writes down that it does only after its command has begun, and knows of none until then.
    fn end(&self, id: &str) -> Result<()> {
        let kill = || command::timed(self.command("kill").args([id, "KILL"])).map(drop);
        let mut ended = kill();
        for _ in 0..20 {
            if ended.is_ok() {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
            ended = kill();
        }
        ended
    }

    fn create_start_delete(&self, bundle: &Path, id: &str) -> Result<Duration> {
        let create = command::timed(self.command("create").arg("--bundle").arg(bundle).arg(id))?;
        let start = command::timed(self.command("start").arg(id))?;
        let delete = command::timed(self.command("delete").args(["--force", id]))?;
        Ok(create + start + delete)
    }
}
