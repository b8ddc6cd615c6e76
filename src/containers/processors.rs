//! What a create may ask for of processors and memory nodes.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use super::validate::invalid;
use crate::error::Result;
use crate::spec::Facts;

/// The weights that the kernel knows on cgroup v1, which Docker's shares are.
const SHARES: RangeInclusive<i64> = 2..=262_144;

/// Docker's checks of shares, quotas, processors and memory nodes, in Docker's words.
pub fn check(host: &api::HostConfig, facts: &Facts) -> Result<()> {
    if host.nano_cpus > 0 && (host.cpu_period > 0 || host.cpu_quota > 0) {
        let field = if host.cpu_period > 0 { "CPU Period" } else { "CPU Quota" };
        return invalid(format!("Conflicting options: Nano CPUs and {field} cannot both be set"));
    }
    let there = facts.processors;
    if host.nano_cpus < 0 || host.nano_cpus > there as i64 * 1_000_000_000 {
        return invalid(format!(
            "Range of CPUs is from 0.01 to {there}.00, as there are only {there} CPUs available"
        ));
    }
    if host.cpu_shares < 0 {
        return invalid(format!(
            "invalid CPU shares ({}): value must be a positive integer",
            host.cpu_shares
        ));
    }
    if host.cpu_shares != 0 && !SHARES.contains(&host.cpu_shares) {
        let (least, most) = (SHARES.start(), SHARES.end());
        return match host.cpu_shares < *least {
            true => invalid(format!("the minimum allowed cpu-shares is {least}")),
            false => invalid(format!("the maximum allowed cpu-shares is {most}")),
        };
    }
    check_list(&host.cpuset_cpus, "cpus", "CPUs", &facts.cpus_online)?;
    check_list(&host.cpuset_mems, "mems", "memory nodes", &facts.memory_nodes)?;
    if host.cpu_period != 0 && !(1000..=1_000_000).contains(&host.cpu_period) {
        return invalid(
            "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)",
        );
    }
    if host.cpu_quota > 0 && host.cpu_quota < 1000 {
        return invalid("CPU cfs quota can not be less than 1ms (i.e. 1000)");
    }
    Ok(())
}

/// `0-2,4`, all of which must be there.
fn check_list(asked: &str, file: &str, name: &str, there: &str) -> Result<()> {
    let Some(wanted) = parse_list(asked) else {
        return invalid(format!("Invalid value {asked} for cpuset {file}: invalid format: {asked}"));
    };
    // A kernel that does not tell what is there will answer itself.
    match parse_list(there).filter(|there| !there.is_empty()) {
        Some(known) if !wanted.is_subset(&known) => {
            invalid(format!("Requested {name} are not available - requested {asked}, available: {there}"))
        }
        _ => Ok(()),
    }
}

/// The kernel's format for lists of numbers (cpuset(7), "List format").
fn parse_list(text: &str) -> Option<BTreeSet<u32>> {
    let mut numbers = BTreeSet::new();
    for part in text.split(',').filter(|_| !text.is_empty()) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let range = first.parse::<u32>().ok()?..=last.parse::<u32>().ok()?;
        // No machine has as many; a list of all numbers there are is not worth its memory.
        if range.is_empty() || *range.end() > 1 << 20 {
            return None;
        }
        numbers.extend(range);
    }
    Some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_the_kernels() {
        let parsed = |text: &str| parse_list(text).map(|numbers| numbers.into_iter().collect::<Vec<_>>());
        assert_eq!(parsed("0-2,4"), Some(vec![0, 1, 2, 4]));
        assert_eq!(parsed(""), Some(vec![]));
        for wrong in ["x", "1-", "2-1", "0,,1", "-1", "0-4294967295"] {
            assert_eq!(parsed(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_not_there_is_refused_in_dockers_words() {
        let facts =
            Facts { processors: 2, cpus_online: "0-1".into(), memory_nodes: "0".into(), ..Facts::default() };
        let refusal = |host: api::HostConfig| check(&host, &facts).expect_err("refused").to_string();
        let host = api::HostConfig::default;
        let refusals = [
            refusal(api::HostConfig { cpuset_cpus: "0-2".into(), ..host() }),
            refusal(api::HostConfig { cpuset_cpus: "zero".into(), ..host() }),
            refusal(api::HostConfig { cpuset_mems: "1".into(), ..host() }),
            refusal(api::HostConfig { cpu_shares: 1, ..host() }),
            refusal(api::HostConfig { cpu_shares: 262_145, ..host() }),
        ];
        insta::assert_snapshot!(refusals.join("\n"));
    }
}
