//! What is to be done to the kernel's links, as plain data. Each step prints as the `ip` command that would do it.

use std::fmt;
use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

use crate::{MacAddress, Subnet};

/// The largest packet, in bytes, on the bridge and on both ends of every veth: Ethernet's, and Docker's default.
pub const MTU: u32 = 1500;

/// What marks a bridge as ours to remove: a group of links that nobody else uses ("cora" in ASCII). A bridge is born in it, so
/// that no kill -9 finds one without its mark; an alias could be set only afterwards.
pub const GROUP: u32 = 0x636f_7261;

/// What a container calls its end.
pub const CONTAINER_LINK: &str = "eth0";

/// A bridge as it stands in the kernel: a virtual switch that all containers of a network plug into, and through which this
/// host is their gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bridge {
    /// The link's name, at most 15 bytes: `coracle0`.
    pub name: String,
    /// The addresses of its containers.
    pub subnet: Subnet,
    /// The bridge's own address, which its containers route through.
    pub gateway: Ipv4Addr,
}

impl Bridge {
    /// A bridge over this subnet, with Docker's choice of the gateway.
    pub fn new(name: &str, subnet: Subnet) -> Bridge {
        Bridge { name: name.to_owned(), subnet, gateway: subnet.gateway() }
    }
}

/// A container's place on a bridge: a pair of links joined by a virtual cable, one on the bridge, one in the container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// The name of the end that is plugged into the bridge, unique on this host: `veth1a2b3c4d5e6`.
    pub host_link: String,
    /// The container's address.
    pub address: Ipv4Addr,
    /// How many bits of it name the subnet.
    pub prefix: u8,
    /// Where the container sends what is not for its subnet.
    pub gateway: Ipv4Addr,
    /// The MAC address of the container's end.
    pub mac: MacAddress,
}

impl Endpoint {
    /// The endpoint that has `address` on `bridge`.
    pub fn new(bridge: &Bridge, host_link: &str, address: Ipv4Addr) -> Endpoint {
        Endpoint {
            host_link: host_link.to_owned(),
            address,
            prefix: bridge.subnet.prefix(),
            gateway: bridge.gateway,
            mac: MacAddress::for_address(address),
        }
    }
}

/// One change to the links of one network namespace: one netlink message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum LinkOp {
    /// A bridge with a MAC address of its own. Without one it takes the lowest of its ports' and changes it as they come and
    /// go, and every container's memory of its gateway is wrong until it asks again.
    CreateBridge { name: String, mac: MacAddress },
    /// Both ends of a virtual cable in one message: ours is plugged into the bridge and up, the peer is born in the container's
    /// network namespace under its final name. No moment exists in which a half of it has to be cleaned up.
    CreateVeth { name: String, bridge: String, peer: String, peer_mac: MacAddress },
    /// An address for a link; with it the kernel adds the route to the subnet.
    AddAddress { link: String, address: Ipv4Addr, subnet: Subnet },
    /// Lets packets through.
    SetUp { link: String },
    /// Writes a kernel parameter, `net.ipv4.ip_forward`, unless it has this value already.
    Sysctl { name: String, value: String },
    /// Whatever has no nearer route goes to the gateway.
    AddDefaultRoute { gateway: Ipv4Addr },
    /// Removes a link, a veth's peer with it.
    Delete { link: String },
}

/// What there is of a bridge before we do anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// A bridge of that name exists.
    pub link: bool,
    /// It was made by us, and not by an administrator whose bridge we only use.
    pub ours: bool,
    /// It lets packets through.
    pub up: bool,
    /// It has this address, on a subnet of so many bits.
    pub address: Option<(Ipv4Addr, u8)>,
}

