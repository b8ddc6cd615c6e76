//! Long tail: the listener of a seccomp filter goes to whoever shall be asked, with the container's state (config-linux.md, "The
//! Container Process State").

use crate::plan::{Listener, State};
use crate::{Error, Result};
use kernel::Strace;
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags};
use serde::Serialize;
use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

/// A connection to whoever shall be asked.
pub struct Connection {
    socket: UnixStream,
    message: Vec<u8>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProcessState<'a> {
    oci_version: &'a str,
    fds: [&'static str; 1],
    pid: i32,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<&'a str>,
    state: &'a State,
}

impl Connection {
    /// Connects, as long as the host's files are in sight.
    pub fn new(listener: &Listener) -> Result<Connection> {
        let Listener { path, metadata, state } = listener;
        let state = state.as_ref().ok_or_else(|| {
            Error::not_supported("linux.seccomp.listenerPath of a process that is added here")
        })?;
        let socket = UnixStream::connect(path).strace(|| format!("connect({path:?})"));
        let socket = socket.map_err(|error| Error::system(format!("linux.seccomp.listenerPath: {error}")))?;
        let link = std::fs::read_link("/proc/self").strace(|| "readlink(\"/proc/self\")".into())?;
        let pid = link.to_str().and_then(|text| text.parse().ok());
        let pid = pid.ok_or_else(|| Error::system("/proc/self leads to no process"))?;
        // The container's first process is the one that is being made.
        let state = State { pid: if state.pid == 0 { pid } else { state.pid }, ..state.clone() };
        let (oci_version, metadata) = (state.oci_version.as_str(), metadata.as_deref());
        let process = ProcessState { oci_version, fds: ["seccompFd"], pid, metadata, state: &state };
        let message = serde_json::to_vec(&process).map_err(Error::system)?;
        Ok(Connection { socket, message })
    }

    /// What must stay open until then.
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// Sends the listener, in one message with the state.
    pub fn hand_over(&self, listener: OwnedFd) -> std::result::Result<(), privileges::Error> {
        let descriptors = [listener.as_fd()];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        control.push(SendAncillaryMessage::ScmRights(&descriptors));
        let message = [IoSlice::new(&self.message)];
        rustix::net::sendmsg(&self.socket, &message, &mut control, SendFlags::NOSIGNAL)
            .map(drop)
            .strace(|| "sendmsg(listener, SCM_RIGHTS)".into())
            .map_err(|error| privileges::Error::call("linux.seccomp.listenerPath", error))
    }
}
