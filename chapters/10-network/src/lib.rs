//! Networks: links, bridges, addresses and rules over netlink.
#![forbid(unsafe_code)]
