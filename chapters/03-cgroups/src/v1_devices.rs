//! Long tail: rules for devices as v1 is told them: lines, written to two files one after the other
//! (admin-guide/cgroup-v1/devices.rst).
//!
//! The kernel keeps no rules but one answer for everything, and a list of exceptions. What does not fit into that it takes without a
//! word, and does something else: so it is translated here, or refused.

use crate::plan::{Write, write};
use crate::{DeviceRule, v1};

/// Mknod, read and write.
const ALL_ACCESS: u32 = 7;

/// The lines; the error is a rule that the kernel would not keep.
pub fn writes(rules: &[DeviceRule]) -> Result<Vec<Write>, String> {
    let lines: Vec<DeviceRule> = rules.iter().flat_map(lines).collect();
    check(&lines)?;
    let line = |rule: &DeviceRule| {
        let file = if rule.allow { "devices.allow" } else { "devices.deny" };
        v1::on("devices", write(file, rule))
    };
    Ok(lines.iter().map(line).collect())
}

/// `a` is everything, whatever stands behind it: of a rule for either kind that is about less, one is made for each.
fn lines(rule: &DeviceRule) -> Vec<DeviceRule> {
    if rule.kind.is_some() || is_everything(rule) {
        return vec![rule.clone()];
    }
    ['c', 'b'].map(|kind| DeviceRule { kind: Some(kind), ..rule.clone() }).into()
}

fn is_everything(rule: &DeviceRule) -> bool {
    rule.kind.is_none() && rule.major.is_none() && rule.minor.is_none() && rule.access_bits() == ALL_ACCESS
}

/// What says the same as the answer for everything takes exceptions away, but those of the same numbers alone: a device that is
/// denied after all devices of its driver were allowed would stay allowed.
fn check(lines: &[DeviceRule]) -> Result<(), String> {
    let mut exceptions: Vec<&DeviceRule> = Vec::new();
    let mut is_allowed = true;
    for rule in lines {
        if is_everything(rule) {
            is_allowed = rule.allow;
            exceptions.clear();
        } else if rule.allow != is_allowed {
            exceptions.push(rule);
        } else if let Some(exception) = exceptions.iter().find(|one| overlaps_in_part(one, rule)) {
            let word = |rule: &DeviceRule| if rule.allow { "allowed" } else { "denied" };
            return Err(format!(
                "linux.resources.devices: cgroup v1 cannot keep \"{rule}\" {} after \"{exception}\" was {}: name the devices one by one",
                word(rule),
                word(exception)
            ));
        }
    }
    Ok(())
}

fn overlaps_in_part(one: &DeviceRule, other: &DeviceRule) -> bool {
    let meet = |one: Option<u32>, other: Option<u32>| one.is_none() || other.is_none() || one == other;
    let overlaps = one.kind == other.kind
        && meet(one.major, other.major)
        && meet(one.minor, other.minor)
        && one.access_bits() & other.access_bits() != 0;
    overlaps && (one.major, one.minor) != (other.major, other.minor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::default_device_rules;

    fn rule(allow: bool, kind: Option<char>, [major, minor]: [Option<u32>; 2], access: &str) -> DeviceRule {
        DeviceRule { allow, kind, major, minor, access: access.into() }
    }

    fn text(rules: &[DeviceRule]) -> Result<Vec<String>, String> {
        Ok(writes(rules)?.into_iter().map(|write| format!("{} <- {}", write.file, write.value)).collect())
    }

    #[test]
    fn a_rule_for_either_kind_does_not_become_one_for_everything() {
        let deny_all = DeviceRule::deny_all();
        let both = [
            deny_all.clone(),
            rule(true, None, [Some(1), Some(3)], "rwm"),
            rule(true, None, [None, None], "m"),
        ];
        let expected = [
            "devices.deny <- a *:* rwm",
            "devices.allow <- c 1:3 rwm",
            "devices.allow <- b 1:3 rwm",
            "devices.allow <- c *:* m",
            "devices.allow <- b *:* m",
        ];
        assert_eq!(text(&both).unwrap(), expected);
    }

    #[test]
    fn what_the_kernel_would_not_keep_is_refused() {
        let driver = rule(true, Some('b'), [Some(254), None], "rw");
        let disk = |access: &str| rule(false, Some('b'), [Some(254), Some(0)], access);
        let refused = text(&[DeviceRule::deny_all(), driver.clone(), disk("w")]).unwrap_err();
        let expected = "linux.resources.devices: cgroup v1 cannot keep \"b 254:0 w\" denied after \"b 254:* rw\" was allowed: \
                        name the devices one by one";
        assert_eq!(refused, expected);
        // Nothing in common; everything anew; and what there is no exception from.
        assert!(text(&[DeviceRule::deny_all(), driver.clone(), disk("m")]).is_ok());
        assert!(text(&[driver.clone(), DeviceRule::deny_all(), disk("r")]).is_ok());
        assert!(text(&[disk("r"), rule(true, Some('b'), [Some(254), Some(0)], "r")]).is_ok());
        assert!(text(&[disk("r"), driver]).is_err(), "more would stay denied than it says");
        assert!(text(&default_device_rules()).is_ok());
    }
}
