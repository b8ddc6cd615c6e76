//! The daemon's life: flags, the lock on its roots, the socket, adoption, shutdown.

pub mod config_file;
mod flags;
mod ids;
pub mod places;
mod sockets;
mod stop;

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Parser;
use nix::fcntl::{Flock, FlockArg};
use nix::sys::signal::{SigSet, Signal};

pub use places::Places;

use crate::engine::{Engine, Options};
use crate::error::{Error, ErrorKind, Result};
use crate::runtimes::Runtimes;
use config_file::ConfigFile;
use flags::{CommandLine, Flags, Level, Verb};
use sockets::Sockets;

/// `coracle daemon [flags]` and `coracle daemon stop`; `arguments` are the words after `daemon`.
pub fn main(arguments: &[OsString]) -> ExitCode {
    let words = std::iter::once(OsString::from("coracle daemon")).chain(arguments.iter().cloned());
    let line = match CommandLine::try_parse_from(words) {
        Ok(line) => line,
        Err(error) => {
            // Nothing is left to tell anybody when standard error itself is broken.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 1 } else { 0 });
        }
    };
    let result = match line.verb {
        Some(Verb::Stop { host }) => stop::stop(host.as_deref()).map(|said| println!("{said}")),
        None => run(&line.flags),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("coracle daemon: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The log of a daemon that a client started, in its exec root; removed when it ends as it should.
pub const LOG_OF_DETACHED: &str = "daemon.log";

/// From the first lock to the last file removed.
fn run(flags: &Flags) -> Result<()> {
    // Threads come with every burst of requests; memory that each keeps to itself would stay for ever.
    kernel::limit_arenas();
    // A client that starts a daemon executes /proc/self/exe, and `exe` would be its name.
    rustix::thread::set_name(c"coracle").map_err(Error::system)?;
    log_to_standard_error(flags);
    if flags.detach {
        nix::unistd::setsid().map_err(Error::system)?;
    }
    let places = flags.places()?;
    let sockets = flags.sockets(&places)?;
    if flags.bip.is_some() {
        return Err(Error::not_supported("--bip"));
    }
    let config_file = ConfigFile::read(flags.config_file.as_deref())?;
    let runtimes = Runtimes::new(&flags.add_runtime, flags.default_runtime.as_deref(), &config_file)?;
    let _locks = lock(&places)?;
    // Blocked before the first thread exists, so that only the thread that waits for them ever gets them.
    let ending = ending_signals();
    ending.thread_block().map_err(Error::system)?;
    let (sockets, listeners) = Sockets::bind(&sockets)?;
    let pidfile = Pidfile::write(flags.pidfile.clone().unwrap_or_else(|| places.pidfile()))?;
    let engine = Arc::new(Engine::open(Options {
        places: places.clone(),
        bridge: flags.bridge.clone(),
        cgroup_parent: flags.cgroup_parent.clone(),
        debug: flags.debug,
        rootless: ids::settle(&places.exec_root),
        runtimes,
    })?);
    engine.adopt()?;
    let watcher = engine.clone().watch()?;
    tracing::info!(data_root = %places.data_root.display(), "the daemon listens");
    let (told, shutdown) = tokio::sync::oneshot::channel();
    std::thread::Builder::new()
        .name("signals".to_owned())
        .stack_size(64 * 1024)
        .spawn(move || {
            // sigwait(3) fails only for an invalid set.
            let signal = ending.wait();
            tracing::info!(?signal, "the daemon ends; containers run on");
            let _ = told.send(());
        })
        .map_err(Error::system)?;
    let served = crate::serve::run(engine.clone(), listeners, shutdown);
    drop(sockets);
    watcher.stop();
    engine.close();
    drop(pidfile);
    if flags.detach && served.is_ok() {
        let _ = std::fs::remove_file(places.exec_root.join(LOG_OF_DETACHED));
    }
    remove_if_empty(&places.exec_root);
    served
}

fn ending_signals() -> SigSet {
    let mut signals = SigSet::empty();
    signals.add(Signal::SIGTERM);
    signals.add(Signal::SIGINT);
    signals
}

fn log_to_standard_error(flags: &Flags) {
    let level = match flags.log_level {
        _ if flags.debug => tracing::Level::DEBUG,
        Level::Debug => tracing::Level::DEBUG,
        Level::Info => tracing::Level::INFO,
        Level::Warn => tracing::Level::WARN,
        Level::Error | Level::Fatal => tracing::Level::ERROR,
    };
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).with_max_level(level).init();
}

/// One daemon per data root, and one per exec root: a lock that the kernel drops with its holder cannot be stale.
fn lock(places: &Places) -> Result<[Flock<File>; 2]> {
    let locks = [
        lock_folder(&places.data_root, "data root", true)?,
        lock_folder(&places.exec_root, "exec root", false)?,
    ];
    // What is removed with a container's end would be what is kept for its next start.
    let same = |a: &Path, b: &Path| Ok::<_, std::io::Error>(a.canonicalize()? == b.canonicalize()?);
    if same(&places.data_root, &places.exec_root).map_err(Error::system)? {
        let folder = places.data_root.display();
        let message =
            format!("{folder} cannot be both the data root and the exec root: choose another --exec-root");
        return Err(Error::new(ErrorKind::InvalidParameter, message));
    }
    Ok(locks)
}

fn lock_folder(folder: &Path, what: &str, in_file: bool) -> Result<Flock<File>> {
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
    let failed = |error: std::io::Error| {
        Error::because(
            ErrorKind::System,
            format!("cannot use the {what} {}: {error}", folder.display()),
            error,
        )
    };
    // Layers may hold files with the set-user-id bit: nobody else may reach them by path.
    std::fs::DirBuilder::new().recursive(true).mode(0o711).create(folder).map_err(failed)?;
    let file = if in_file {
        let mut options = File::options();
        options.create(true).truncate(false).write(true).mode(0o600).open(folder.join("lock"))
    } else {
        File::open(folder)
    };
    let mut file = file.map_err(failed)?;
    let deadline = Instant::now() + LOCK_PATIENCE;
    loop {
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => return Ok(lock),
            Err((again, _)) if Instant::now() < deadline => file = again,
            Err(_) => break,
        }
        std::thread::sleep(LOCK_PATIENCE / 100);
    }
    let flag = what.replace(' ', "-");
    let message = format!(
        "another daemon runs on the {what} {}; stop it (coracle daemon stop), or choose another --{flag}",
        folder.display()
    );
    Err(Error::new(ErrorKind::Conflict, message))
}

/// A daemon that was killed while it launched a supervisor leaves the lock for a moment to the process that it had just made,
/// which lets go of it when it becomes the supervisor.
const LOCK_PATIENCE: Duration = Duration::from_secs(1);

/// An exec root that other files of ours or of others are in stays.
fn remove_if_empty(folder: &Path) {
    let _ = std::fs::remove_dir(folder);
}

/// The file that names the daemon's process, as long as it lives.
struct Pidfile {
    path: PathBuf,
}

impl Pidfile {
    fn write(path: PathBuf) -> Result<Pidfile> {
        std::fs::write(&path, format!("{}\n", std::process::id())).map_err(|error| {
            Error::because(ErrorKind::System, format!("cannot write {}: {error}", path.display()), error)
        })?;
        Ok(Pidfile { path })
    }
}

impl Drop for Pidfile {
    fn drop(&mut self) {
        // Gone already is as good.
        let _ = std::fs::remove_file(&self.path);
    }
}
