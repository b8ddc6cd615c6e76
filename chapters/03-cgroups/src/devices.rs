//! Which devices may be opened and made: rules, as lines of v1 and as a program of v2.

use serde::{Deserialize, Serialize};

/// One rule; the last that fits decides.
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

    fn access_bits(&self) -> u32 {
        let bit = |letter: char, bit: u32| {
            if self.access.is_empty() || self.access.contains(letter) {
                bit
            } else {
                0
            }
        };
        // BPF_DEVCG_ACC_MKNOD, _READ, _WRITE (linux/bpf.h)
        bit('m', 1) | bit('r', 2) | bit('w', 4)
    }
}

impl std::fmt::Display for DeviceRule {
    /// As a line of v1's `devices.allow` (admin-guide/cgroup-v1/devices.rst).
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let number = |number: Option<u32>| number.map_or("*".to_string(), |number| number.to_string());
        let access = if self.access.is_empty() {
            "rwm"
        } else {
            &self.access
        };
        write!(
            formatter,
            "{} {}:{} {access}",
            self.kind.unwrap_or('a'),
            number(self.major),
            number(self.minor)
        )
    }
}

/// One instruction of eBPF (linux/bpf.h), as eight bytes.
fn instruction(code: u8, registers: u8, offset: i16, immediate: i32) -> u64 {
    u64::from(code)
        | u64::from(registers) << 8
        | u64::from(offset as u16) << 16
        | u64::from(immediate as u32) << 32
}

/// The rules as a program for `BPF_PROG_TYPE_CGROUP_DEVICE`: it returns 1 for an access that is allowed, 0 for one that is not.
///
/// The rules are tried from the last to the first, since the last that fits decides. A context has, in 32 bits each: the access
/// in its upper and the kind in its lower half, then major and minor.
pub fn device_program(rules: &[DeviceRule]) -> Vec<u64> {
    const LOAD_WORD: u8 = 0x61;
    const MOVE: u8 = 0xb4;
    const MOVE_REGISTER: u8 = 0xbc;
    const AND: u8 = 0x54;
    const SHIFT_RIGHT: u8 = 0x74;
    let mut program = vec![
        // r2 = kind, r3 = access, r4 = major, r5 = minor; r1 is the context.
        instruction(LOAD_WORD, 0x12, 0, 0),
        instruction(AND, 0x02, 0, 0xffff),
        instruction(LOAD_WORD, 0x13, 0, 0),
        instruction(SHIFT_RIGHT, 0x03, 0, 16),
        instruction(LOAD_WORD, 0x14, 4, 0),
        instruction(LOAD_WORD, 0x15, 8, 0),
    ];
    for rule in rules.iter().rev() {
        program.extend(rule_code(rule, MOVE, MOVE_REGISTER, AND));
    }
    program.push(instruction(MOVE, 0x00, 0, 0));
    program.push(EXIT);
    program
}

const EXIT: u64 = 0x95;

/// Returns the rule's answer when the access fits it, and goes on behind itself when it does not.
fn rule_code(rule: &DeviceRule, load: u8, copy: u8, and: u8) -> Vec<u64> {
    const JUMP_UNLESS_EQUAL: u8 = 0x56;
    let mut tests: Vec<(u8, i32)> = Vec::new();
    // BPF_DEVCG_DEV_BLOCK is 1, BPF_DEVCG_DEV_CHAR 2.
    tests.extend(rule.kind.map(|kind| (2, if kind == 'b' { 1 } else { 2 })));
    tests.extend(rule.major.map(|major| (4, major as i32)));
    tests.extend(rule.minor.map(|minor| (5, minor as i32)));
    let other_access = !rule.access_bits() & 7;
    // An access fits when it asks for nothing that the rule does not name: r0 = access & others must be zero.
    let access_test = if other_access == 0 { 0 } else { 3 };
    let mut left = tests.len() + access_test + 2;
    let mut code = Vec::new();
    for (register, value) in tests {
        left -= 1;
        code.push(instruction(JUMP_UNLESS_EQUAL, register, left as i16, value));
    }
    if access_test > 0 {
        code.push(instruction(copy, 0x30, 0, 0));
        code.push(instruction(and, 0x00, 0, other_access as i32));
        code.push(instruction(JUMP_UNLESS_EQUAL, 0x00, 2, 0));
    }
    code.push(instruction(load, 0x00, 0, i32::from(rule.allow)));
    code.push(EXIT);
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_v1() {
        assert_eq!(DeviceRule::character(1, 3).to_string(), "c 1:3 rwm");
        assert_eq!(DeviceRule::default().to_string(), "a *:* rwm");
        assert_eq!(
            DeviceRule {
                kind: Some('b'),
                access: "m".into(),
                ..DeviceRule::default()
            }
            .to_string(),
            "b *:* m"
        );
    }
}
