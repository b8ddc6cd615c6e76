//! Attach: a client's own socket is handed to the container's supervisor, so that it survives the daemon.

use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use supervisor::states::State;
use supervisor::{AttachOptions, Connection};

use super::logs::LogsOptions;
use super::{Container, Inside};
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::Session;

/// Which streams a client wants. Without `stream` only what was logged so far is sent.
#[derive(Clone, Debug, Default)]
pub struct AttachRequest {
    /// Send what has been logged before.
    pub logs: bool,
    /// Stay for what comes.
    pub stream: bool,
    /// Read the client's input.
    pub stdin: bool,
    /// Send standard output.
    pub stdout: bool,
    /// Send standard error.
    pub stderr: bool,
    /// Key sequence that detaches, as Docker writes it (`ctrl-p,ctrl-q`); none: the default.
    pub detach_keys: Option<String>,
}

/// A client that has handed over its connection.
pub struct Client {
    /// Its socket.
    pub connection: OwnedFd,
    /// Which streams it wants.
    pub options: AttachOptions,
    /// What it has sent already.
    pub already_read: Vec<u8>,
}

impl Client {
    /// Gives it to the supervisor that it came for.
    pub fn attach(self, live: &Connection) -> Result<()> {
        live.attach(self.connection, &self.options, &self.already_read).map_err(Error::system)
    }
}

/// A place at a container's streams. It exists before the client is told 101, and [`Engine::start`] waits until every
/// ticket was handed over or dropped, so that no output is lost.
pub struct AttachTicket {
    engine: Arc<Engine>,
    to: To,
    options: AttachOptions,
    /// What is sent before the streams: the log so far.
    logs: Option<LogsOptions>,
    /// Whether to stay after the log.
    stream: bool,
}

/// Whose streams.
enum To {
    /// A container's; counted in its `tickets` until dropped.
    Container(Arc<Container>),
    /// An exec session's, which is started by the handing over.
    Session { session: Arc<Session>, terminal_size: Option<(u16, u16)> },
}

impl AttachTicket {
    /// Whether the bytes are raw (a terminal) or framed: decides the upgrade's content type.
    pub fn raw(&self) -> bool {
        !self.options.framed
    }

    /// Gives the client's connection away. `already_read` are bytes that the HTTP parser took from it past the request.
    pub fn hand_over(mut self, connection: OwnedFd, already_read: Vec<u8>) -> Result<()> {
        let options = std::mem::take(&mut self.options);
        let mut client = Client { connection, options, already_read };
        match &self.to {
            To::Container(container) => {
                client.connection = self.send_logs(container, client.connection)?;
                if self.stream { hand_to_container(container, client) } else { Ok(()) }
            }
            To::Session { session, terminal_size } => {
                self.engine.exec_run(session, Some(client), *terminal_size)
            }
        }
    }

    fn send_logs(&self, container: &Container, connection: OwnedFd) -> Result<OwnedFd> {
        let Some(wanted) = &self.logs else {
            return Ok(connection);
        };
        let mut client = File::from(connection);
        for frame in self.engine.logs(&container.id, wanted)? {
            client.write_all(&frame?).map_err(Error::system)?;
        }
        Ok(client.into())
    }
}

impl Drop for AttachTicket {
    fn drop(&mut self) {
        if let To::Container(container) = &self.to {
            container.inside().tickets -= 1;
            container.changed.notify_all();
        }
    }
}

