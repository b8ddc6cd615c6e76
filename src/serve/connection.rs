//! One connection: requests are answered one after the other, until the client goes, the daemon ends, or a request takes the
//! connection over.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;
use tokio::sync::watch;

use super::dispatch;
use super::socket::Socket;
use super::takeover::Takeover;
use crate::engine::Engine;

/// What the requests of a connection share.
pub struct Context {
    pub engine: Arc<Engine>,
    /// Where a request puts its claim on the connection.
    pub takeover: Takeover,
    /// The present answer has no end of its own: it is cut when the daemon ends.
    pub endless: Cell<bool>,
}

/// Why a connection is not served any longer.
enum Outcome {
    Done,
    TakenOver,
}

/// Serves one connection to its end.
///
/// A request that wants the connection for itself (attach, exec) is not answered through hyper: hyper's own upgrade knows only
/// clients that ask for one, and `curl` and old clients do not. Its handler leaves a claim in [`Takeover`] and waits for ever;
/// the connection is then taken apart under it, and with it come the bytes that hyper has read past the request.
pub async fn serve(engine: Arc<Engine>, stream: UnixStream, mut end: watch::Receiver<bool>) {
    let socket = Socket::new(stream);
    let context = Rc::new(Context { engine, takeover: Takeover::default(), endless: Cell::default() });
    let shared = context.clone();
    let service = service_fn(move |request| Box::pin(dispatch::answer(shared.clone(), request)));
    let mut connection = http1::Builder::new()
        .half_close(true)
        .title_case_headers(true)
        .serve_connection(TokioIo::new(socket.clone()), service);
    let outcome = {
        let mut gone = pin!(socket.hung_up());
        let mut end = pin!(end.wait_for(|ended| *ended));
        let mut ended = false;
        poll_fn(|now| {
            if !ended && end.as_mut().poll(now).is_ready() {
                ended = true;
                if context.endless.get() {
                    return Poll::Ready(Outcome::Done);
                }
                Pin::new(&mut connection).graceful_shutdown();
            }
            if let Poll::Ready(result) = connection.poll_without_shutdown(now) {
                // A client that does not speak HTTP has been told so by hyper.
                tracing::trace!(?result, "a connection ends");
                return Poll::Ready(Outcome::Done);
            }
            if context.takeover.is_claimed() {
                return Poll::Ready(Outcome::TakenOver);
            }
            gone.as_mut().poll(now).map(|()| Outcome::Done)
        })
        .await
    };
    drop(socket);
    if let Outcome::TakenOver = outcome {
        let parts = connection.into_parts();
        let stream = parts.io.into_inner().into_inner();
        context.takeover.fulfil(stream, parts.read_buf).await;
    }
}
