//! `coracle daemon stop`: signals the daemon behind a socket, and says which containers run on.

use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};

use super::{Places, flags::socket_of};
use crate::error::{Error, ErrorKind, Result};

/// Ends the daemon that listens on `host` (or on the default socket), and returns what to tell the user.
pub fn stop(host: Option<&str>) -> Result<String> {
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let host =
        host.map(String::from).or_else(|| variable("CORACLE_HOST")).or_else(|| variable("DOCKER_HOST"));
    let socket = match host {
        Some(host) => socket_of(&host)?,
        None => Places::of_caller().map_err(Error::system)?.socket(),
    };
    let connection = UnixStream::connect(&socket).map_err(|error| unreachable(&socket, error))?;
    // The kernel's word on who listens, which a pid file can only guess.
    let daemon = getsockopt(&connection, PeerCredentials).map_err(Error::system)?.pid();
    let running = running_containers(connection).unwrap_or_default();
    let daemon = open_process(daemon)?;
    rustix::process::pidfd_send_signal(&daemon, rustix::process::Signal::TERM).map_err(Error::system)?;
    wait_for_end(&daemon, &socket)?;
    Ok(match running {
        0 => "The daemon has stopped.".to_owned(),
        1 => "The daemon has stopped; 1 container runs on, and the next daemon will find it.".to_owned(),
        n => format!("The daemon has stopped; {n} containers run on, and the next daemon will find them."),
    })
}

fn unreachable(socket: &Path, error: std::io::Error) -> Error {
    let socket = socket.display();
    if error.kind() == std::io::ErrorKind::PermissionDenied {
        let message = format!(
            "the daemon's socket {socket} is not yours to use: run this as root, or as a member of its group"
        );
        return Error::because(ErrorKind::Forbidden, message, error);
    }
    Error::because(ErrorKind::Unavailable, format!("no daemon listens on {socket}"), error)
}

fn open_process(pid: i32) -> Result<OwnedFd> {
    let pid = rustix::process::Pid::from_raw(pid).ok_or_else(|| {
        Error::new(ErrorKind::Unavailable, "the daemon is in a process namespace that is not seen from here")
    })?;
    rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).map_err(Error::system)
}

fn wait_for_end(daemon: &OwnedFd, socket: &Path) -> Result<()> {
    let mut ended = [PollFd::new(daemon.as_fd(), PollFlags::POLLIN)];
    match poll(&mut ended, PollTimeout::from(30_000u16)).map_err(Error::system)? {
        0 => Err(Error::new(
            ErrorKind::Unavailable,
            format!("the daemon on {} was told to stop and has not within 30 seconds", socket.display()),
        )),
        _ => Ok(()),
    }
}

/// HTTP/1.0 so that the daemon closes after its answer.
fn running_containers(mut connection: UnixStream) -> Option<u64> {
    connection.set_read_timeout(Some(std::time::Duration::from_secs(5))).ok()?;
    connection.write_all(b"GET /info HTTP/1.0\r\nHost: coracle\r\n\r\n").ok()?;
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).ok()?;
    let body = answer.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let info: serde_json::Value = serde_json::from_slice(&answer[body..]).ok()?;
    info["ContainersRunning"].as_u64()
}