impl Engine {
    /// A ticket for a container that runs or is about to.
    pub fn attach(self: &Arc<Engine>, reference: &str, request: &AttachRequest) -> Result<AttachTicket> {
        let detach_keys = detach_keys(request.detach_keys.as_deref())?;
        let container = self.container(reference)?;
        let mut inside = container.inside();
        if let State::Paused(_) = inside.state() {
            let id = &container.id;
            let message = format!("Container {id} is paused, unpause the container before attach");
            return Err(Error::new(ErrorKind::Conflict, message));
        }
        let config = &inside.record.config;
        let options = AttachOptions {
            stdin: request.stdin && config.open_stdin,
            stdout: request.stdout,
            stderr: request.stderr,
            framed: !config.tty,
            detach_keys: if config.tty { detach_keys } else { Vec::new() },
        };
        let (stdout, stderr) = (request.stdout, request.stderr);
        let logs = request.logs.then(|| LogsOptions { stdout, stderr, ..LogsOptions::default() });
        inside.tickets += 1;
        self.tell(&inside, "attach", &[]);
        drop(inside);
        Ok(AttachTicket {
            engine: self.clone(),
            to: To::Container(container),
            options,
            logs,
            stream: request.stream,
        })
    }

    /// A ticket at an exec session's streams; [`AttachTicket::hand_over`] starts it.
    pub fn exec_attach(
        self: &Arc<Engine>,
        id: &str,
        terminal: bool,
        terminal_size: Option<(u16, u16)>,
    ) -> Result<AttachTicket> {
        let session = self.startable_session(id, terminal)?;
        let options = session.attach_options(detach_keys(session.detach_keys.as_deref())?);
        let to = To::Session { session, terminal_size };
        Ok(AttachTicket { engine: self.clone(), to, options, logs: None, stream: true })
    }
}

/// A container that runs gets the client at once; one that does not keeps it for its start.
fn hand_to_container(container: &Container, client: Client) -> Result<()> {
    let mut inside = container.inside();
    match inside.live.clone() {
        Some(live) => {
            drop(inside);
            client.attach(&live)
        }
        None => {
            inside.pending.push(client);
            Ok(())
        }
    }
}

/// How long a start waits for clients that were promised a place: they are in the middle of an HTTP upgrade.
const TICKET_PATIENCE: Duration = Duration::from_secs(5);

impl Container {
    /// Waits until everybody who holds a ticket has come, or has given up.
    pub fn wait_for_tickets(&self) {
        self.wait_until(Some(Instant::now() + TICKET_PATIENCE), |inside| inside.tickets == 0);
    }
}

impl Inside {
    /// Gives the clients that wait for the start to the new supervisor.
    pub fn attach_pending(&mut self, live: &Connection) {
        for client in self.pending.drain(..) {
            if let Err(error) = client.attach(live) {
                tracing::warn!(container = self.record.id, %error, "a client cannot be attached");
            }
        }
    }

    /// Closes the connections of those who wait for a start that will not be.
    pub fn drop_pending(&mut self) {
        self.pending.clear();
    }
}

/// Docker's notation: `ctrl-` and one of `a-z @ [ \ ] ^ _`, or one character, separated by commas.
fn detach_keys(keys: Option<&str>) -> Result<Vec<u8>> {
    let keys = keys.filter(|keys| !keys.is_empty()).unwrap_or("ctrl-p,ctrl-q");
    let invalid =
        || Error::new(ErrorKind::InvalidParameter, format!("Invalid detach keys ({keys}) provided"));
    keys.split(',').map(|key| key_byte(key).ok_or_else(invalid)).collect()
}

fn key_byte(key: &str) -> Option<u8> {
    if let [byte] = key.as_bytes() {
        return Some(*byte);
    }
    match key.strip_prefix("ctrl-")?.as_bytes() {
        [letter @ b'a'..=b'z'] => Some(letter - b'a' + 1),
        [sign @ (b'@' | b'[' | b'\\' | b']' | b'^' | b'_')] => Some(sign - b'@'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn detach_keys_are_dockers() {
        assert_eq!(detach_keys(None).expect("default"), [16, 17]);
        assert_eq!(detach_keys(Some("ctrl-a,x,ctrl-[")).expect("legal"), [1, b'x', 27]);
        let error = detach_keys(Some("ctrl-1")).expect_err("illegal");
        assert_eq!(error.to_string(), "Invalid detach keys (ctrl-1) provided");
    }
}
