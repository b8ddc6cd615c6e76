//! Stage: the cgroup of `hello`, on v2 and on v1, as far as it can be seen from inside.

use super::facts::read;

/// The files that say a limit: on v2, then on v1, where a share of processor time has two.
const LIMITS: &[(&str, &[&str])] = &[
    ("memory", &["memory.max"]),
    ("cpu", &["cpu.max"]),
    ("processes", &["pids.max"]),
    ("memory", &["memory/memory.limit_in_bytes"]),
    ("cpu", &["cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us"]),
    ("processes", &["pids/pids.max"]),
];

/// The path that /proc/self/cgroup shows (cgroups(7)): the longest, where v1 has one for each hierarchy.
pub fn path(text: &str) -> String {
    let paths = text.lines().filter_map(|line| line.splitn(3, ':').nth(2));
    paths.max_by_key(|path| path.len()).unwrap_or("not known to this kernel").to_string()
}

/// The limits that can be read here.
pub fn limits() -> String {
    let limit = |(name, files): &(&str, &[&str])| {
        let texts: Vec<String> = files.iter().map(|file| read(&format!("/sys/fs/cgroup/{file}"))).collect();
        let text = texts.iter().map(|text| text.trim()).collect::<Vec<_>>().join(" ");
        (!text.trim().is_empty()).then(|| format!("{name} {}", readable(name, &text)))
    };
    let limits: Vec<String> = LIMITS.iter().filter_map(limit).collect();
    if limits.is_empty() { "no delegated cgroup".into() } else { limits.join(", ") }
}

/// `max`, -1 and v1's largest number of pages all mean: no limit.
fn readable(name: &str, limit: &str) -> String {
    const LARGEST: u64 = 1 << 62;
    let mut numbers = limit.split(' ').map(|word| word.parse::<u64>().ok());
    let (first, second) = (numbers.next().flatten(), numbers.next().flatten());
    match (name, first, second) {
        (_, None, _) if limit.starts_with("max") || limit.starts_with("-1") => "unlimited".into(),
        (_, Some(LARGEST..), _) => "unlimited".into(),
        ("cpu", Some(quota), Some(period @ 1..)) => format!("{:.2} of one", quota as f64 / period as f64),
        ("memory", Some(bytes), _) => format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20)),
        _ => limit.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_in_words() {
        for none in ["max", "-1", "max 100000", "-1 100000", "9223372036854771712"] {
            assert_eq!(readable("memory", none), "unlimited");
        }
        assert_eq!(readable("memory", "67108864"), "64.0 MiB");
        assert_eq!(readable("cpu", "50000 100000"), "0.50 of one");
        assert_eq!(readable("processes", "100"), "100");
        assert_eq!(path("4:memory:/a/b\n0::/a\n"), "/a/b");
    }
}
