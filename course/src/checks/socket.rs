//! A socket on which the kernel says who wrote a message.

use nix::cmsg_space;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    AddressFamily, ControlMessageOwned, MsgFlags, SockFlag, SockType, UnixCredentials, recvmsg, send,
    setsockopt, socketpair, sockopt,
};
use std::io::IoSliceMut;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

/// Our end of a socket.
pub struct Socket(OwnedFd);

/// A message, and what the kernel says of its writer.
#[derive(Debug, Clone)]
pub struct Message {
    /// What was written.
    pub text: String,
    /// The writer's number here, whatever it is elsewhere.
    pub pid: i32,
}

/// What was heard.
#[derive(Debug)]
pub enum Heard {
    /// Somebody wrote.
    Message(Message),
    /// Nobody holds the other end any more.
    End,
    /// Nothing until now.
    Silence,
}

impl Socket {
    /// Our end, and the other.
    pub fn pair() -> Result<(Socket, OwnedFd), Errno> {
        let (ours, theirs) =
            socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)?;
        setsockopt(&ours, sockopt::PassCred, &true)?;
        Ok((Socket(ours), theirs))
    }

    /// Waits for a message that begins with one of these words; what else is written is not for us.
    pub fn hear(&self, words: &[&str], patience: Duration) -> Result<Heard, Errno> {
        let deadline = Instant::now() + patience;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::ZERO);
            if poll(&mut [PollFd::new(self.0.as_fd(), PollFlags::POLLIN)], timeout)? == 0 {
                return Ok(Heard::Silence);
            }
            match self.receive()? {
                Some(message) if words.iter().any(|word| message.text.starts_with(word)) => {
                    return Ok(Heard::Message(message));
                }
                Some(_) => {}
                None => return Ok(Heard::End),
            }
        }
    }

    /// The next message, or `None` at the end.
    fn receive(&self) -> Result<Option<Message>, Errno> {
        let mut bytes = vec![0; 1 << 18];
        let mut space = cmsg_space!(UnixCredentials);
        let mut slices = [IoSliceMut::new(&mut bytes)];
        let received =
            recvmsg::<()>(self.0.as_raw_fd(), &mut slices, Some(&mut space), MsgFlags::MSG_CMSG_CLOEXEC)?;
        let length = received.bytes;
        let pid = received.cmsgs()?.find_map(|message| match message {
            ControlMessageOwned::ScmCredentials(who) => Some(who.pid()),
            _ => None,
        });
        if length == 0 {
            return Ok(None);
        }
        let text = String::from_utf8_lossy(&bytes[..length]).into_owned();
        Ok(Some(Message { text, pid: pid.unwrap_or(0) }))
    }

    /// Says what shall be done next. Whoever has ended meanwhile is not told; that is seen when we listen.
    pub fn say(&self, text: &str) {
        let _ = send(self.0.as_raw_fd(), text.as_bytes(), MsgFlags::MSG_NOSIGNAL);
    }
}
