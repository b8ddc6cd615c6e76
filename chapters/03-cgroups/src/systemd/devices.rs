//! Long tail: rules for devices as systemd takes them: a list of what is allowed (systemd.resource-control(5), `DeviceAllow=`). Pure.
//!
//! Our own program judges beside systemd's, and what both allow is allowed: the list may be longer than the rules, never shorter.

use super::{Property, Value};
use crate::DeviceRule;

/// A list where everything else is denied; nothing is said where everything else is allowed, or where the list would be too short.
pub fn of_rules(rules: &[DeviceRule]) -> Vec<Property> {
    let is_about_all =
        |rule: &DeviceRule| rule.kind.is_none() && rule.major.is_none() && rule.minor.is_none();
    let last = rules.iter().rposition(|rule| is_about_all(rule) && rule.access_bits() == 7);
    let later = match last {
        Some(last) if rules[last].allow => return Vec::new(),
        Some(last) => &rules[last + 1..],
        None => rules,
    };
    let allowed = later.iter().filter(|rule| rule.allow);
    let Some(entries) = allowed.map(entries).collect::<Option<Vec<_>>>() else { return Vec::new() };
    vec![
        Property { name: "DevicePolicy".into(), value: Value::Text("strict".into()) },
        Property { name: "DeviceAllow".into(), value: Value::Devices(entries.concat()) },
    ]
}

/// One rule may be one for each kind. None: systemd has no word for every driver's device of a number.
fn entries(rule: &DeviceRule) -> Option<Vec<(String, String)>> {
    let kinds: &[&str] = match rule.kind {
        Some('b') => &["block"],
        Some(_) => &["char"],
        None => &["block", "char"],
    };
    let access = if rule.access.is_empty() { "rwm" } else { &rule.access };
    let device = |kind: &&str| match (rule.major, rule.minor) {
        (Some(major), Some(minor)) => Some(format!("/dev/{kind}/{major}:{minor}")),
        (Some(major), None) => Some(format!("{kind}-{major}")),
        (None, None) => Some(format!("{kind}-*")),
        (None, Some(_)) => None,
    };
    kinds.iter().map(|kind| Some((device(kind)?, access.to_string()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::default_device_rules;

    fn allowed(rules: &[DeviceRule]) -> Option<Vec<String>> {
        match &of_rules(rules)[..] {
            [] => None,
            [_, Property { value: Value::Devices(list), .. }] => {
                Some(list.iter().map(|(device, access)| format!("{device} {access}")).collect())
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_default_rules_are_a_list() {
        insta::assert_snapshot!(allowed(&default_device_rules()).unwrap().join("\n"));
    }

    #[test]
    fn a_list_is_never_too_short() {
        let (deny, null) = (DeviceRule::deny_all(), DeviceRule::character(1, 3));
        let denied = |rule: &DeviceRule| DeviceRule { allow: false, ..rule.clone() };
        let allow_all = DeviceRule { allow: true, ..DeviceRule::deny_all() };
        assert_eq!(allowed(&[deny.clone(), null.clone(), denied(&null)]).unwrap(), ["/dev/char/1:3 rwm"]);
        assert_eq!(allowed(&[null.clone(), deny.clone()]), Some(Vec::new()));
        assert_eq!(allowed(&[null.clone(), allow_all.clone(), denied(&null)]), None);
        assert_eq!(allowed(&[deny.clone(), DeviceRule { major: None, ..null.clone() }]), None);
        let read_all = DeviceRule { access: "r".into(), ..allow_all };
        assert_eq!(allowed(&[deny, read_all]).unwrap(), ["block-* r", "char-* r"]);
    }
}
