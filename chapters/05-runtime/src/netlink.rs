//! Long tail: a netlink socket: requests to the kernel, in the network namespace of the thread that opened it (netlink(7)).

use std::fmt::Debug;
use std::io;

use kernel::{AsErrno, Strace, SysError};
use netlink_packet_core::{
    NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST, NetlinkDeserializable, NetlinkMessage, NetlinkPayload,
    NetlinkSerializable,
};
use netlink_sys::{Socket, SocketAddr, protocols};
use nix::errno::Errno;

/// A socket to one subsystem of the kernel.
pub struct Netlink {
    socket: Socket,
}

impl Netlink {
    /// Links, addresses, routes: rtnetlink(7).
    pub fn route() -> kernel::Result<Netlink> {
        Netlink::open(protocols::NETLINK_ROUTE, "NETLINK_ROUTE")
    }

    /// The packet filter.
    pub fn netfilter() -> kernel::Result<Netlink> {
        Netlink::open(protocols::NETLINK_NETFILTER, "NETLINK_NETFILTER")
    }

    /// The socket does not block, for it never has to wait: the kernel does what a message asks and queues its answer
    /// before `send` returns, and makes the next part of a list while the one before is read.
    fn open(protocol: isize, name: &str) -> kernel::Result<Netlink> {
        let open = || -> io::Result<Socket> {
            let socket = Socket::new(protocol)?;
            socket.connect(&SocketAddr::new(0, 0))?;
            socket.set_non_blocking(true)?;
            Ok(socket)
        };
        let socket = open().strace(|| format!("socket(AF_NETLINK, SOCK_DGRAM, {name})"))?;
        Ok(Netlink { socket })
    }

    /// Sends all messages at once and checks that the kernel has done what each asks. Flags are NLM_F_*, added to those
    /// that every request has.
    ///
    /// # Errors
    /// The first refusal.
    pub fn change<M>(&self, messages: Vec<(M, u16)>) -> Result<(), Errno>
    where
        M: NetlinkSerializable + NetlinkDeserializable + Debug,
    {
        let messages = messages.into_iter().map(|(message, flags)| (message, flags | NLM_F_ACK));
        self.ask(messages).map(|_| ())
    }

    /// Asks for one object.
    pub fn get<M>(&self, message: M) -> Result<Option<M>, Errno>
    where
        M: NetlinkSerializable + NetlinkDeserializable + Debug,
    {
        let answers = self.ask([(message, 0)].into_iter())?;
        Ok(answers.into_iter().next())
    }

    /// Asks for all objects of a kind.
    pub fn list<M>(&self, message: M) -> Result<Vec<M>, Errno>
    where
        M: NetlinkSerializable + NetlinkDeserializable + Debug,
    {
        self.ask([(message, NLM_F_DUMP)].into_iter())
    }

    fn ask<M>(&self, messages: impl Iterator<Item = (M, u16)>) -> Result<Vec<M>, Errno>
    where
        M: NetlinkSerializable + NetlinkDeserializable + Debug,
    {
        let mut request = Vec::new();
        for (message, flags) in messages {
            append(&mut request, message, flags);
        }
        self.socket.send(&request, 0).map_err(|error| error.as_errno())?;
        let mut answers = Vec::new();
        let mut refusal = None;
        while let Some(datagram) = self.receive()? {
            for payload in payloads(&datagram)? {
                match payload {
                    NetlinkPayload::InnerMessage(answer) => answers.push(answer),
                    NetlinkPayload::Error(answer) if answer.code.is_some() => {
                        refusal.get_or_insert(Errno::from_raw(-answer.raw_code()));
                    }
                    _ => {}
                }
            }
        }
        refusal.map_or(Ok(answers), Err)
    }

    /// The next queued datagram.
    fn receive(&self) -> Result<Option<Vec<u8>>, Errno> {
        loop {
            match self.socket.recv_from_full() {
                Ok((datagram, _)) => return Ok(Some(datagram)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.as_errno()),
            }
        }
    }
}

/// The messages in a datagram.
fn payloads<M>(mut datagram: &[u8]) -> Result<Vec<NetlinkPayload<M>>, Errno>
where
    M: NetlinkDeserializable + Debug,
{
    let mut payloads = Vec::new();
    while !datagram.is_empty() {
        let message = NetlinkMessage::<M>::deserialize(datagram).map_err(|_| Errno::EBADMSG)?;
        // Messages are padded to four bytes, but the last one's padding may be missing.
        let length = (message.header.length as usize).next_multiple_of(4);
        datagram = datagram.get(length..).unwrap_or_default();
        payloads.push(message.payload);
    }
    Ok(payloads)
}

/// Appends the message to a datagram.
fn append<M: NetlinkSerializable>(bytes: &mut Vec<u8>, message: M, flags: u16) {
    let mut message = NetlinkMessage::new(Default::default(), NetlinkPayload::InnerMessage(message));
    message.header.flags = NLM_F_REQUEST | flags;
    message.finalize();
    let start = bytes.len();
    bytes.resize(start + message.buffer_len().next_multiple_of(4), 0);
    message.serialize(&mut bytes[start..]);
}

/// A refused request, as if netlink were one call.
pub fn refused(request: impl std::fmt::Display, errno: Errno) -> SysError {
    SysError::new(format!("netlink({request})"), errno)
}
