//! IPv4 subnets and MAC addresses as plain data.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Error, ErrorKind};

/// An IPv4 subnet as `172.17.0.0/16`: the first address and the number of leading bits that all its addresses share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Subnet {
    first: Ipv4Addr,
    prefix: u8,
}

impl Subnet {
    /// The subnet of `prefix` bits (0 to 32; more count as 32) that `address` lies in.
    pub const fn containing(address: Ipv4Addr, prefix: u8) -> Subnet {
        let prefix = if prefix > 32 { 32 } else { prefix };
        Subnet { first: Ipv4Addr::from_bits(address.to_bits() & mask(prefix)), prefix }
    }

    /// The address that names the subnet, `172.17.0.0`; no machine has it.
    pub const fn first(self) -> Ipv4Addr {
        self.first
    }

    /// The address that means "everybody on this subnet", `172.17.255.255`.
    pub const fn broadcast(self) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.first.to_bits() | !mask(self.prefix))
    }

    /// How many leading bits the addresses share: 16 in `172.17.0.0/16`.
    pub const fn prefix(self) -> u8 {
        self.prefix
    }

    /// The bits that the addresses share, as an address: `255.255.0.0`.
    pub const fn mask(self) -> Ipv4Addr {
        Ipv4Addr::from_bits(mask(self.prefix))
    }

    /// The address that Docker gives to the bridge: the first after the subnet's own.
    pub const fn gateway(self) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.first.to_bits().wrapping_add(1))
    }

    /// Whether `address` lies in this subnet.
    pub const fn contains(self, address: Ipv4Addr) -> bool {
        address.to_bits() & mask(self.prefix) == self.first.to_bits()
    }

    /// Whether the two have an address in common, which is so when one contains the other.
    pub const fn overlaps(self, other: Subnet) -> bool {
        self.contains(other.first) || other.contains(self.first)
    }
}

const fn mask(prefix: u8) -> u32 {
    match prefix {
        0 => 0, // a shift by 32 would overflow
        _ => u32::MAX << (32 - prefix),
    }
}

impl fmt::Display for Subnet {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        write!(out, "{}/{}", self.first, self.prefix)
    }
}

impl FromStr for Subnet {
    type Err = Error;

    fn from_str(text: &str) -> Result<Subnet, Error> {
        let parsed = text.split_once('/').and_then(|(address, prefix)| {
            let prefix: u8 = prefix.parse().ok()?;
            (prefix <= 32).then_some(Subnet::containing(address.parse().ok()?, prefix))
        });
        parsed.ok_or_else(|| Error::new(ErrorKind::InvalidAddress, format!("invalid CIDR address: {text}")))
    }
}

impl TryFrom<String> for Subnet {
    type Error = Error;

    fn try_from(text: String) -> Result<Subnet, Error> {
        text.parse()
    }
}

impl From<Subnet> for String {
    fn from(subnet: Subnet) -> String {
        subnet.to_string()
    }
}

/// An Ethernet address, printed as `02:42:ac:11:00:02`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct MacAddress(pub [u8; 6]);

impl MacAddress {
    /// What Docker gives to an interface with this address: `02:42` (02 means "made up locally") and its four bytes.
    /// An address that goes from one container to the next thus keeps its MAC, so that no neighbour has to forget the old one.
    pub const fn for_address(address: Ipv4Addr) -> MacAddress {
        let [a, b, c, d] = address.octets();
        MacAddress([0x02, 0x42, a, b, c, d])
    }
}

impl fmt::Display for MacAddress {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        let [a, b, c, d, e, f] = self.0;
        write!(out, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subnet_reads_prints_and_knows_its_addresses() {
        let subnet: Subnet = "172.17.42.5/16".parse().unwrap();
        assert_eq!(subnet.to_string(), "172.17.0.0/16");
        assert_eq!(subnet.gateway(), Ipv4Addr::new(172, 17, 0, 1));
        assert_eq!(subnet.broadcast(), Ipv4Addr::new(172, 17, 255, 255));
        assert_eq!(subnet.mask(), Ipv4Addr::new(255, 255, 0, 0));
        assert_eq!(serde_json::to_string(&subnet).unwrap(), "\"172.17.0.0/16\"");
        assert_eq!(serde_json::from_str::<Subnet>("\"172.17.0.0/16\"").unwrap(), subnet);
        for bad in ["", "172.17.0.0", "172.17.0.0/33", "172.17.0/16", "/16", "172.17.0.0/-1"] {
            assert_eq!(
                bad.parse::<Subnet>().unwrap_err().to_string(),
                format!("invalid CIDR address: {bad}")
            );
        }
    }

    #[test]
    fn overlap_is_containment_either_way() {
        let subnet = |text: &str| text.parse::<Subnet>().unwrap();
        assert!(subnet("172.17.0.0/16").overlaps(subnet("172.16.0.0/12")));
        assert!(subnet("172.17.0.0/16").overlaps(subnet("172.17.3.0/24")));
        assert!(subnet("0.0.0.0/0").overlaps(subnet("10.0.0.0/8")));
        assert!(!subnet("172.17.0.0/16").overlaps(subnet("172.18.0.0/16")));
    }

    #[test]
    fn a_mac_is_derived_from_the_address() {
        let mac = MacAddress::for_address(Ipv4Addr::new(172, 17, 0, 2));
        assert_eq!(mac.to_string(), "02:42:ac:11:00:02");
    }
}
