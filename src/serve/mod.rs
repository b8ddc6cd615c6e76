//! The Docker Engine API over HTTP: one route table, then one file per resource.

use std::os::unix::net::UnixListener;
use std::sync::Arc;

use crate::engine::Engine;
use crate::error::Result;

/// Serves the API on `listeners` until `shutdown` is told (or its sender dropped); then no new connection is accepted,
/// open ones are given a moment to finish, and this returns.
pub fn run(
    _engine: Arc<Engine>,
    _listeners: Vec<UnixListener>,
    _shutdown: tokio::sync::oneshot::Receiver<()>,
) -> Result<()> {
    todo!()
}
