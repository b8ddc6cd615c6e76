//! Who is attached: sockets that the daemon has handed over, of which it knows nothing any more.

use crate::AttachOptions;
use crate::detach_keys::DetachKeys;
use crate::packets::retried;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, Shutdown};
use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;

/// What may wait for a client that does not read after the process has ended; beyond it, the client is given up.
const BACKLOG_MAX: usize = 1 << 20;

/// One attached client.
pub struct Client {
    /// The connection to it, whatever kind of socket.
    pub socket: OwnedFd,
    /// What it had sent before its socket was handed over; read before the socket.
    pub earlier: Option<OwnedFd>,
    /// What it wants.
    pub options: AttachOptions,
    keys: DetachKeys,
    /// Output that its socket had no room for.
    backlog: Vec<u8>,
    /// It may still send input.
    pub sends: bool,
    /// It gets what is in its backlog, and is then let go.
    pub leaving: bool,
    /// It is gone, or let go.
    pub gone: bool,
    /// It reads no more; what it has sent is still input.
    deaf: bool,
}

/// What a client's input means.
pub enum Typed {
    /// For the process; it is in the buffer.
    Input,
    /// The detach keys; what came before them is in the buffer.
    Detach,
    /// It will send no more.
    End,
    /// Nothing now.
    Nothing,
}

impl Client {
    /// Takes over a socket.
    pub fn new(socket: OwnedFd, earlier: Option<OwnedFd>, options: AttachOptions, terminal: bool) -> Client {
        let keys = if terminal { options.detach_keys.clone() } else { Vec::new() };
        Client {
            socket,
            earlier,
            keys: DetachKeys::new(keys),
            sends: options.stdin,
            options,
            backlog: Vec::new(),
            leaving: false,
            gone: false,
            deaf: false,
        }
    }

    /// Whether output has to wait for it.
    pub fn is_behind(&self) -> bool {
        !self.backlog.is_empty()
    }

    /// Sends output of one stream (1 or 2), if the client wants that stream. What does not fit waits in the backlog.
    pub fn output(&mut self, stream: u8, bytes: &[u8]) {
        let wanted = if stream == 1 { self.options.stdout } else { self.options.stderr };
        if !wanted || self.leaving || self.deaf {
            return;
        }
        let length = (bytes.len() as u32).to_be_bytes();
        let header = [stream, 0, 0, 0, length[0], length[1], length[2], length[3]];
        let header = if self.options.framed { &header[..] } else { &[] };
        let sent = if self.backlog.is_empty() { self.send(&[header, bytes]) } else { 0 };
        let (header_sent, bytes_sent) = (sent.min(header.len()), sent.saturating_sub(header.len()));
        self.backlog.extend_from_slice(&header[header_sent..]);
        self.backlog.extend_from_slice(&bytes[bytes_sent..]);
        self.gone |= self.backlog.len() > BACKLOG_MAX;
    }

    /// Sends what is in the backlog, as far as there is room.
    pub fn flush(&mut self) {
        let backlog = std::mem::take(&mut self.backlog);
        let sent = self.send(&[&backlog]);
        self.backlog = backlog;
        self.backlog.drain(..sent);
        if self.backlog.is_empty() {
            self.backlog = Vec::new();
        }
    }

    /// MSG_DONTWAIT rather than O_NONBLOCK: the daemon, or a client on the same machine, may share the open file.
    fn send(&mut self, parts: &[&[u8]]) -> usize {
        let slices: Vec<IoSlice<'_>> = parts.iter().map(|part| IoSlice::new(part)).collect();
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        match retried(|| rustix::net::sendmsg(&self.socket, &slices, &mut Default::default(), flags)) {
            Ok(sent) => sent,
            Err(Errno::AGAIN) => 0,
            Err(_) => {
                self.deaf = true;
                parts.iter().map(|part| part.len()).sum()
            }
        }
    }

    /// Reads what it typed; what is meant for the process is appended to `input`.
    pub fn input(&mut self, input: &mut Vec<u8>) -> Typed {
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let (typed, _) = match self.receive(&mut buffer) {
            Ok(received) => received,
            Err(Errno::AGAIN) => return Typed::Nothing,
            Err(_) => {
                self.gone = true;
                return Typed::End;
            }
        };
        if typed.is_empty() && self.earlier.take().is_some() {
            return Typed::Nothing;
        }
        match typed {
            [] => Typed::End,
            typed if self.keys.filter(typed, input) => Typed::Detach,
            _ => Typed::Input,
        }
    }

    fn receive<'a>(
        &self,
        buffer: &'a mut [MaybeUninit<u8>],
    ) -> rustix::io::Result<(&'a mut [u8], &'a mut [MaybeUninit<u8>])> {
        match &self.earlier {
            Some(earlier) => rustix::io::read(earlier, buffer),
            None => rustix::net::recv(&self.socket, buffer, RecvFlags::DONTWAIT).map(|(parts, _)| parts),
        }
    }
}

/// The other end sees an end of file, even while the daemon still holds a copy of the descriptor. What it sent and nobody
/// read is thrown away first: closing over it would turn the end of file into ECONNRESET.
impl Drop for Client {
    fn drop(&mut self) {
        let _ = rustix::net::shutdown(&self.socket, Shutdown::Both);
        let mut buffer = [MaybeUninit::uninit(); 4096];
        while let Ok(((read, _), _)) = rustix::net::recv(&self.socket, &mut buffer, RecvFlags::DONTWAIT) {
            if read.is_empty() {
                break;
            }
        }
    }
}
