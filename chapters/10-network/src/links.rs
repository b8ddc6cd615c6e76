//! Does what a plan of links says, and reads what links there are, in the network namespace of the calling thread (rtnetlink(7)).

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::thread;
use std::time::{Duration, Instant};

use kernel::AsErrno;
use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use netlink_packet_route::address::{AddressAttribute, AddressMessage};
use netlink_packet_route::link::{
    InfoData, InfoKind, InfoVeth, LinkAttribute, LinkFlags, LinkInfo, LinkMessage, State,
};
use netlink_packet_route::route::{
    RouteAddress, RouteAttribute, RouteHeader, RouteMessage, RouteProtocol, RouteScope, RouteType,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use nix::errno::Errno;
use nix::net::if_::if_nametoindex;
use runtime::netlink::{Netlink, refused};

use crate::plan::GROUP;
use crate::{Error, ErrorKind, Found, LinkOp, MTU, MacAddress, Subnet};

/// Does one step after the other, up to the first that fails. A peer is born in `container`.
///
/// # Errors
/// The failed step as an `ip` command, with the kernel's answer.
pub fn execute(plan: &[LinkOp], container: Option<BorrowedFd>) -> kernel::Result<()> {
    let netlink = Netlink::route()?;
    for op in plan {
        perform(&netlink, op, container).map_err(|errno| refused(op, errno))?;
    }
    Ok(())
}

fn perform(netlink: &Netlink, op: &LinkOp, container: Option<BorrowedFd>) -> Result<(), Errno> {
    let create = NLM_F_CREATE | NLM_F_EXCL;
    let (message, flags) = match op {
        LinkOp::CreateBridge { name, mac } => (RouteNetlinkMessage::NewLink(new_bridge(name, *mac)), create),
        LinkOp::CreateVeth { name, bridge, peer, peer_mac } => {
            let container = container.ok_or(Errno::EBADF)?;
            let peer = new_peer(peer, *peer_mac, container);
            (RouteNetlinkMessage::NewLink(new_veth(name, if_nametoindex(bridge.as_str())?, peer)), create)
        }
        LinkOp::AddAddress { link, address, subnet } => {
            let message = new_address(if_nametoindex(link.as_str())?, *address, *subnet);
            (RouteNetlinkMessage::NewAddress(message), create)
        }
        LinkOp::SetUp { link } => {
            let mut message = link_named(link);
            set_up(&mut message);
            (RouteNetlinkMessage::SetLink(message), 0)
        }
        LinkOp::AddDefaultRoute { gateway } => {
            (RouteNetlinkMessage::NewRoute(default_route(*gateway)), create)
        }
        LinkOp::Delete { link } => (RouteNetlinkMessage::DelLink(link_named(link)), 0),
        LinkOp::Sysctl { name, value } => return write_sysctl(name, value),
    };
    netlink.change(vec![(message, flags)])
}

fn link_named(name: &str) -> LinkMessage {
    let mut message = LinkMessage::default();
    message.attributes.push(LinkAttribute::IfName(name.to_owned()));
    message
}

fn set_up(message: &mut LinkMessage) {
    message.header.flags = LinkFlags::Up;
    message.header.change_mask = LinkFlags::Up;
}

fn new_bridge(name: &str, mac: MacAddress) -> LinkMessage {
    let mut message = link_named(name);
    message.attributes.push(LinkAttribute::Mtu(MTU));
    message.attributes.push(LinkAttribute::Address(mac.0.to_vec()));
    message.attributes.push(LinkAttribute::Group(GROUP));
    message.attributes.push(LinkAttribute::LinkInfo(vec![LinkInfo::Kind(InfoKind::Bridge)]));
    message
}

fn new_peer(name: &str, mac: MacAddress, container: BorrowedFd) -> LinkMessage {
    let mut message = link_named(name);
    message.attributes.push(LinkAttribute::Mtu(MTU));
    message.attributes.push(LinkAttribute::Address(mac.0.to_vec()));
    message.attributes.push(LinkAttribute::NetNsFd(container.as_raw_fd()));
    message
}

fn new_veth(name: &str, bridge: u32, peer: LinkMessage) -> LinkMessage {
    let mut message = link_named(name);
    set_up(&mut message);
    message.attributes.push(LinkAttribute::Mtu(MTU));
    message.attributes.push(LinkAttribute::Controller(bridge));
    let data = InfoData::Veth(InfoVeth::Peer(peer));
    message
        .attributes
        .push(LinkAttribute::LinkInfo(vec![LinkInfo::Kind(InfoKind::Veth), LinkInfo::Data(data)]));
    message
}

fn new_address(index: u32, address: Ipv4Addr, subnet: Subnet) -> AddressMessage {
    let mut message = AddressMessage::default();
    message.header.family = AddressFamily::Inet;
    message.header.prefix_len = subnet.prefix();
    message.header.index = index;
    // "Local" is this machine's address, "address" the other end's on a point-to-point link; else they are the same.
    message.attributes.push(AddressAttribute::Local(IpAddr::V4(address)));
    message.attributes.push(AddressAttribute::Address(IpAddr::V4(address)));
    message.attributes.push(AddressAttribute::Broadcast(subnet.broadcast()));
    message
}

fn default_route(gateway: Ipv4Addr) -> RouteMessage {
    let mut message = RouteMessage::default();
    message.header.address_family = AddressFamily::Inet;
    message.header.table = RouteHeader::RT_TABLE_MAIN;
    message.header.protocol = RouteProtocol::Boot;
    message.header.scope = RouteScope::Universe;
    message.header.kind = RouteType::Unicast;
    message.attributes.push(RouteAttribute::Gateway(RouteAddress::Inet(gateway)));
    message
}

/// `/proc/sys/net` shows the network namespace of the thread that looks. A kernel without IPv6 lacks its part: nothing to turn off.
fn write_sysctl(name: &str, value: &str) -> Result<(), Errno> {
    let path = format!("/proc/sys/{}", name.replace('.', "/"));
    let written = match fs::read_to_string(&path) {
        Ok(current) if current.trim_end() == value => return Ok(()),
        Ok(_) => fs::write(&path, value),
        Err(error) => Err(error),
    };
    match written {
        Err(error) if error.kind() == io::ErrorKind::NotFound && name.starts_with("net.ipv6.") => Ok(()),
        other => other.map_err(|error| error.as_errno()),
    }
}

/// Waits until a link passes packets. When a cable gets its second end the kernel knows at once, but acts on it in the
/// background; meanwhile packets are dropped, and whoever sent one tries again only after a second.
///
/// Recent kernels catch up when they are asked for the link's state; for others it is asked again, a tenth of a second long.
pub fn await_up(name: &str) -> kernel::Result<()> {
    let netlink = Netlink::route()?;
    let deadline = Instant::now() + Duration::from_millis(100);
    loop {
        let link = netlink
            .get(RouteNetlinkMessage::GetLink(link_named(name)))
            .map_err(|errno| refused(format_args!("ip link show dev {name}"), errno))?;
        let is_up = matches!(link, Some(RouteNetlinkMessage::NewLink(link)) if link.attributes.contains(&LinkAttribute::OperState(State::Up)));
        if is_up || Instant::now() > deadline {
            return Ok(());
        }
        thread::sleep(Duration::from_micros(200));
    }
}

/// What there is of the bridge `name`.
///
/// # Errors
/// [`ErrorKind::NameTaken`] by a link that is no bridge.
pub fn find_bridge(name: &str) -> Result<Found, Error> {
    let netlink = Netlink::route()?;
    let link = match netlink.get(RouteNetlinkMessage::GetLink(link_named(name))) {
        Ok(Some(RouteNetlinkMessage::NewLink(link))) => link,
        Ok(_) | Err(Errno::ENODEV) => return Ok(Found::default()),
        Err(errno) => return Err(refused(format_args!("ip link show dev {name}"), errno).into()),
    };
    if !is_bridge(&link) {
        return Err(Error::new(ErrorKind::NameTaken, format!("existing interface {name} is not a bridge")));
    }
    let address = addresses(&netlink)?.into_iter().find(|(index, ..)| *index == link.header.index);
    Ok(Found {
        link: true,
        ours: link.attributes.contains(&LinkAttribute::Group(GROUP)),
        up: link.header.flags.contains(LinkFlags::Up),
        address: address.map(|(_, address, prefix)| (address, prefix)),
    })
}

fn is_bridge(link: &LinkMessage) -> bool {
    link.attributes.iter().any(|attribute| match attribute {
        LinkAttribute::LinkInfo(info) => info.contains(&LinkInfo::Kind(InfoKind::Bridge)),
        _ => false,
    })
}

/// All IPv4 addresses of this network namespace: the link's index, the address, its prefix.
fn addresses(netlink: &Netlink) -> kernel::Result<Vec<(u32, Ipv4Addr, u8)>> {
    let mut request = AddressMessage::default();
    request.header.family = AddressFamily::Inet;
    let answers = netlink
        .list(RouteNetlinkMessage::GetAddress(request))
        .map_err(|errno| refused("ip address show", errno))?;
    let address = |message: RouteNetlinkMessage| {
        let RouteNetlinkMessage::NewAddress(message) = message else {
            return None;
        };
        let local = message.attributes.iter().find_map(|attribute| match attribute {
            AddressAttribute::Local(IpAddr::V4(address)) => Some(*address),
            _ => None,
        });
        local.map(|address| (message.header.index, address, message.header.prefix_len))
    };
    Ok(answers.into_iter().filter_map(address).collect())
}

/// The subnets that this network namespace has routes to; the default route, which is to everywhere, is left out.
pub fn routed_subnets() -> kernel::Result<Vec<Subnet>> {
    let mut request = RouteMessage::default();
    request.header.address_family = AddressFamily::Inet;
    let answers = Netlink::route()?
        .list(RouteNetlinkMessage::GetRoute(request))
        .map_err(|errno| refused("ip route show table all", errno))?;
    let subnet = |message: RouteNetlinkMessage| {
        let RouteNetlinkMessage::NewRoute(message) = message else {
            return None;
        };
        message.attributes.iter().find_map(|attribute| match attribute {
            RouteAttribute::Destination(RouteAddress::Inet(first)) => {
                Some(Subnet::containing(*first, message.header.destination_prefix_length))
            }
            _ => None,
        })
    };
    Ok(answers.into_iter().filter_map(subnet).collect())
}
