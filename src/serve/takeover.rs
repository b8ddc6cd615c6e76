//! Taking a connection over: the client's socket leaves HTTP, and goes to the container's supervisor.

use std::cell::RefCell;
use std::convert::Infallible;
use std::io::{self, Write};
use std::os::fd::OwnedFd;

use hyper::HeaderMap;
use hyper::body::Bytes;
use hyper::header::UPGRADE;
use tokio::net::UnixStream;

use super::dispatch;
use super::request::Live;
use super::threads::blocking;
use crate::containers::attach::AttachTicket;

/// What is sent for a terminal, and to clients that do not know the other.
pub const RAW_STREAM: &str = "application/vnd.docker.raw-stream";
/// Frames with a header of eight bytes; said so from version 1.42 on.
pub const MULTIPLEXED_STREAM: &str = "application/vnd.docker.multiplexed-stream";

/// A connection's place for a claim on it.
#[derive(Default)]
pub struct Takeover(RefCell<Option<Claim>>);

/// What a request that wants the connection leaves behind.
struct Claim {
    /// The answer's head, which is all of the answer that is HTTP.
    head: String,
    ticket: AttachTicket,
}

impl Takeover {
    pub fn is_claimed(&self) -> bool {
        self.0.borrow().is_some()
    }

    /// Answers, and gives the socket away, with the bytes that came behind the request.
    pub async fn fulfil(&self, stream: Option<UnixStream>, already_read: Bytes) {
        let claim = self.0.borrow_mut().take();
        let (Some(claim), Some(stream)) = (claim, stream) else {
            return;
        };
        let handed_over = blocking(move || Ok(hand_over(claim, stream.into_std()?, &already_read))).await;
        // The client was told that all is well; what it misses now is only seen here.
        match handed_over {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "a client cannot be attached"),
            Err(failure) => tracing::warn!(error = failure.message, "a client cannot be attached"),
        }
    }
}

fn hand_over(
    claim: Claim,
    mut stream: std::os::unix::net::UnixStream,
    already_read: &[u8],
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let answered: io::Result<()> =
        stream.set_nonblocking(false).and_then(|()| stream.write_all(claim.head.as_bytes()));
    answered?;
    claim.ticket.hand_over(OwnedFd::from(stream), already_read.to_vec())?;
    Ok(())
}

impl Live {
    /// Claims the connection for a ticket. Never returns: the connection is taken apart instead.
    pub async fn take_over(self, ticket: AttachTicket) -> Infallible {
        let head = head(&self.call.headers, self.call.stream_type(ticket.raw()));
        self.context.takeover.0.replace(Some(Claim { head, ticket }));
        std::future::pending().await
    }
}

/// A client that asked for an upgrade gets one; to others the body simply begins, as to clients of old.
fn head(request: &HeaderMap, stream_type: &str) -> String {
    let (status, stream_type, upgrade) = match request.contains_key(UPGRADE) {
        true => ("101 UPGRADED", stream_type, "Connection: Upgrade\r\nUpgrade: tcp\r\n"),
        false => ("200 OK", RAW_STREAM, ""),
    };
    let mut head = format!("HTTP/1.1 {status}\r\nContent-Type: {stream_type}\r\n{upgrade}");
    for (name, value) in dispatch::HEADERS {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head + "\r\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_for_an_upgrade_gets_one() {
        let mut headers = HeaderMap::new();
        insta::assert_snapshot!(head(&headers, MULTIPLEXED_STREAM));
        headers.insert(UPGRADE, "tcp".parse().expect("a value"));
        insta::assert_snapshot!(head(&headers, MULTIPLEXED_STREAM));
    }
}
