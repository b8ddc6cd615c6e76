//! The numbers of the system calls, by architecture: data, one text file each, sorted by the names.

use serde::{Deserialize, Serialize};

/// An architecture whose system calls a filter can judge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Arch {
    /// 64-bit x86.
    X86_64,
    /// 32-bit pointers on 64-bit x86: the same audit number as [`Arch::X86_64`], told apart by a bit of the call's number.
    X32,
    /// 32-bit x86.
    I386,
    /// 64-bit Arm.
    Aarch64,
    /// 32-bit Arm.
    Arm,
}

/// The bit that marks a call of x32.
pub const X32_BIT: u32 = 0x4000_0000;

impl Arch {
    /// The kernel's number for it (linux/audit.h), as a filter sees it.
    pub fn audit(self) -> u32 {
        match self {
            Arch::X86_64 | Arch::X32 => 0xc000_003e,
            Arch::I386 => 0x4000_0003,
            Arch::Aarch64 => 0xc000_00b7,
            Arch::Arm => 0x4000_0028,
        }
    }

    /// Whether arguments have 64 bits.
    pub fn is_wide(self) -> bool {
        matches!(self, Arch::X86_64 | Arch::X32 | Arch::Aarch64)
    }

    /// The architecture that this program was compiled for, if filters can be made for it.
    pub fn native() -> Option<Arch> {
        match std::env::consts::ARCH {
            "x86_64" => Some(Arch::X86_64),
            "x86" => Some(Arch::I386),
            "aarch64" => Some(Arch::Aarch64),
            "arm" => Some(Arch::Arm),
            _ => None,
        }
    }

    fn text(self) -> &'static str {
        match self {
            Arch::X86_64 => include_str!("tables/x86_64.txt"),
            Arch::X32 => include_str!("tables/x32.txt"),
            Arch::I386 => include_str!("tables/i386.txt"),
            Arch::Aarch64 => include_str!("tables/aarch64.txt"),
            Arch::Arm => include_str!("tables/arm.txt"),
        }
    }

    /// Every call that it has.
    pub fn table(self) -> Table {
        let bit = if self == Arch::X32 { X32_BIT } else { 0 };
        let line = |line: &'static str| {
            let (name, number) = line.split_once(' ')?;
            Some((name, number.parse::<u32>().ok()? | bit))
        };
        Table(self.text().lines().filter_map(line).collect())
    }
}

/// The calls of an architecture, sorted by their names: a map that costs nothing to make from text that is sorted already. Every start
/// of a container looks up hundreds of names for each architecture.
#[derive(Debug)]
pub struct Table(Vec<(&'static str, u32)>);

impl Table {
    /// The number of a call.
    pub fn get(&self, name: &str) -> Option<&u32> {
        let found = self.0.binary_search_by_key(&name, |(name, _)| name);
        found.ok().map(|index| &self.0[index].1)
    }

    /// The names.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|(name, _)| *name)
    }
}

/// The number of a call, if the architecture has it.
pub fn number(arch: Arch, name: &str) -> Option<u32> {
    arch.table().get(name).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_sorted_and_name_each_call_once() {
        for arch in [Arch::X86_64, Arch::X32, Arch::I386, Arch::Aarch64, Arch::Arm] {
            let table = arch.table();
            assert!(table.names().is_sorted_by(|one, next| one < next), "{arch:?}");
            assert_eq!(table.names().count(), arch.text().lines().count(), "every line is a call");
            assert!(table.names().all(|name| table.get(name).is_some()));
        }
        assert_eq!(number(Arch::X86_64, "read"), Some(0));
        assert_eq!(number(Arch::X32, "read"), Some(X32_BIT));
        assert_eq!(number(Arch::I386, "waitpid"), Some(7));
        assert_eq!(number(Arch::Aarch64, "open"), None);
    }
}
