//! Id maps: which ids of a user namespace are which outside (user_namespaces(7)).

use serde::{Deserialize, Serialize};

/// A range of ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdMap {
    /// The first id inside.
    pub inside: u32,
    /// The first id outside.
    pub outside: u32,
    /// How many.
    pub count: u32,
}

impl IdMap {
    /// Every id is the same inside and outside; only root may write this.
    pub const ALL: IdMap = IdMap { inside: 0, outside: 0, count: u32::MAX };

    /// The one kind of map that the kernel allows to everybody: root inside is the caller outside.
    pub fn root_is(outside: u32) -> IdMap {
        IdMap { inside: 0, outside, count: 1 }
    }
}

/// The text of /proc/PID/uid_map: a range a line.
pub fn map_text(maps: &[IdMap]) -> String {
    maps.iter().map(|map| format!("{} {} {}\n", map.inside, map.outside, map.count)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_is_a_line() {
        assert_eq!(
            map_text(&[IdMap::root_is(1000), IdMap { inside: 1, outside: 100_000, count: 65_535 }]),
            "0 1000 1\n1 100000 65535\n"
        );
    }
}
