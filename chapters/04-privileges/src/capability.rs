//! Capabilities: root's power in forty-one pieces, and the five sets in which a thread holds them (capabilities(7)).

use serde::{Deserialize, Serialize};

/// Their names, a line each, by number.
const NAMES: &str = include_str!("capabilities.txt");

/// Every capability's name, by number: `CAP_CHOWN` is 0.
pub fn all_capabilities() -> impl Iterator<Item = &'static str> {
    NAMES.lines()
}

/// A set of capabilities, bit n for number n.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CapSet(pub u64);

impl CapSet {
    /// The set of these names; `Err` is the first that is no capability's.
    pub fn from_names<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> Result<CapSet, String> {
        names.into_iter().try_fold(CapSet::default(), |set, name| {
            let number = all_capabilities().position(|known| known == name.as_ref());
            Ok(CapSet(set.0 | 1 << number.ok_or_else(|| name.as_ref().to_string())?))
        })
    }

    /// The names of its members.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        (0..).zip(all_capabilities()).filter(move |(number, _)| self.contains(*number)).map(|(_, name)| name)
    }

    /// Whether capability `number` is a member.
    pub fn contains(self, number: u32) -> bool {
        self.0 >> number & 1 == 1
    }
}

/// A thread's five sets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capabilities {
    /// What a file can give at an execve(2), at most; what is inheritable is not bounded by it.
    pub bounding: CapSet,
    /// What the kernel checks.
    pub effective: CapSet,
    /// What the thread may make effective.
    pub permitted: CapSet,
    /// What an execve(2) of a file with inheritable capabilities keeps; empty by default (CVE-2022-29162).
    pub inheritable: CapSet,
    /// What an execve(2) of a plain file keeps: one without capabilities of its own, that is neither setuid nor setgid.
    pub ambient: CapSet,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_bits() {
        let set = CapSet::from_names(["CAP_CHOWN", "CAP_CHECKPOINT_RESTORE"]).unwrap();
        assert_eq!(set, CapSet(1 | 1 << 40));
        assert_eq!(set.names().collect::<Vec<_>>(), ["CAP_CHOWN", "CAP_CHECKPOINT_RESTORE"]);
        assert_eq!(CapSet::from_names(["CAP_NOSUCH"]), Err("CAP_NOSUCH".into()));
    }
}
