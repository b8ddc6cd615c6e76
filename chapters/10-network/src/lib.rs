//! Chapter 10, networks: a bridge for all containers, a virtual cable for each, addresses, routes and address translation.
//!
//! First what is to be done, as plain data made by pure functions: [`Leases`] say who has which address, [`bridge_plan`],
//! [`cable_plan`] and [`container_plan`] which links, [`bridge_rules`] which packets pass. Then [`ensure_bridge`] and [`attach`]
//! do it: they tell the kernel over netlink, in this process, without running `ip` or `nft`.
#![forbid(unsafe_code)]

mod address;
mod error;
mod ipam;
mod plan;
mod rules;

#[cfg(target_os = "linux")]
mod bridge;
#[cfg(target_os = "linux")]
mod links;
#[cfg(target_os = "linux")]
mod nftables;

pub use address::{MacAddress, Subnet};
pub use error::{Error, ErrorKind};
pub use ipam::{Leases, choose_subnet, default_pools};
pub use plan::{
    Bridge, CONTAINER_LINK, Endpoint, Found, LinkOp, MTU, bridge_plan, cable_plan, container_plan,
};
pub use rules::{Chain, Hook, Match, Rule, Table, Verdict, bridge_rules, table_name};

#[cfg(target_os = "linux")]
pub use bridge::{attach, detach, ensure_bridge, remove_bridge};
