//! Long tail: a CRIU of our own, which does one thing and ends (`criu swrk`), and what is said to it.
//!
//! ```text
//! we                                  criu swrk FD
//! request ──────────────────────────▶
//!          ◀────────────────────────── notice: a point is reached; with one of them comes a descriptor
//! go on, or do not ─────────────────▶
//!          ◀────────────────────────── done, or failed
//! ```
//!
//! A request on the socket, rather than CRIU's own command line: only so does it hand over the master of a terminal that it has
//! made, and wait while a container is recorded and its hooks run.

use super::request::{Reply, features_request, notice_answer, reply};
use super::wire::Message;
use crate::{Error, Result};
use kernel::Strace;
use rustix::io::FdFlags;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendFlags, SocketFlags, SocketType,
};
use std::io::IoSliceMut;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::process::{Command, Stdio};

/// More than CRIU ever says at once.
const MESSAGE_MAX: usize = 1 << 16;

/// A point that CRIU has reached.
#[derive(Debug)]
pub struct Notice {
    /// Its name for scripts.
    pub script: String,
    /// The first process that it is making.
    pub pid: Option<i32>,
    /// A terminal's master.
    pub descriptor: Option<OwnedFd>,
}

/// Our end of the socket, and CRIU's.
pub fn sockets() -> Result<(OwnedFd, OwnedFd)> {
    Ok(rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
        .strace(|| "socketpair(AF_UNIX, SOCK_SEQPACKET)".into())?)
}

/// CRIU, which inherits this end of the socket.
pub fn command(program: &str, socket: &OwnedFd) -> Result<Command> {
    inherit(socket)?;
    let mut command = Command::new(program);
    command.arg("swrk").arg(socket.as_raw_fd().to_string());
    Ok(command)
}

/// Lets a descriptor stay open when a program is executed, under its number.
pub fn inherit(descriptor: &OwnedFd) -> Result<()> {
    let call = || format!("fcntl({}, F_SETFD, 0)", descriptor.as_raw_fd());
    Ok(rustix::io::fcntl_setfd(descriptor, FdFlags::empty()).strace(call)?)
}

/// Lets a CRIU do what is asked, and waits for its end.
pub fn ask(program: &str, request: &Message, notice: impl FnMut(Notice) -> Result<()>) -> Result<Reply> {
    let (ours, theirs) = sockets()?;
    let mut command = command(program, &theirs)?;
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().strace(|| format!("execve({program:?})"))?;
    // Its end is seen by us only if we do not have it open ourselves.
    drop(theirs);
    let reply = converse(&ours, request, notice);
    // After memory alone was written it waits for the next request, and takes the end of the socket as the end.
    drop(ours);
    child.wait().strace(|| format!("waitid({program})"))?;
    reply
}

/// Whether memory can be tracked, and whether it can be left behind.
pub fn features(program: &str) -> Result<(bool, bool)> {
    match ask(program, &features_request(), |_| Ok(()))? {
        Reply::Done { features } => Ok(features),
        _ => Err(Error::system(format!("{program} does not say what it can do"))),
    }
}

/// Says what is asked for, answers notices, and returns the last word.
pub fn converse(
    socket: &OwnedFd,
    request: &Message,
    mut notice: impl FnMut(Notice) -> Result<()>,
) -> Result<Reply> {
    send(socket, request)?;
    loop {
        let (bytes, descriptor) = receive(socket)?;
        let Some(reply) = reply(&bytes) else {
            return Err(Error::system("CRIU ended without an answer"));
        };
        let Reply::Notice { script, pid } = reply else { return Ok(reply) };
        let outcome = notice(Notice { script, pid, descriptor });
        // It undoes what it has done, and the reason is ours. Should it have ended meanwhile, its own is none.
        let sent = send(socket, &notice_answer(outcome.is_ok()));
        if outcome.is_err() {
            let _ = receive(socket);
        }
        outcome.and(sent)?;
    }
}

fn send(socket: &OwnedFd, message: &Message) -> Result<()> {
    let sent = rustix::net::send(socket, message.encoded(), SendFlags::NOSIGNAL);
    Ok(sent.map(drop).strace(|| "send(criu)".into())?)
}

/// The next message; an empty one is the end. A failed descriptor is none.
fn receive(socket: &OwnedFd) -> Result<(Vec<u8>, Option<OwnedFd>)> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut bytes = vec![0; MESSAGE_MAX];
    let received = loop {
        let mut parts = [IoSliceMut::new(&mut bytes)];
        match rustix::net::recvmsg(socket.as_fd(), &mut parts, &mut control, RecvFlags::CMSG_CLOEXEC) {
            Err(rustix::io::Errno::INTR) => {}
            received => break received.strace(|| "recvmsg(criu)".into())?,
        }
    };
    bytes.truncate(received.bytes);
    let descriptor = control.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
        _ => None,
    });
    Ok((bytes, descriptor))
}
