//! Long tail: which devices may be opened and made: rules, each a line of v1; [`device_program`](crate::device_program()) makes them v2's.

use serde::{Deserialize, Serialize};

/// One rule. Of each access that is asked for (`r`, `w`, `m`) the last rule that names it decides; without one it is denied.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceRule {
    /// Allowed or denied.
    pub allow: bool,
    /// `c` or `b`; none is both.
    pub kind: Option<char>,
    /// The driver; none is every one.
    pub major: Option<u32>,
    /// The driver's device; none is every one.
    pub minor: Option<u32>,
    /// Some of `rwm`: read, write, mknod(2); empty is all.
    pub access: String,
}

impl DeviceRule {
    /// A character device that may be used in every way.
    pub fn character(major: u32, minor: u32) -> DeviceRule {
        DeviceRule {
            allow: true,
            kind: Some('c'),
            major: Some(major),
            minor: Some(minor),
            access: "rwm".into(),
        }
    }

    /// Every use of every device, denied.
    pub fn deny_all() -> DeviceRule {
        DeviceRule::default()
    }

    /// Its accesses as BPF_DEVCG_ACC_MKNOD, _READ and _WRITE (linux/bpf.h).
    pub(crate) fn access_bits(&self) -> u32 {
        let names = |letter: char| self.access.is_empty() || self.access.contains(letter);
        u32::from(names('m')) | u32::from(names('r')) << 1 | u32::from(names('w')) << 2
    }
}

impl std::fmt::Display for DeviceRule {
    /// As a line of v1's `devices.allow` (admin-guide/cgroup-v1/devices.rst).
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let number = |number: Option<u32>| number.map_or("*".to_string(), |number| number.to_string());
        let access = if self.access.is_empty() { "rwm" } else { &self.access };
        write!(
            formatter,
            "{} {}:{} {access}",
            self.kind.unwrap_or('a'),
            number(self.major),
            number(self.minor)
        )
    }
}

/// What every container may use, whatever else it is given: to make any node, and the devices without which programs do not
/// run. runc adds these to a spec's own rules (`c 10:200` is /dev/net/tun), so Docker's containers have them.
pub fn default_device_rules() -> Vec<DeviceRule> {
    const TERMINALS: u32 = 136;
    let make_any =
        |kind| DeviceRule { allow: true, kind: Some(kind), access: "m".into(), ..DeviceRule::default() };
    let devices = [(1, 3), (1, 5), (1, 7), (1, 8), (1, 9), (5, 0), (5, 1), (5, 2), (10, 200)];
    let mut rules = vec![DeviceRule::deny_all(), make_any('c'), make_any('b')];
    rules.extend(devices.map(|(major, minor)| DeviceRule::character(major, minor)));
    rules.push(DeviceRule { minor: None, ..DeviceRule::character(TERMINALS, 0) });
    rules
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_v1() {
        assert_eq!(DeviceRule::character(1, 3).to_string(), "c 1:3 rwm");
        assert_eq!(DeviceRule::deny_all().to_string(), "a *:* rwm");
        assert_eq!(
            DeviceRule { kind: Some('b'), access: "m".into(), ..DeviceRule::default() }.to_string(),
            "b *:* m"
        );
    }
}
