//! Bodies: of requests, read whole within a bound or as a stream by code that blocks; of answers, whole or as they come.

use std::future::poll_fn;
use std::io::{self, Read};
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::StatusCode;
use hyper::body::{Body as HttpBody, Bytes, Frame, Incoming, SizeHint};
use tokio::sync::mpsc;

use super::error::{Answered, Failure};

/// The longest body that is read whole, in bytes. Docker has no bound; a create with every field at its longest stays far below.
pub const LONGEST: usize = 4 << 20;

/// How many pieces of a body may wait for their reader.
const WAITING: usize = 8;

/// An answer's body.
pub enum Body {
    Whole(Option<Bytes>),
    /// What came first, and what is to come. A failure breaks the connection: the client must not take what it has for all.
    Pieces(Option<Bytes>, mpsc::Receiver<Answered<Bytes>>),
}

impl Body {
    pub fn empty() -> Body {
        Body::Whole(None)
    }

    pub fn whole(bytes: Vec<u8>) -> Body {
        Body::Whole(Some(bytes.into()).filter(|bytes: &Bytes| !bytes.is_empty()))
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = Failure;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Failure>>> {
        match self.get_mut() {
            Body::Whole(first) | Body::Pieces(first @ Some(_), _) => {
                Poll::Ready(first.take().map(|bytes| Ok(Frame::data(bytes))))
            }
            Body::Pieces(None, rest) => {
                rest.poll_recv(context).map(|piece| piece.map(|piece| piece.map(Frame::data)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Body::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Body::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Body::Pieces(..) => SizeHint::default(),
        }
    }
}

/// The next piece of a request's body.
async fn next(incoming: &mut Incoming) -> Option<Result<Bytes, hyper::Error>> {
    loop {
        let frame = poll_fn(|context| Pin::new(&mut *incoming).poll_frame(context)).await?;
        match frame.map(Frame::into_data) {
            Ok(Ok(bytes)) => return Some(Ok(bytes)),
            // Trailers say nothing to us.
            Ok(Err(_)) => {}
            Err(error) => return Some(Err(error)),
        }
    }
}

/// Reads a whole body, or refuses it once it is too long.
pub async fn collect(incoming: &mut Incoming) -> Answered<Bytes> {
    let too_long = || {
        let message = format!("the request's body is longer than {} MiB", LONGEST >> 20);
        Failure::new(StatusCode::PAYLOAD_TOO_LARGE, message)
    };
    if incoming.size_hint().lower() > LONGEST as u64 {
        return Err(too_long());
    }
    let mut whole = Vec::new();
    while let Some(piece) = next(incoming).await {
        let piece =
            piece.map_err(|error| Failure::invalid(format!("the request's body is broken: {error}")))?;
        if whole.len() + piece.len() > LONGEST {
            return Err(too_long());
        }
        whole.extend_from_slice(&piece);
    }
    Ok(whole.into())
}

/// A request's body, for code that blocks.
pub struct Reader {
    pieces: mpsc::Receiver<io::Result<Bytes>>,
    current: Bytes,
}

/// Turns a body into a reader. Called on the runtime's thread; read on another.
pub fn reader(mut incoming: Incoming) -> Reader {
    let (sender, pieces) = mpsc::channel(WAITING);
    tokio::task::spawn_local(async move {
        while let Some(piece) = next(&mut incoming).await {
            // Who reads may have seen enough, and refused. The rest is read all the same: a client whose writing fails says
            // that its pipe is broken, instead of what it has been answered.
            let broken = piece.is_err();
            let _ = sender.send(piece.map_err(io::Error::other)).await;
            if broken {
                return;
            }
        }
    });
    Reader { pieces, current: Bytes::new() }
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            match self.pieces.blocking_recv() {
                None => return Ok(0),
                Some(piece) => self.current = piece?,
            }
        }
        let length = buffer.len().min(self.current.len());
        buffer[..length].copy_from_slice(&self.current.split_to(length));
        Ok(length)
    }
}
