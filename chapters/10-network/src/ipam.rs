//! IP address management: which subnet a bridge gets, and which address a container. Pure.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

use crate::{Error, ErrorKind, Subnet};

/// The pools that Docker takes a bridge's subnet from, in its order: 172.17 to 172.31, then 192.168 in pieces of 4,096.
pub fn default_pools() -> impl Iterator<Item = Subnet> {
    let large = (17..=31).map(|second| Subnet::containing(Ipv4Addr::new(172, second, 0, 0), 16));
    let small = (0..16).map(|piece| Subnet::containing(Ipv4Addr::new(192, 168, piece * 16, 0), 20));
    large.chain(small)
}

/// The first of Docker's pools that overlaps with none of `taken`, the subnets that this host has routes to.
///
/// # Errors
/// [`ErrorKind::NoFreeSubnet`], in Docker's words.
pub fn choose_subnet(taken: &[Subnet]) -> Result<Subnet, Error> {
    default_pools().find(|pool| !taken.iter().any(|route| route.overlaps(*pool))).ok_or_else(|| {
        Error::new(
            ErrorKind::NoFreeSubnet,
            "could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network",
        )
    })
}

/// Who holds which address of one network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leases {
    /// The network's name, `bridge`.
    pub name: String,
    /// The network's id, 64 hex digits; error messages show the first 12.
    pub id: String,
    /// Where the addresses come from.
    pub subnet: Subnet,
    /// Address to holder, a container's id.
    pub held: BTreeMap<Ipv4Addr, String>,
}

impl Leases {
    /// Nobody holds anything yet.
    pub fn new(name: &str, id: &str, subnet: Subnet) -> Leases {
        Leases { name: name.to_owned(), id: id.to_owned(), subnet, held: BTreeMap::new() }
    }

    /// Leases the lowest free address to `holder`, as Docker does; a holder that has one already keeps it.
    ///
    /// # Errors
    /// [`ErrorKind::Exhausted`], in Docker's words.
    pub fn allocate(&mut self, holder: &str) -> Result<Ipv4Addr, Error> {
        if let Some(address) = self.address_of(holder) {
            return Ok(address);
        }
        let address = self.lowest_free().ok_or_else(|| {
            let message = "no available IPv4 addresses on this network's address pools:";
            Error::new(ErrorKind::Exhausted, format!("{message} {} ({})", self.name, self.id))
        })?;
        self.held.insert(address, holder.to_owned());
        Ok(address)
    }

    /// Leases this very address to `holder`: what a container that outlived its daemon still uses.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidAddress`] for one that is no container's on this subnet, [`ErrorKind::AddressInUse`] when another
    /// holds it.
    pub fn claim(&mut self, address: Ipv4Addr, holder: &str) -> Result<(), Error> {
        if !self.subnet.contains(address) || self.is_reserved(address) {
            let message =
                format!("invalid address {address}: it is not a container's address of {}", self.subnet);
            return Err(Error::new(ErrorKind::InvalidAddress, message));
        }
        match self.held.get(&address) {
            Some(other) if other != holder => {
                Err(Error::new(ErrorKind::AddressInUse, "Address already in use"))
            }
            _ => {
                self.held.insert(address, holder.to_owned());
                Ok(())
            }
        }
    }

    /// Gives back what `holder` holds; one that holds nothing is no error, so that this can be said twice.
    pub fn release(&mut self, holder: &str) {
        self.held.retain(|_, current| current != holder);
    }

    /// The address that `holder` holds.
    pub fn address_of(&self, holder: &str) -> Option<Ipv4Addr> {
        self.held.iter().find(|(_, current)| *current == holder).map(|(address, _)| *address)
    }

    fn is_reserved(&self, address: Ipv4Addr) -> bool {
        [self.subnet.first(), self.subnet.gateway(), self.subnet.broadcast()].contains(&address)
    }

    /// `held` is sorted, so the first address that differs from its counterpart there is free.
    fn lowest_free(&self) -> Option<Ipv4Addr> {
        let containers = self.subnet.gateway().to_bits() + 1..self.subnet.broadcast().to_bits();
        let mut held = self.held.keys().copied();
        containers.map(Ipv4Addr::from_bits).find(|address| held.next() != Some(*address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "7d5c3b1f";

    fn subnet(text: &str) -> Subnet {
        text.parse().unwrap()
    }

    fn addresses(leases: &mut Leases, holders: &[&str]) -> Vec<String> {
        holders.iter().map(|holder| leases.allocate(holder).unwrap().to_string()).collect()
    }

    #[test]
    fn the_first_pool_without_a_route_is_chosen() {
        assert_eq!(choose_subnet(&[]).unwrap(), subnet("172.17.0.0/16"));
        assert_eq!(choose_subnet(&[subnet("172.17.3.0/24")]).unwrap(), subnet("172.18.0.0/16"));
        assert_eq!(choose_subnet(&[subnet("172.16.0.0/12")]).unwrap(), subnet("192.168.0.0/20"));
        let taken = [subnet("172.16.0.0/12"), subnet("192.168.0.0/16")];
        assert_eq!(choose_subnet(&taken).unwrap_err().kind(), ErrorKind::NoFreeSubnet);
        assert_eq!(default_pools().count(), 31);
    }

    #[test]
    fn the_lowest_free_address_is_leased() {
        let mut leases = Leases::new("bridge", ID, subnet("172.17.0.0/16"));
        assert_eq!(addresses(&mut leases, &["a", "b", "c"]), ["172.17.0.2", "172.17.0.3", "172.17.0.4"]);
        leases.release("b");
        assert_eq!(addresses(&mut leases, &["d", "e", "a"]), ["172.17.0.3", "172.17.0.5", "172.17.0.2"]);
        leases.release("nobody");
        assert_eq!(leases.held.len(), 4);
    }

    #[test]
    fn a_full_subnet_says_so_in_dockers_words() {
        let mut leases = Leases::new("bridge", ID, subnet("10.0.0.0/30"));
        assert_eq!(addresses(&mut leases, &["a"]), ["10.0.0.2"]);
        let error = leases.allocate("b").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Exhausted);
        assert_eq!(
            error.to_string(),
            "no available IPv4 addresses on this network's address pools: bridge (7d5c3b1f)"
        );
    }

    #[test]
    fn a_claim_is_for_what_is_free_and_a_containers() {
        let mut leases = Leases::new("bridge", ID, subnet("172.17.0.0/16"));
        let claim =
            |leases: &mut Leases, last, holder: &str| leases.claim(Ipv4Addr::new(172, 17, 0, last), holder);
        claim(&mut leases, 2, "a").unwrap();
        claim(&mut leases, 2, "a").unwrap();
        assert_eq!(claim(&mut leases, 2, "b").unwrap_err().kind(), ErrorKind::AddressInUse);
        assert_eq!(claim(&mut leases, 1, "b").unwrap_err().kind(), ErrorKind::InvalidAddress);
        assert_eq!(claim(&mut leases, 0, "b").unwrap_err().kind(), ErrorKind::InvalidAddress);
        assert_eq!(addresses(&mut leases, &["b"]), ["172.17.0.3"]);
    }

    #[test]
    fn a_whole_subnet_of_leases_is_dense_and_unique() {
        let mut leases = Leases::new("bridge", ID, subnet("10.0.0.0/24"));
        for number in 0..253 {
            leases.allocate(&number.to_string()).unwrap();
        }
        assert_eq!(leases.held.len(), 253);
        assert_eq!(leases.allocate("one more").unwrap_err().kind(), ErrorKind::Exhausted);
    }
}
