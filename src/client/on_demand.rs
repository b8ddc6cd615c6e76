//! A daemon of our own, started when nobody named one and none answers.

use super::daemon_calls::unreachable;
use super::failure::{Error, ErrorKind, Result};
use super::host::Host;
use super::signals::Signals;
use crate::daemon::LOG_OF_DETACHED;
use nix::fcntl::{Flock, FlockArg};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a new daemon may take until its socket answers: adoption and a slow disk included.
const DEADLINE: Duration = Duration::from_secs(15);

/// Whether a failed connect means that there is no daemon, rather than one that refuses us.
pub fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused)
}

/// Starts a daemon and connects to it. Of two clients that come here at once, one waits for the other's daemon.
pub fn start(host: &Host, signals: &Option<Signals>) -> Result<UnixStream> {
    let folder = host.socket.parent().unwrap_or(Path::new("/"));
    let failed =
        |call: &str, path: &Path, error: &io::Error| Error::file(call, &path.display().to_string(), error);
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o711)
        .create(folder)
        .map_err(|error| failed("mkdir", folder, &error))?;
    let log = folder.join(LOG_OF_DETACHED);
    let open = || OpenOptions::new().create(true).append(true).mode(0o600).open(&log);
    // The log is the lock as well, opened twice: a lock belongs to an open file, and the daemon keeps its own.
    let lock = open().map_err(|error| failed("open", &log, &error))?;
    let _lock = Flock::lock(lock, FlockArg::LockExclusive)
        .map_err(|(_, errno)| failed("lock", &log, &errno.into()))?;
    if let Ok(stream) = UnixStream::connect(&host.socket) {
        return Ok(stream);
    }
    let daemon = open().and_then(spawn);
    let mut daemon = daemon.map_err(|error| failed("start a daemon logging to", &log, &error))?;
    wait_for(&mut daemon, host, signals, &log)
}

/// `--detach` makes the daemon the leader of a session of its own, so that neither this terminal's end nor a Ctrl-C typed
/// there reaches it.
fn spawn(log: File) -> io::Result<Child> {
    Command::new("/proc/self/exe")
        .arg0("coracle")
        .args(["daemon", "--detach"])
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
}

fn wait_for(daemon: &mut Child, host: &Host, signals: &Option<Signals>, log: &Path) -> Result<UnixStream> {
    let start = Instant::now();
    loop {
        let error = match UnixStream::connect(&host.socket) {
            Ok(stream) => return Ok(stream),
            Err(error) => error,
        };
        if let Some(signal) = signals.as_ref().and_then(Signals::pending_end) {
            return Err(Error::new(ErrorKind::Interrupted(signal), ""));
        }
        if let Some(status) = daemon.try_wait()? {
            return Err(Error::new(ErrorKind::Connection, died(status, log)));
        }
        if start.elapsed() > DEADLINE {
            return Err(unreachable(host, &error));
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// What the daemon said last, since it speaks to nobody's terminal.
fn died(status: std::process::ExitStatus, log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let last = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
    format!("coracle: the daemon could not be started ({status}): {last}")
}