/// What is missing for the bridge to be as it should, in this host's network namespace. A host that does not yet pass packets
/// on from one link to another has to; other programs may then rely on that, so it stays so when the bridge goes.
pub fn bridge_plan(bridge: &Bridge, found: &Found) -> Vec<LinkOp> {
    let link = bridge.name.clone();
    let create = LinkOp::CreateBridge { name: link.clone(), mac: MacAddress::for_address(bridge.gateway) };
    let add_address =
        LinkOp::AddAddress { link: link.clone(), address: bridge.gateway, subnet: bridge.subnet };
    let mut ops = Vec::new();
    ops.extend((!found.link).then_some(create));
    ops.extend(found.address.is_none().then_some(add_address));
    ops.extend((!found.up).then_some(LinkOp::SetUp { link }));
    ops.push(sysctl("net.ipv4.ip_forward", "1"));
    ops
}

fn sysctl(name: &str, value: &str) -> LinkOp {
    LinkOp::Sysctl { name: name.to_owned(), value: value.to_owned() }
}

/// How a container gets its cable, in this host's network namespace.
pub fn cable_plan(bridge: &Bridge, endpoint: &Endpoint) -> Vec<LinkOp> {
    vec![LinkOp::CreateVeth {
        name: endpoint.host_link.clone(),
        bridge: bridge.name.clone(),
        peer: CONTAINER_LINK.to_owned(),
        peer_mac: endpoint.mac,
    }]
}

/// What is then done in the container's network namespace. The network has no IPv6 subnet, and Docker keeps the link from making
/// an address of its own up. The route comes last: a gateway must be reachable to be one.
pub fn container_plan(endpoint: &Endpoint) -> Vec<LinkOp> {
    let link = CONTAINER_LINK.to_owned();
    let subnet = Subnet::containing(endpoint.address, endpoint.prefix);
    vec![
        sysctl(&format!("net.ipv6.conf.{CONTAINER_LINK}.disable_ipv6"), "1"),
        LinkOp::AddAddress { link: link.clone(), address: endpoint.address, subnet },
        LinkOp::SetUp { link },
        LinkOp::AddDefaultRoute { gateway: endpoint.gateway },
    ]
}

impl fmt::Display for LinkOp {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        match self {
            LinkOp::CreateBridge { name, mac } => {
                write!(out, "ip link add name {name} mtu {MTU} address {mac} group {GROUP} type bridge")
            }
            LinkOp::CreateVeth { name, bridge, peer, peer_mac } => write!(
                out,
                "ip link add name {name} mtu {MTU} master {bridge} up type veth \
                 peer name {peer} mtu {MTU} address {peer_mac} netns CONTAINER"
            ),
            LinkOp::AddAddress { link, address, subnet } => {
                let (prefix, broadcast) = (subnet.prefix(), subnet.broadcast());
                write!(out, "ip address add {address}/{prefix} broadcast {broadcast} dev {link}")
            }
            LinkOp::Sysctl { name, value } => write!(out, "sysctl -w {name}={value}"),
            LinkOp::SetUp { link } => write!(out, "ip link set dev {link} up"),
            LinkOp::AddDefaultRoute { gateway } => write!(out, "ip route add default via {gateway}"),
            LinkOp::Delete { link } => write!(out, "ip link delete dev {link}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(ops: &[LinkOp]) -> String {
        ops.iter().map(|op| format!("{op}\n")).collect()
    }

    #[test]
    fn a_bridge_and_an_endpoint_as_ip_commands() {
        let bridge = Bridge::new("coracle0", "172.17.0.0/16".parse().unwrap());
        let endpoint = Endpoint::new(&bridge, "veth1a2b3c4d5e6", Ipv4Addr::new(172, 17, 0, 2));
        insta::assert_snapshot!("bridge", printed(&bridge_plan(&bridge, &Found::default())));
        let found = Found { link: true, ours: true, up: true, address: Some((bridge.gateway, 16)) };
        insta::assert_snapshot!("bridge_found_again", printed(&bridge_plan(&bridge, &found)));
        insta::assert_snapshot!("cable", printed(&cable_plan(&bridge, &endpoint)));
        insta::assert_snapshot!("container", printed(&container_plan(&endpoint)));
    }
}
