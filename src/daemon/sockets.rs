//! The daemon's unix sockets: replaced when stale, refused when somebody answers, for the group `docker` if there is one.

use std::io::{self, ErrorKind as IoErrorKind};
use std::os::unix::fs::{FileTypeExt, chown};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use nix::sys::stat::{Mode, umask};

use crate::error::{Error, ErrorKind, Result};

/// The sockets that a daemon listens on; dropping it removes their files.
pub struct Sockets {
    paths: Vec<PathBuf>,
}

impl Sockets {
    /// Binds every path. To be called while the process has one thread: it changes the umask for a moment.
    pub fn bind(paths: &[PathBuf]) -> Result<(Sockets, Vec<UnixListener>)> {
        let mut sockets = Sockets { paths: Vec::new() };
        let mut listeners = Vec::new();
        for path in paths {
            let failed = |error| {
                Error::because(
                    ErrorKind::System,
                    format!("cannot listen on {}: {error}", path.display()),
                    error,
                )
            };
            listeners.push(bind(path).map_err(failed)?);
            sockets.paths.push(path.clone());
        }
        Ok((sockets, listeners))
    }
}

impl Drop for Sockets {
    fn drop(&mut self) {
        for path in &self.paths {
            // A file that somebody has removed meanwhile is as gone as it should be.
            let _ = std::fs::remove_file(path);
        }
    }
}

fn bind(path: &Path) -> io::Result<UnixListener> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    remove_stale(path)?;
    // The mode must be right from the first instant: a chmod afterwards leaves a window in which anybody may connect.
    let before = umask(Mode::from_bits_truncate(0o117));
    let listener = UnixListener::bind(path);
    umask(before);
    let listener = listener?;
    if let Some(group) = docker_group().filter(|_| nix::unistd::geteuid().is_root()) {
        chown(path, None, Some(group))?;
    }
    Ok(listener)
}

/// A socket file without a listener is left by a daemon that was killed. One that answers is somebody's.
fn remove_stale(path: &Path) -> io::Result<()> {
    let Ok(found) = path.symlink_metadata() else {
        return Ok(());
    };
    if !found.file_type().is_socket() {
        return Err(io::Error::new(IoErrorKind::AlreadyExists, "the file exists and is no socket"));
    }
    match UnixStream::connect(path) {
        Err(error) if error.kind() == IoErrorKind::ConnectionRefused => std::fs::remove_file(path),
        Err(error) => Err(error),
        Ok(_) => Err(io::Error::new(IoErrorKind::AddrInUse, "another daemon listens there")),
    }
}

/// The C library's own look-up would need NSS plug-ins, which a static binary cannot load.
fn docker_group() -> Option<u32> {
    let groups = std::fs::read_to_string("/etc/group").ok()?;
    groups.lines().find_map(|line| line.strip_prefix("docker:")?.split(':').nth(1)?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_socket_is_replaced_and_a_live_one_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("api.sock");
        drop(UnixListener::bind(&path).expect("bound, and left behind"));
        let (sockets, _listeners) = Sockets::bind(std::slice::from_ref(&path)).expect("replaced");
        let error = Sockets::bind(std::slice::from_ref(&path)).err().expect("refused");
        assert!(error.to_string().ends_with("another daemon listens there"), "{error}");
        drop(sockets);
        assert!(!path.exists());
    }
}
