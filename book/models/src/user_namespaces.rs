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
