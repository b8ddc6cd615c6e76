//! The devices that a container has, and those that it may use: Docker's own, and what was asked for.

use oci_spec::runtime::{
    LinuxDevice, LinuxDeviceBuilder, LinuxDeviceCgroup, LinuxDeviceCgroupBuilder, LinuxDeviceType,
};

use super::machine::Node;
use crate::error::{Error, ErrorKind, Result};

/// Everything is forbidden but to make nodes, and to use these. Major number, and minor number unless all.
const CHARACTERS: [(i64, Option<i64>); 9] = [
    (1, Some(3)), // null
    (1, Some(5)), // zero
    (1, Some(7)), // full
    (1, Some(8)), // random
    (1, Some(9)), // urandom
    (5, Some(0)), // tty
    (5, Some(1)), // console
    (5, Some(2)), // ptmx
    (136, None),  // pts
];

/// Who may use what; a later rule overrides an earlier one.
pub fn rules(host: &api::HostConfig, nodes: &[Node]) -> Result<Vec<LinuxDeviceCgroup>> {
    if host.privileged {
        return Ok(vec![rule(true, LinuxDeviceType::A, "rwm", (None, None))]);
    }
    let mut rules = vec![
        rule(false, LinuxDeviceType::A, "rwm", (None, None)),
        rule(true, LinuxDeviceType::C, "m", (None, None)),
        rule(true, LinuxDeviceType::B, "m", (None, None)),
    ];
    let default = |(major, minor)| rule(true, LinuxDeviceType::C, "rwm", (Some(major), minor));
    rules.extend(CHARACTERS.map(default));
    rules.extend(nodes.iter().map(|node| {
        let number = (Some(i64::from(node.major)), Some(i64::from(node.minor)));
        rule(true, kind(node), &node.access, number)
    }));
    for text in host.device_cgroup_rules.iter().flatten() {
        rules.push(parse_rule(text)?);
    }
    Ok(rules)
}

/// The nodes as the runtime makes them.
pub fn nodes(nodes: &[Node]) -> Vec<LinuxDevice> {
    let made = |node: &Node| {
        let device = LinuxDeviceBuilder::default()
            .path(&node.path)
            .typ(kind(node))
            .major(node.major)
            .minor(node.minor)
            .file_mode(node.mode)
            .uid(node.owner.0)
            .gid(node.owner.1);
        device.build().expect("every field is given")
    };
    nodes.iter().map(made).collect()
}

fn kind(node: &Node) -> LinuxDeviceType {
    if node.is_block { LinuxDeviceType::B } else { LinuxDeviceType::C }
}

fn rule(
    allow: bool,
    kind: LinuxDeviceType,
    access: &str,
    (major, minor): (Option<i64>, Option<i64>),
) -> LinuxDeviceCgroup {
    let mut rule = LinuxDeviceCgroupBuilder::default().allow(allow).typ(kind).access(access);
    if let Some(major) = major {
        rule = rule.major(major);
    }
    if let Some(minor) = minor {
        rule = rule.minor(minor);
    }
    rule.build().expect("every field is given")
}

/// `c 10:200 rwm`, with `*` for every number, as the kernel's own devices.allow is written.
pub fn parse_rule(text: &str) -> Result<LinuxDeviceCgroup> {
    let bad =
        || Error::new(ErrorKind::InvalidParameter, format!("invalid device cgroup rule format: '{text}'"));
    let mut words = text.split(' ');
    let (Some(kind), Some(number), Some(access), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(bad());
    };
    let kind = match kind {
        "a" => LinuxDeviceType::A,
        "b" => LinuxDeviceType::B,
        "c" => LinuxDeviceType::C,
        _ => return Err(bad()),
    };
    let one = |text: &str| match text {
        "*" => Ok(None),
        _ => text.parse::<u32>().map(|number| Some(i64::from(number))).map_err(|_| bad()),
    };
    let (major, minor) = number.split_once(':').ok_or_else(bad)?;
    let number = (one(major)?, one(minor)?);
    let is_access =
        !access.is_empty() && access.len() <= 3 && access.chars().all(|letter| "rwm".contains(letter));
    if is_access { Ok(rule(true, kind, access, number)) } else { Err(bad()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_written_as_the_kernel_writes_them() {
        let parsed = parse_rule("c 10:* rw").expect("legal");
        assert_eq!(
            (parsed.typ(), parsed.major(), parsed.minor()),
            (Some(LinuxDeviceType::C), Some(10), None)
        );
        for text in ["c 10 rw", "x 1:1 r", "c 1:1 rwx", "c 1:1", "c 1:1 r w", "c -1:1 r", ""] {
            let refusal = parse_rule(text).expect_err(text).to_string();
            assert_eq!(refusal, format!("invalid device cgroup rule format: '{text}'"));
        }
    }
}
