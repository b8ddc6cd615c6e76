//! Which namespaces a process gets, and what is set in them: plain data.

use crate::IdMap;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

bitflags::bitflags! {
    /// The eight kinds of namespaces, as the flags of unshare(2) and clone3(2) (namespaces(7)).
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
    pub struct Namespaces: u32 {
        /// Clocks since boot (Linux 5.6).
        const TIME = 0x80;
        /// Mount points.
        const MNT = 0x2_0000;
        /// The root of the cgroup hierarchy.
        const CGROUP = 0x200_0000;
        /// Host and domain name.
        const UTS = 0x400_0000;
        /// System V IPC and POSIX message queues.
        const IPC = 0x800_0000;
        /// User and group ids, and the capabilities over everything that is created inside.
        const USER = 0x1000_0000;
        /// Process numbers.
        const PID = 0x2000_0000;
        /// Network devices, addresses, ports, rules.
        const NET = 0x4000_0000;
    }
}

/// A namespace that exists already.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Join {
    /// Its kind.
    pub kind: Namespaces,
    /// Its file: `/proc/PID/ns/net`, or wherever it is bound to.
    pub path: PathBuf,
}

/// A clock that differs from the host's (time_namespaces(7)).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeOffset {
    /// `monotonic` or `boottime`.
    pub clock: String,
    /// Seconds to add.
    pub seconds: i64,
    /// Nanoseconds to add.
    pub nanoseconds: u32,
}

/// What [`spawn`](crate::spawn()) makes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpawnPlan {
    /// The namespaces that are made.
    pub new: Namespaces,
    /// The namespaces that are joined, the user namespace first: it gives the right to join the others.
    pub join: Vec<Join>,
    /// Which user ids of the new user namespace are which outside.
    pub uid_map: Vec<IdMap>,
    /// The same for groups.
    pub gid_map: Vec<IdMap>,
    /// The name of the new UTS namespace.
    pub hostname: Option<String>,
    /// Its NIS domain.
    pub domainname: Option<String>,
    /// Offsets of the new time namespace's clocks.
    pub time_offsets: Vec<TimeOffset>,
}

impl SpawnPlan {
    /// Whether its maps are what the kernel lets everybody write: these two ids, which are the caller's own.
    pub fn maps_only(&self, user: u32, group: u32) -> bool {
        let is_only =
            |maps: &[IdMap], id| matches!(maps, [IdMap { outside, count: 1, .. }] if *outside == id);
        is_only(&self.uid_map, user) && is_only(&self.gid_map, group)
    }

    /// Whether it joins a namespace of this kind.
    pub fn joins(&self, kind: Namespaces) -> bool {
        self.join.iter().any(|join| join.kind == kind)
    }

    /// Whether its namespace of this kind is not the caller's, but a new one or one that is joined.
    pub fn has(&self, kind: Namespaces) -> bool {
        self.new.contains(kind) || self.joins(kind)
    }

    /// Whether a process in between must make it. What is made beside a user namespace that is joined shall belong to that one, so
    /// its maker is inside; and so is whoever joins a PID namespace without being root. The caller stays outside.
    pub fn needs_usher(&self) -> bool {
        self.joins(Namespaces::USER) && (!self.new.is_empty() || self.joins(Namespaces::PID))
    }
}
