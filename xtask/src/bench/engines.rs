//! Engines under measurement, each with a network namespace, a data root and a socket of its own.

use super::arena::{Arena, RUN_FOLDER};
use super::command;
use super::debian::until_it_succeeds;
use super::targets::OURS;
use crate::Result;
use nix::sched::{CloneFlags, setns, unshare};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

/// A network namespace with a loopback link.
pub struct Place {
    namespace: File,
}

impl Place {
    /// Makes one.
    pub fn new() -> Result<Place> {
        in_thread(|| {
            unshare(CloneFlags::CLONE_NEWNET).map_err(|errno| format!("unshare(CLONE_NEWNET): {errno}"))?;
            command::timed(Command::new("ip").args(["link", "set", "lo", "up"]))?;
            let path = "/proc/thread-self/ns/net";
            let namespace = File::open(path).map_err(|error| format!("{path}: {error}"))?;
            Ok(Place { namespace })
        })
    }

    /// Does the work in a thread that is there; what it starts is there too.
    pub fn inside<T: Send>(&self, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        in_thread(|| {
            setns(&self.namespace, CloneFlags::CLONE_NEWNET).map_err(|errno| format!("setns: {errno}"))?;
            work()
        })
    }
}

fn in_thread<T: Send>(work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    thread::scope(|scope| scope.spawn(work).join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
}

/// A daemon that answers.
pub struct Engine {
    /// As in the table.
    pub name: &'static str,
    /// Where it is.
    pub place: Place,
    /// Its run directory, which appears in the command line of each of its processes.
    pub run_folder: PathBuf,
    our_client: PathBuf,
    daemon: Child,
}

impl Engine {
    /// Starts the daemon, and waits until it answers.
    pub fn start(arena: &Arena, name: &'static str) -> Result<Engine> {
        let place = Place::new()?;
        let run_folder = Path::new(RUN_FOLDER).join(name);
        let log_path = arena.folder.join(format!("{name}.log"));
        fs::create_dir(&run_folder).map_err(|error| format!("{}: {error}", run_folder.display()))?;
        let log = File::create(&log_path).map_err(|error| format!("{}: {error}", log_path.display()))?;
        let log_clone = log.try_clone().map_err(|error| error.to_string())?;
        let mut command = daemon_command(arena, name, &run_folder)?;
        command.stdin(Stdio::null()).stdout(log).stderr(log_clone);
        let daemon = place.inside(|| command::spawn(&mut command))?;
        let engine = Engine { name, place, run_folder, our_client: arena.folder.join("coracle"), daemon };
        until_it_succeeds(|| command::timed(&mut engine.docker(&["version"]))).map_err(|error| {
            let log = fs::read_to_string(&log_path).unwrap_or_default();
            format!("{name} does not answer: {error}\n{log}")
        })?;
        Ok(engine)
    }

    /// Docker's command line, talking to this daemon.
    pub fn docker(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("docker");
        command.args(arguments).env("DOCKER_HOST", self.host()).env("DOCKER_CONFIG", RUN_FOLDER);
        command
    }

    /// Our command line, talking to this daemon.
    pub fn our_client(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.our_client);
        command.args(arguments).env("CORACLE_HOST", self.host());
        command
    }

    /// Whether it is ours.
    pub fn is_ours(&self) -> bool {
        self.name == OURS
    }

    /// Makes the image `busybox` from this tar archive.
    pub fn import_busybox(&self, archive: &Path) -> Result<()> {
        let archive = archive.to_string_lossy();
        command::timed(&mut self.docker(&["import", "--change", "CMD [\"sh\"]", &archive, "busybox:latest"]))
            .map(|_| ())
    }

    fn host(&self) -> String {
        format!("unix://{}", socket(&self.run_folder))
    }
}

impl Drop for Engine {
    /// Whatever this does not reach ends with the PID namespace.
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

fn socket(run_folder: &Path) -> String {
    run_folder.join("api.sock").display().to_string()
}

/// Podman asks for TLS even on loopback, unless told otherwise.
fn allow_plain_registry(run_folder: &Path) -> Result<PathBuf> {
    let path = run_folder.join("registries.conf");
    let text = "[[registry]]\nlocation = \"127.0.0.1:5000\"\ninsecure = true\n";
    fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(path)
}

fn daemon_command(arena: &Arena, name: &str, run_folder: &Path) -> Result<Command> {
    let data = arena.folder.join(format!("{name}-data"));
    let host = format!("unix://{}", socket(run_folder));
    let in_run_folder = |file: &str| run_folder.join(file);
    if name == "podman" {
        let mut command = Command::new("podman");
        command.arg("--root").arg(data).arg("--runroot").arg(in_run_folder("run"));
        // Its default runtime, crun, refuses a host that binds some controllers to cgroup v1.
        command.args("--cgroup-manager cgroupfs --runtime runc system service --time 0".split(' '));
        command.arg(host);
        command.env("CONTAINERS_REGISTRIES_CONF", allow_plain_registry(run_folder)?);
        return Ok(command);
    }
    let mut command = Command::new(name);
    if name == OURS {
        command = Command::new(arena.folder.join("coracle"));
        command.arg("daemon");
    }
    command.arg("--data-root").arg(data).arg("--exec-root").arg(in_run_folder("exec"));
    command.arg("--pidfile").arg(in_run_folder("pid"));
    command.args(["--host", &host, "--cgroup-parent", &format!("/{}", arena.token)]);
    Ok(command)
}
