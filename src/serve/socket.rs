//! A client's socket, shared between hyper, which speaks HTTP over it, and those who must know that the client has gone.

use std::future::Future;
use std::io;
use std::os::fd::AsFd;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::UnixStream;

/// A client's socket. Its clones are the same socket.
#[derive(Clone)]
pub struct Socket(Rc<UnixStream>);

impl Socket {
    pub fn new(stream: UnixStream) -> Socket {
        Socket(Rc::new(stream))
    }

    /// The socket alone; none while it has clones.
    pub fn into_inner(self) -> Option<UnixStream> {
        Rc::into_inner(self.0)
    }

    /// Waits until the client has gone. One that only says no more (`nc`, which shuts its writing side down when its input
    /// ends) is still there to read an answer.
    pub fn hung_up(&self) -> impl Future<Output = ()> + use<> {
        /// How often one that says no more is looked at: its going away is no further event.
        const LOOK: Duration = Duration::from_secs(1);
        let stream = self.0.clone();
        async move {
            // PRIORITY is the one interest that is served by the end of reading, and by nothing else on a Unix socket. An error
            // means that the reactor has ended, and so has everybody.
            let _ = stream.ready(Interest::PRIORITY).await;
            while !is_hung_up(&stream) {
                tokio::time::sleep(LOOK).await;
            }
        }
    }
}

fn is_hung_up(stream: &UnixStream) -> bool {
    let mut descriptors = [PollFd::new(stream.as_fd(), PollFlags::empty())];
    // POLLHUP is always told, and comes when both directions are closed.
    poll(&mut descriptors, PollTimeout::ZERO).is_ok_and(|count| count > 0)
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            ready!(self.0.poll_read_ready(context))?;
            match self.0.try_read(buffer.initialize_unfilled()) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => return Poll::Ready(result.map(|length| buffer.advance(length))),
            }
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.0.poll_write_ready(context))?;
            match self.0.try_write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => return Poll::Ready(result),
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // The socket is closed by dropping it.
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Shutdown;
    use tokio::time::timeout;

    fn pair() -> (Socket, std::os::unix::net::UnixStream) {
        let (ours, theirs) = std::os::unix::net::UnixStream::pair().expect("a pair");
        ours.set_nonblocking(true).expect("a mode");
        (Socket::new(UnixStream::from_std(ours).expect("a socket")), theirs)
    }

    fn within<T>(future: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(future)
    }

    #[test]
    fn a_client_that_says_no_more_is_still_there() {
        within(async {
            let (socket, theirs) = pair();
            theirs.shutdown(Shutdown::Write).expect("to say no more");
            let waited = timeout(Duration::from_millis(50), socket.hung_up()).await;
            assert!(waited.is_err(), "it is there");
            drop(theirs);
            timeout(Duration::from_secs(5), socket.hung_up()).await.expect("it has gone");
        });
    }

    #[test]
    fn a_client_that_goes_is_noticed_at_once() {
        within(async {
            let (socket, theirs) = pair();
            let gone = socket.hung_up();
            drop(theirs);
            timeout(Duration::from_millis(500), gone).await.expect("it has gone");
        });
    }
}
