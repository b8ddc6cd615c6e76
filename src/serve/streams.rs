//! Answers that are made while they are sent, by code that blocks.

use std::future::{Future, poll_fn};
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

use hyper::body::Bytes;
use tokio::sync::mpsc;

use super::body::Body;
use super::error::{Answered, Failure};
use super::threads::detached;

/// How many pieces may wait for a client that reads slowly, before who writes them has to wait, too.
const WAITING: usize = 8;

/// Where an answer is written to. Every write is sent at once.
pub struct Feed {
    pieces: mpsc::Sender<Answered<Bytes>>,
}

impl Feed {
    /// Whether nobody reads any more.
    pub fn is_closed(&self) -> bool {
        self.pieces.is_closed()
    }

    /// Sends a piece, waiting for a slow client; false when it has gone.
    pub fn send(&self, piece: impl Into<Bytes>) -> bool {
        self.pieces.blocking_send(Ok(piece.into())).is_ok()
    }
}

impl Write for Feed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.send(bytes.to_vec()) {
            true => Ok(bytes.len()),
            false => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Has `work` write an answer from a thread of its own. The answer begins at once; a failure breaks the connection, so that the
/// client does not take what it has for all.
pub fn begin(name: &str, work: impl FnOnce(&mut Feed) -> Answered<()> + Send + 'static) -> Answered<Body> {
    Ok(Body::Pieces(None, fed(name, work)?))
}

/// The same, but the answer begins with its first piece: a failure before that is the answer's, with a status of its own.
pub async fn begin_with_first(
    name: &str,
    work: impl FnOnce(&mut Feed) -> Answered<()> + Send + 'static,
) -> Answered<Body> {
    let mut rest = fed(name, work)?;
    match rest.recv().await {
        None => Ok(Body::empty()),
        Some(first) => Ok(Body::Pieces(Some(first?), rest)),
    }
}

fn fed(
    name: &str,
    work: impl FnOnce(&mut Feed) -> Answered<()> + Send + 'static,
) -> Answered<mpsc::Receiver<Answered<Bytes>>> {
    let (pieces, rest) = mpsc::channel(WAITING);
    detached(name, move || {
        let mut feed = Feed { pieces };
        let result = catch_unwind(AssertUnwindSafe(|| work(&mut feed)));
        if let Err(failure) = result.unwrap_or_else(|_| Err(Failure::bug())) {
            // A client that has gone needs no answer.
            let _ = feed.pieces.blocking_send(Err(failure));
        }
        drop(feed);
        // A pull takes memory that is not needed until the next.
        kernel::trim_heap();
    })?;
    Ok(rest)
}

/// Waits for what a client is to be told; none when the client goes first.
pub async fn while_heard<T>(
    pieces: &mpsc::Sender<Answered<Bytes>>,
    awaited: impl Future<Output = T>,
) -> Option<T> {
    let (mut closed, mut awaited) = (pin!(pieces.closed()), pin!(awaited));
    poll_fn(|context| match awaited.as_mut().poll(context) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => closed.as_mut().poll(context).map(|()| None),
    })
    .await
}
