//! Long tail: gives a container network devices of the host (config-linux.md, "Network Devices").
//!
//! A device that changes its network namespace goes down and loses its addresses: it gets those back that were to stay, and is
//! set up. Nobody takes it back when the container ends: the kernel returns a physical one to the host, a virtual one ends.

use crate::netlink::{Netlink, refused};
use crate::plan::NetDevice;
use crate::{Error, Result};
use kernel::Strace;
use namespaces::{Namespaces, SpawnPlan};
use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::address::{
    AddressAttribute, AddressFlags, AddressHeaderFlags, AddressMessage, AddressScope,
};
use netlink_packet_route::link::{LinkAttribute, LinkFlags, LinkMessage};
use nix::errno::Errno;
use nix::sched::{CloneFlags, setns};
use nix::unistd::Pid;
use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::PathBuf;

/// Both sides of the move.
struct Move {
    outside: Netlink,
    inside: Netlink,
    /// The network namespace that they are moved to.
    namespace: File,
}

/// Gives a container its devices, while its first process waits. The calling process must have one thread: for a moment it is
/// itself in the container's network namespace.
pub fn give(devices: &[NetDevice], spawn: &SpawnPlan, pid: Pid) -> Result<()> {
    let joined = spawn.join.iter().find(|join| join.kind == Namespaces::NET);
    let path = joined.map_or_else(|| PathBuf::from(format!("/proc/{pid}/ns/net")), |join| join.path.clone());
    let open = |path: &PathBuf| File::open(path).strace(|| format!("open({path:?}, O_RDONLY|O_CLOEXEC)"));
    let (own, namespace) = (open(&"/proc/self/ns/net".into())?, open(&path)?);
    let outside = Netlink::route()?;
    enter(&namespace)?;
    let inside = Netlink::route();
    enter(&own)?;
    let way = Move { outside, inside: inside?, namespace };
    for device in devices {
        let place = format!("linux.netDevices.{}", device.outside);
        way.give(device).map_err(|error| Error::new(error.kind(), format!("{place}: {error}")))?;
    }
    Ok(())
}

fn enter(namespace: &File) -> kernel::Result<()> {
    setns(namespace, CloneFlags::CLONE_NEWNET).strace(|| "setns(a network namespace, CLONE_NEWNET)".into())
}

impl Move {
    fn give(&self, device: &NetDevice) -> Result<()> {
        let NetDevice { outside: from, inside: to } = device;
        let show = |name: &str, errno| refused(format_args!("ip link show dev {name}"), errno);
        let found = find(&self.outside, from).map_err(|errno| show(from, errno))?;
        let index = found.ok_or_else(|| Error::invalid("there is no such device on the host"))?;
        // The kernel would move it first, and then refuse to rename it.
        if !to.contains('%') && find(&self.inside, to).map_err(|errno| show(to, errno))?.is_some() {
            let why = format!("the network namespace of the container has a device {to:?} already");
            return Err(Error::invalid(why));
        }
        let addresses = self.addresses(index)?;
        let number = self.free_number()?;
        self.move_link(index, number, to).map_err(|errno| {
            refused(format_args!("ip link set dev {from} netns {:?} name {to}", self.namespace), errno)
        })?;
        for address in addresses {
            self.add_address(number, address)?;
        }
        let up = self.inside.change(vec![(RouteNetlinkMessage::SetLink(up(number)), 0)]);
        Ok(up.map_err(|errno| refused(format_args!("ip link set dev {to} up"), errno))?)
    }

    /// What is meant to stay, and to be reached from elsewhere.
    fn addresses(&self, index: u32) -> Result<Vec<AddressMessage>> {
        let all = self.outside.list(RouteNetlinkMessage::GetAddress(AddressMessage::default()));
        let all = all.map_err(|errno| refused("ip address show", errno))?;
        let address = |message| match message {
            RouteNetlinkMessage::NewAddress(message) => Some(message),
            _ => None,
        };
        let stays = |message: &AddressMessage| {
            let header = &message.header;
            header.index == index
                && header.scope == AddressScope::Universe
                && header.flags.contains(AddressHeaderFlags::Permanent)
        };
        Ok(all.into_iter().filter_map(address).filter(stays).collect())
    }

    /// A number that no device inside has, so that it is known which one came, whatever the kernel calls it.
    fn free_number(&self) -> Result<u32> {
        let links = self.inside.list(RouteNetlinkMessage::GetLink(LinkMessage::default()));
        let links = links.map_err(|errno| refused("ip link show", errno))?;
        let number = |message: &RouteNetlinkMessage| match message {
            RouteNetlinkMessage::NewLink(link) => link.header.index,
            _ => 0,
        };
        Ok(links.iter().map(number).max().unwrap_or_default() + 1)
    }

    fn move_link(&self, index: u32, number: u32, name: &str) -> std::result::Result<(), Errno> {
        let mut message = LinkMessage::default();
        message.header.index = index;
        message.attributes = vec![
            LinkAttribute::NetNsFd(self.namespace.as_raw_fd()),
            LinkAttribute::NewIfIndex(number as i32),
            LinkAttribute::IfName(name.to_owned()),
        ];
        self.outside.change(vec![(RouteNetlinkMessage::SetLink(message), 0)])
    }

    /// As it was, but for what the kernel says of it: that it is the second of its net, or still being looked for elsewhere.
    fn add_address(&self, number: u32, found: AddressMessage) -> Result<()> {
        let mut message = AddressMessage::default();
        message.header.family = found.header.family;
        message.header.prefix_len = found.header.prefix_len;
        message.header.index = number;
        let kept = AddressFlags::Noprefixroute | AddressFlags::Nodad;
        for attribute in found.attributes {
            match attribute {
                AddressAttribute::Flags(flags) => {
                    message.attributes.push(AddressAttribute::Flags(flags.intersection(kept)))
                }
                AddressAttribute::Local(_)
                | AddressAttribute::Address(_)
                | AddressAttribute::Broadcast(_)
                | AddressAttribute::RoutePriority(_) => message.attributes.push(attribute),
                _ => {}
            }
        }
        let request = (RouteNetlinkMessage::NewAddress(message.clone()), NLM_F_CREATE | NLM_F_EXCL);
        let added = self.inside.change(vec![request]);
        Ok(added.map_err(|errno| refused(format_args!("ip address add {:?}", message.attributes), errno))?)
    }
}

/// The number of a device by its name; None: there is none.
fn find(netlink: &Netlink, name: &str) -> std::result::Result<Option<u32>, Errno> {
    let mut message = LinkMessage::default();
    message.attributes.push(LinkAttribute::IfName(name.to_owned()));
    match netlink.get(RouteNetlinkMessage::GetLink(message)) {
        Ok(Some(RouteNetlinkMessage::NewLink(link))) => Ok(Some(link.header.index)),
        Ok(_) | Err(Errno::ENODEV) => Ok(None),
        Err(errno) => Err(errno),
    }
}

fn up(index: u32) -> LinkMessage {
    let mut message = LinkMessage::default();
    message.header.index = index;
    message.header.flags = LinkFlags::Up;
    message.header.change_mask = LinkFlags::Up;
    message
}
