//! What the engine does with exec sessions: a further process in a running container.

use crate::containers::attach::AttachTicket;
use crate::engine::Engine;
use crate::error::Result;

impl Engine {
    // exec_create(container, &api::ExecCreateRequest) -> Result<api::IdResponse>; exec_inspect(id) -> Result<api::ExecInspectResponse>

    /// A ticket at the session's streams; [`AttachTicket::hand_over`] starts it.
    pub fn exec_attach(&self, _id: &str, _terminal: bool, _size: Option<(u16, u16)>) -> Result<AttachTicket> {
        todo!()
    }

    /// Starts a session that nobody watches.
    pub fn exec_start_detached(&self, _id: &str, _terminal: bool) -> Result<()> {
        todo!()
    }

    /// Sets the size of a session's terminal, in characters.
    pub fn exec_resize(&self, _id: &str, _width: u16, _height: u16) -> Result<()> {
        todo!()
    }
}
