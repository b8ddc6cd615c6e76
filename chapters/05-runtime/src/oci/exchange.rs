//! What whoever calls `create`, `run` and `exec` hands in, and gets back.

use super::foreground::Foreground;
use crate::{Error, Identity, Result, Stdio};
use clap::Args;
use kernel::Strace;
use oci_spec::runtime::Process;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

/// The flags for it.
#[derive(Args)]
pub struct Exchange {
    /// Write the process's number to this file
    #[arg(long, value_name = "FILE")]
    pub pid_file: Option<PathBuf>,
    /// A Unix socket to which the terminal's master is sent
    #[arg(long, value_name = "SOCKET")]
    pub console_socket: Option<PathBuf>,
    /// How many descriptors after the standard three it inherits
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub preserve_fds: u32,
}

impl Exchange {
    /// Its terminal, which is ours if we wait in `foreground` of it, and else for whoever listens on the socket; or our own streams.
    pub fn stdio(&self, process: Option<&Process>, foreground: Option<&Foreground>) -> Result<Stdio> {
        let has_terminal = process.and_then(Process::terminal).unwrap_or_default();
        match (has_terminal, &self.console_socket, foreground) {
            (true, None, Some(foreground)) => Ok(foreground.terminal()),
            (true, Some(path), _) => {
                let size = process.and_then(Process::console_size);
                let size = size.map(|size| (size.width() as u16, size.height() as u16));
                let socket = UnixStream::connect(path).strace(|| format!("connect({path:?})"))?;
                Ok(Stdio::Terminal { size, console_socket: Some(OwnedFd::from(socket)) })
            }
            (true, None, None) => Err(Error::invalid(
                "cannot allocate tty if the container is detached without setting a console socket",
            )),
            (false, Some(_), _) => {
                Err(Error::invalid("cannot use a console socket if the container has no terminal"))
            }
            (false, None, _) => own_streams(),
        }
    }

    /// Writes its number, if somebody wants to read it.
    pub fn tell(&self, process: Identity) -> Result<()> {
        self.pid_file.as_deref().map_or(Ok(()), |path| write_pid(path, process))
    }
}

/// Copies, since the child closes what it was given.
fn own_streams() -> Result<Stdio> {
    let copy =
        |stream: BorrowedFd<'_>| stream.try_clone_to_owned().strace(|| "dup(a standard stream)".into());
    let (stdin, stdout, stderr) = (std::io::stdin(), std::io::stdout(), std::io::stderr());
    Ok(Stdio::Files([copy(stdin.as_fd())?, copy(stdout.as_fd())?, copy(stderr.as_fd())?]))
}

/// In one step, as whoever waits for the file expects.
fn write_pid(path: &Path, identity: Identity) -> Result<()> {
    let beside = path.with_extension("new");
    let written =
        std::fs::write(&beside, identity.pid.to_string()).and_then(|()| std::fs::rename(&beside, path));
    Ok(written.strace(|| format!("write({path:?})"))?)
}
