//! What the kernel lets a process do with user namespaces (user_namespaces(7), kernel/user_namespace.c).

/// A range of ids: the first inside, the first outside, how many.
pub type Range = (u32, u32, u32);

/// Why an id map is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MapRefused {
    /// EINVAL: a range is empty, too long, or meets another.
    Invalid,
    /// EPERM: only root may map ids that are not its own.
    NotPermitted,
}

/// Whether a process may make a namespace that is no user namespace: it takes CAP_SYS_ADMIN, which root has, and which everybody
/// has in a user namespace that is made with it.
pub fn may_make_namespaces(is_root: bool, with_user_namespace: bool) -> bool {
    is_root || with_user_namespace
}

/// Whether the parent of a new user namespace may write this map; `own` is its id.
pub fn may_map(is_root: bool, own: u32, ranges: &[Range]) -> Result<(), MapRefused> {
    let end = |first: u32, count: u32| u64::from(first) + u64::from(count);
    // The last id, -1, stands for "none".
    let is_whole = |(inside, outside, count): &Range| {
        *count > 0
            && end(*inside, *count) <= u64::from(u32::MAX)
            && end(*outside, *count) <= u64::from(u32::MAX)
    };
    let meet =
        |a: (u32, u32), b: (u32, u32)| u64::from(a.0) < end(b.0, b.1) && u64::from(b.0) < end(a.0, a.1);
    let overlap = |one: &Range, other: &Range| {
        meet((one.0, one.2), (other.0, other.2)) || meet((one.1, one.2), (other.1, other.2))
    };
    let is_apart = |index: usize| ranges[..index].iter().all(|other| !overlap(&ranges[index], other));
    if ranges.is_empty() || !ranges.iter().all(is_whole) || !(0..ranges.len()).all(is_apart) {
        return Err(MapRefused::Invalid);
    }
    match ranges {
        _ if is_root => Ok(()),
        [(_, outside, 1)] if *outside == own => Ok(()),
        _ => Err(MapRefused::NotPermitted),
    }
}

/// Whom the kernel names where an id has no name (/proc/sys/kernel/overflowuid).
pub const NOBODY: u32 = 65_534;

/// Why the kernel refuses what a process asks of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnerRefused {
    /// EINVAL: in this user namespace there is no such id.
    NoSuchId,
    /// EOVERFLOW: the mount has no id for the file's maker, so there is nothing to write down.
    NotKept,
    /// EACCES: the file is somebody else's, or nobody's.
    NotYours,
}

/// From where a file is looked at: the map of the process's user namespace, and that of the mount, if it has one. Its ids inside
/// are the file system's (mount_setattr(2), `MOUNT_ATTR_IDMAP`; Documentation/filesystems/idmappings.rst).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View<'a> {
    /// Which ids of the process are which for the kernel.
    pub process: &'a [Range],
    /// Which ids of the file system are which for the kernel; none means that each is itself.
    pub mount: Option<&'a [Range]>,
}

impl View<'_> {
    /// Who an id of the process is for the kernel.
    pub fn caller(&self, id: u32) -> Option<u32> {
        outwards(self.process, id)
    }

    /// Who the owner of a file is for the kernel, seen through the mount.
    pub fn owner(&self, on_disk: u32) -> Option<u32> {
        self.mount.map_or(Some(on_disk), |map| outwards(map, on_disk))
    }

    /// What stat(2) tells the process of an owner.
    pub fn seen(&self, on_disk: u32) -> u32 {
        self.owner(on_disk).and_then(|owner| inwards(self.process, owner)).unwrap_or(NOBODY)
    }

    /// Who is written down as the owner of a file that the process makes as one of its ids.
    pub fn kept(&self, id: u32) -> Result<u32, OwnerRefused> {
        let caller = self.caller(id).ok_or(OwnerRefused::NoSuchId)?;
        self.mount.map_or(Some(caller), |map| inwards(map, caller)).ok_or(OwnerRefused::NotKept)
    }

    /// Whether the process, as one of its ids, may write a file that only its owner may (mode 600, owner and group the same). Root
    /// has power over those files alone whose owner has a name in its user namespace.
    pub fn may_write(&self, id: u32, on_disk: u32) -> Result<(), OwnerRefused> {
        let caller = self.caller(id).ok_or(OwnerRefused::NoSuchId)?;
        let owner = self.owner(on_disk).ok_or(OwnerRefused::NotYours)?;
        let is_over = id == 0 && inwards(self.process, owner).is_some();
        if owner == caller || is_over { Ok(()) } else { Err(OwnerRefused::NotYours) }
    }
}

/// From an id inside to the one outside.
fn outwards(map: &[Range], id: u32) -> Option<u32> {
    map.iter().find_map(|(inside, outside, count)| moved(id, *inside, *outside, *count))
}

/// From an id outside to the one inside.
fn inwards(map: &[Range], id: u32) -> Option<u32> {
    map.iter().find_map(|(inside, outside, count)| moved(id, *outside, *inside, *count))
}

fn moved(id: u32, from: u32, to: u32, count: u32) -> Option<u32> {
    id.checked_sub(from).filter(|distance| *distance < count).map(|distance| to + distance)
}
