//! The bridge and its endpoints in the kernel: made, found again, removed.

use std::net::Ipv4Addr;
use std::os::fd::BorrowedFd;

use crate::{Bridge, Endpoint, Error};

/// Makes the bridge, its rules and forwarding what they should be, whatever of them is there already: nothing, half of it (a
/// daemon was killed on the way), or all (it was restarted). An existing bridge keeps the address that it has.
///
/// The subnet is the first of Docker's pools that no route of this host overlaps with.
///
/// # Errors
/// [`ErrorKind::NameTaken`](crate::ErrorKind::NameTaken) by a link that is no bridge, [`ErrorKind::NoFreeSubnet`](crate::ErrorKind::NoFreeSubnet),
/// [`ErrorKind::PermissionDenied`](crate::ErrorKind::PermissionDenied).
pub fn ensure_bridge(name: &str) -> Result<Bridge, Error> {
    todo!("{name}")
}

/// Removes the bridge and its rules; one that is not there is no error. Endpoints that are left lose their connection.
pub fn remove_bridge(name: &str) -> Result<(), Error> {
    todo!("{name}")
}

/// Gives the container in the network namespace `netns` (an open `/proc/PID/ns/net`) the address on the bridge: `eth0` with an
/// address, a default route, and up. The bridge is made again if it has gone. A failure leaves nothing.
///
/// Nothing has to be undone when the container ends: the cable dies with its network namespace.
pub fn attach(bridge: &Bridge, netns: BorrowedFd, address: Ipv4Addr) -> Result<Endpoint, Error> {
    todo!("{bridge:?} {netns:?} {address}")
}

/// Unplugs a container that runs on. A cable that has gone is no error.
pub fn detach(endpoint: &Endpoint) -> Result<(), Error> {
    todo!("{endpoint:?}")
}
