//! One message, one packet: JSON over a `SOCK_SEQPACKET` socket, with descriptors beside it.

use crate::MESSAGE_MAX;
use kernel::{Strace, SysError};
use rustix::cmsg_space;
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketAddrUnix, SocketFlags, SocketType,
};
use serde::{Serialize, de::DeserializeOwned};
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;

/// The most descriptors that come with one message.
const DESCRIPTORS_MAX: usize = 2;

/// What a packet socket yields.
pub enum Received<T> {
    /// A message, and the descriptors that came with it.
    Message(T, Vec<OwnedFd>),
    /// Something that is no message: from a later version, or from somebody else.
    Unknown,
    /// The other side is gone.
    Closed,
}

/// A connected pair, closed on exec.
pub fn pair() -> Result<(OwnedFd, OwnedFd), SysError> {
    rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
        .strace(|| "socketpair(AF_UNIX, SOCK_SEQPACKET|SOCK_CLOEXEC)".into())
}

/// Listens on `control.sock` in a run directory, whose path may be longer than a socket's address.
pub fn listen(run_dir: &Path) -> Result<OwnedFd, SysError> {
    let (socket, address, _folder) = address(run_dir)?;
    rustix::net::bind(&socket, &address)
        .and_then(|()| rustix::net::listen(&socket, 8))
        .strace(|| format!("bind(\"{}/control.sock\")", run_dir.display()))?;
    Ok(socket)
}

/// Connects to it. ENOENT or ECONNREFUSED: nobody listens.
pub fn connect(run_dir: &Path) -> Result<OwnedFd, SysError> {
    let (socket, address, _folder) = address(run_dir)?;
    rustix::net::connect(&socket, &address)
        .strace(|| format!("connect(\"{}/control.sock\")", run_dir.display()))?;
    Ok(socket)
}

fn address(run_dir: &Path) -> Result<(OwnedFd, SocketAddrUnix, OwnedFd), SysError> {
    use rustix::fs::{Mode, OFlags};
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = rustix::fs::open(run_dir, flags, Mode::empty())
        .strace(|| format!("open(\"{}\", O_PATH)", run_dir.display()))?;
    // A Unix address has 107 bytes at most; through the folder's descriptor it is short however deep the folder lies.
    let address = SocketAddrUnix::new(format!("/proc/self/fd/{}/control.sock", folder.as_raw_fd()))
        .strace(|| "an address".into())?;
    let socket =
        rustix::net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
            .strace(|| "socket(AF_UNIX, SOCK_SEQPACKET)".into())?;
    Ok((socket, address, folder))
}

/// Sends one message. EPIPE or ECONNRESET: the other side is gone.
pub fn send(
    socket: impl AsFd,
    message: &impl Serialize,
    descriptors: &[BorrowedFd<'_>],
) -> Result<(), SysError> {
    send_with(socket, message, descriptors, SendFlags::NOSIGNAL)
}

/// The same, but rather loses the message than waits for one who does not read.
pub fn send_now(socket: impl AsFd, message: &impl Serialize) -> Result<(), SysError> {
    send_with(socket, message, &[], SendFlags::NOSIGNAL | SendFlags::DONTWAIT)
}

fn send_with(
    socket: impl AsFd,
    message: &impl Serialize,
    descriptors: &[BorrowedFd<'_>],
    flags: SendFlags,
) -> Result<(), SysError> {
    let call = || "sendmsg(control)".to_string();
    let json = serde_json::to_vec(message).map_err(|_| SysError::new(call(), nix::errno::Errno::EINVAL))?;
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(DESCRIPTORS_MAX))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() {
        control.push(SendAncillaryMessage::ScmRights(descriptors));
    }
    retried(|| rustix::net::sendmsg(&socket, &[IoSlice::new(&json)], &mut control, flags))
        .strace(call)
        .map(drop)
}

/// Receives one message, waiting for it.
pub fn receive<T: DeserializeOwned>(socket: impl AsFd) -> Result<Received<T>, SysError> {
    let mut buffer = vec![0; MESSAGE_MAX];
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(DESCRIPTORS_MAX))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let received = retried(|| {
        let mut parts = [IoSliceMut::new(&mut buffer)];
        rustix::net::recvmsg(&socket, &mut parts, &mut control, RecvFlags::CMSG_CLOEXEC)
    });
    let length = match received {
        Ok(message) => message.bytes,
        Err(Errno::CONNRESET) => 0,
        Err(errno) => return Err(errno).strace(|| "recvmsg(control)".into()),
    };
    let mut descriptors = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(received) = message {
            descriptors.extend(received);
        }
    }
    Ok(match serde_json::from_slice(&buffer[..length]) {
        _ if length == 0 => Received::Closed,
        Ok(message) => Received::Message(message, descriptors),
        Err(_) => Received::Unknown,
    })
}

/// Repeats a call that a signal interrupted.
pub fn retried<T>(mut call: impl FnMut() -> rustix::io::Result<T>) -> rustix::io::Result<T> {
    loop {
        match call() {
            Err(Errno::INTR) => {}
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_keep_their_edges_and_their_descriptors() {
        let (here, there) = pair().unwrap();
        send(&here, &"first", &[here.as_fd()]).unwrap();
        send(&here, &7, &[]).unwrap();
        match receive::<String>(&there).unwrap() {
            Received::Message(text, descriptors) => {
                assert_eq!((text.as_str(), descriptors.len()), ("first", 1))
            }
            _ => panic!("no message"),
        }
        assert!(matches!(receive::<String>(&there).unwrap(), Received::Unknown));
        drop(here);
        assert!(matches!(receive::<String>(&there).unwrap(), Received::Closed));
    }

    #[test]
    fn a_run_directory_may_lie_deeper_than_an_address_is_long() {
        let folder = std::env::temp_dir().join(format!("packets-{}-{}", std::process::id(), "x".repeat(150)));
        std::fs::create_dir_all(&folder).unwrap();
        assert!(connect(&folder).is_err());
        let listener = listen(&folder).unwrap();
        assert!(connect(&folder).is_ok());
        drop(listener);
        assert!(connect(&folder).is_err());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
