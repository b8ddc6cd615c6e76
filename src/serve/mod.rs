//! The Docker Engine API over HTTP. [`routes`] is the one table of what is answered and by whom; then one file per resource
//! (`containers`, `exec`, `images`, `system`, `events`). Everything below the engine's methods blocks; this folder is the only
//! one with `async` in it.
//!
//! A request goes `connection` → `dispatch` → `routes` → its handler; an error becomes a status in `error`.

mod body;
mod connection;
mod containers;
mod dispatch;
mod error;
mod events;
mod exec;
mod images;
mod progress;
mod query;
mod request;
mod routes;
mod shapes;
mod socket;
mod streams;
mod system;
mod takeover;
mod threads;

use std::convert::Infallible;
use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{UnixListener as Listener, UnixStream};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::LocalSet;

use crate::engine::Engine;
use crate::error::{Error, Result};

/// How long answers that are under way may take once the daemon ends.
const GRACE: Duration = Duration::from_secs(5);

/// How many calls may block at once; further ones queue. A thread that has nothing to do ends after [`IDLE_THREAD`].
const BLOCKING_THREADS: usize = 512;

/// Short, so that an idle daemon is one small process.
const IDLE_THREAD: Duration = Duration::from_secs(1);

/// Serves the API on `listeners` until `shutdown` is told (or its sender dropped); then no new connection is accepted,
/// answers under way are given a moment to finish, endless ones are cut, and this returns.
pub fn run(engine: Arc<Engine>, listeners: Vec<UnixListener>, shutdown: oneshot::Receiver<()>) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .max_blocking_threads(BLOCKING_THREADS)
        .thread_keep_alive(IDLE_THREAD)
        .build()
        .map_err(Error::system)?;
    let served = LocalSet::new().block_on(&runtime, serve(engine, listeners, shutdown));
    // A call that still blocks is left to end by itself, or with the process.
    runtime.shutdown_background();
    served
}

async fn serve(
    engine: Arc<Engine>,
    listeners: Vec<UnixListener>,
    shutdown: oneshot::Receiver<()>,
) -> Result<()> {
    let (ending, end) = watch::channel(false);
    // Every connection holds a sender: when the last is dropped, the receiver hears of it.
    let (alive, mut all_gone) = mpsc::channel::<Infallible>(1);
    let mut acceptors = Vec::new();
    for listener in listeners {
        listener.set_nonblocking(true).map_err(Error::system)?;
        let listener = Listener::from_std(listener).map_err(Error::system)?;
        let acceptor = accept(engine.clone(), listener, end.clone(), alive.clone());
        acceptors.push(tokio::task::spawn_local(acceptor));
    }
    drop(alive);
    // A sender that was dropped says the same.
    let _ = shutdown.await;
    for acceptor in acceptors {
        acceptor.abort();
        // It has been told to end: how it did says nothing.
        let _ = acceptor.await;
    }
    ending.send_replace(true);
    if tokio::time::timeout(GRACE, all_gone.recv()).await.is_err() {
        tracing::warn!("calls that take longer than the daemon's end are cut");
    }
    Ok(())
}

async fn accept(
    engine: Arc<Engine>,
    listener: Listener,
    end: watch::Receiver<bool>,
    alive: mpsc::Sender<Infallible>,
) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let (engine, end, alive) = (engine.clone(), end.clone(), alive.clone());
                tokio::task::spawn_local(one(engine, stream, end, alive));
            }
            Err(error) => {
                // Out of descriptors, or of memory: the next try may find some.
                tracing::error!(%error, "no connection can be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn one(
    engine: Arc<Engine>,
    stream: UnixStream,
    end: watch::Receiver<bool>,
    alive: mpsc::Sender<Infallible>,
) {
    connection::serve(engine, stream, end).await;
    drop(alive);
}
