//! Long tail: the ranges of ids that root has given to an ordinary user, in /etc/subuid and /etc/subgid (subuid(5)), and the id map
//! that uses them all. Pure.

use crate::{IdMap, map_text};

/// Ids that follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdRange {
    /// The first.
    pub first: u32,
    /// How many.
    pub count: u32,
}

impl IdRange {
    fn end(self) -> u64 {
        u64::from(self.first) + u64::from(self.count)
    }

    fn overlaps(self, other: IdRange) -> bool {
        u64::from(self.first) < other.end() && u64::from(other.first) < self.end()
    }
}

/// What a kernel since 4.15 takes (user_namespaces(7), "Defining user and group ID mappings"): so many lines, and less than a page.
const MAX_LINES: usize = 340;
const PAGE: usize = 4096;

/// So many ids Debian's useradd gives to a new user, and from here on (login.defs(5)).
const USUAL: IdRange = IdRange { first: 100_000, count: 65_536 };

/// A user's ranges, in the order of the lines `OWNER:FIRST:COUNT`. Whose a line is can be said by name or by number; a line that
/// cannot be read is nobody's. The file of groups' ids names users, too.
pub fn ranges_of(text: &str, name: Option<&str>, user: u32) -> Vec<IdRange> {
    let number = user.to_string();
    let is_theirs = |owner: &str| Some(owner) == name || owner == number;
    lines(text).filter(|(owner, _)| is_theirs(owner)).map(|(_, range)| range).collect()
}

fn lines(text: &str) -> impl Iterator<Item = (&str, IdRange)> {
    text.lines().filter_map(|line| {
        let mut fields = line.trim().split(':');
        let (owner, first, count) = (fields.next()?, fields.next()?, fields.next()?);
        let range = IdRange { first: first.parse().ok()?, count: count.parse().ok()? };
        let is_one = fields.next().is_none() && range.count > 0 && range.end() <= u64::from(u32::MAX);
        is_one.then_some((owner, range))
    })
}

/// The user's own id as 0, and from 1 on everything else they have. A range that has an id of the map already is left out, since
/// the kernel takes no map in which an id is twice; and so is what comes after the kernel's limits.
pub fn map_of(own: u32, ranges: &[IdRange]) -> Vec<IdMap> {
    let mut taken = vec![IdRange { first: own, count: 1 }];
    for range in ranges {
        if taken.len() < MAX_LINES && !taken.iter().any(|other| other.overlaps(*range)) {
            taken.push(*range);
        }
    }
    let mut inside = 0;
    let lines = taken.into_iter().map_while(|IdRange { first, count }| {
        let map = IdMap { inside, outside: first, count };
        inside = inside.checked_add(count)?;
        Some(map)
    });
    let mut maps: Vec<IdMap> = lines.collect();
    while map_text(&maps).len() >= PAGE {
        maps.pop();
    }
    maps
}

/// Where a range of the usual size is free, behind all that are given.
pub fn free_range(text: &str) -> IdRange {
    let behind = lines(text).map(|(_, range)| range.end()).max().unwrap_or_default();
    let first = behind.max(u64::from(USUAL.first));
    IdRange { first: u32::try_from(first).unwrap_or(USUAL.first), ..USUAL }
}

/// The name of a user in the text of /etc/passwd (passwd(5)). Nobody asks the C library, whose look-up a static executable
/// does not have.
pub fn user_name(passwd: &str, user: u32) -> Option<&str> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(user)).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# by hand\nada:100000:65536\n1000:300000:10\nbob:165536:65536\n\nada:200000:0\nada:x:1\nada:5\n\
                        ada:4294967290:10\nada:400000:5:6\n";

    fn range(first: u32, count: u32) -> IdRange {
        IdRange { first, count }
    }

    #[test]
    fn a_line_names_its_owner_by_name_or_by_number() {
        assert_eq!(ranges_of(FILE, Some("ada"), 1000), [range(100_000, 65_536), range(300_000, 10)]);
        assert_eq!(ranges_of(FILE, None, 1000), [range(300_000, 10)]);
        assert_eq!(ranges_of(FILE, Some("bob"), 7), [range(165_536, 65_536)]);
        assert_eq!(ranges_of(FILE, Some("eve"), 100), []);
    }

    #[test]
    fn the_own_id_comes_first_and_ranges_follow_without_a_gap() {
        let text = map_text(&map_of(1000, &[range(100_000, 65_536), range(300_000, 10)]));
        assert_eq!(text, "0 1000 1\n1 100000 65536\n65537 300000 10\n");
        assert_eq!(map_of(7, &[]), [IdMap::root_is(7)]);
    }

    #[test]
    fn no_id_is_twice_and_the_kernels_limits_are_kept() {
        let text = map_text(&map_of(1000, &[range(900, 200), range(5000, 10), range(5009, 1)]));
        assert_eq!(text, "0 1000 1\n1 5000 10\n");
        let many = |from: u32| (0..500).map(|index| range(from + index, 1)).collect::<Vec<_>>();
        assert_eq!(map_of(1, &many(2)).len(), MAX_LINES);
        let text = map_text(&map_of(1000, &many(1_000_000_000)));
        assert!((4000..4096).contains(&text.len()), "{} bytes", text.len());
        let most = map_of(0, &[range(1, u32::MAX - 1), range(0, 1)]);
        assert_eq!(map_text(&most), "0 0 1\n1 1 4294967294\n");
    }

    #[test]
    fn a_free_range_is_behind_all_others() {
        assert_eq!(free_range(""), range(100_000, 65_536));
        assert_eq!(free_range("ada:100000:65536\nbob:5:5\n"), range(165_536, 65_536));
    }

    #[test]
    fn users_have_names() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\nada:x:1000:100::/home/ada:/bin/sh\nbroken\n";
        assert_eq!(user_name(passwd, 1000), Some("ada"));
        assert_eq!(user_name(passwd, 1), None);
    }
}
