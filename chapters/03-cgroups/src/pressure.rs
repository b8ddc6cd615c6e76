//! Long tail: pressure: how long processes of a group stood still for want of a processor, of memory, or of a disk (accounting/psi.rst).
//! The kernel counts it for the groups of v2, also where v1 has their controllers.

use crate::{Cgroup, files};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What there can be too little of, as the files are called.
const SCARCE: [&str; 3] = ["cpu", "memory", "io"];

/// How much time was lost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pressure {
    /// While at least one process stood still.
    pub some: Lost,
    /// While none could go on.
    pub full: Lost,
}

/// Time that was lost. The shares are of the last so many seconds, in hundredths of a percent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    /// Of ten seconds.
    pub of_10: u64,
    /// Of sixty.
    pub of_60: u64,
    /// Of three hundred.
    pub of_300: u64,
    /// Since the group was made, in microseconds.
    pub total: u64,
}

impl Cgroup {
    /// By what is scarce: `cpu`, `memory`, `io`. Without those that this kernel does not count.
    pub(crate) fn pressure(&self) -> BTreeMap<String, Pressure> {
        let of = |name: &str| {
            let text = files::read(&self.unified_folder()?.join(format!("{name}.pressure"))).ok()?;
            Some((name.to_string(), parse(&text)))
        };
        SCARCE.into_iter().filter_map(of).collect()
    }
}

/// Two lines: `some avg10=1.50 avg60=0.20 avg300=0.00 total=12345`, and `full` with the same.
fn parse(text: &str) -> Pressure {
    let lost = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        let words = line.into_iter().flat_map(str::split_whitespace);
        let values: BTreeMap<&str, &str> = words.filter_map(|word| word.split_once('=')).collect();
        let value = |key| values.get(key).copied().unwrap_or_default();
        // There are always two digits behind the point.
        let share = |key| value(key).replace('.', "").parse().unwrap_or_default();
        Lost {
            of_10: share("avg10"),
            of_60: share("avg60"),
            of_300: share("avg300"),
            total: value("total").parse().unwrap_or_default(),
        }
    };
    Pressure { some: lost("some "), full: lost("full ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_lines_are_read() {
        let text = "some avg10=1.50 avg60=0.20 avg300=0.05 total=12345\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=7\n";
        let some = Lost { of_10: 150, of_60: 20, of_300: 5, total: 12345 };
        assert_eq!(parse(text), Pressure { some, full: Lost { total: 7, ..Lost::default() } });
        assert_eq!(parse(""), Pressure::default());
    }
}
