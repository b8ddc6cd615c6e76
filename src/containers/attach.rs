//! Attach: a client's own socket is handed to the container's supervisor, so that it survives the daemon.

use std::os::fd::OwnedFd;

use crate::engine::Engine;
use crate::error::Result;

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

/// A place at a container's streams. It exists before the client is told 101, and [`Engine::start`] waits until every
/// ticket was handed over or dropped, so that no output is lost.
pub struct AttachTicket {}

impl AttachTicket {
    /// Whether the bytes are raw (a terminal) or framed: decides the upgrade's content type.
    pub fn raw(&self) -> bool {
        todo!()
    }

    /// Gives the client's connection away. `already_read` are bytes that the HTTP parser took from it past the request.
    pub fn hand_over(self, _connection: OwnedFd, _already_read: Vec<u8>) -> Result<()> {
        todo!()
    }
}

impl Engine {
    /// A ticket for a container that runs or is about to.
    pub fn attach(&self, _reference: &str, _request: &AttachRequest) -> Result<AttachTicket> {
        todo!()
    }
}
