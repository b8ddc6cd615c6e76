//! Long tail: the cgroup of `hello`, on v2 and on v1, as far as it can be seen from inside.

use super::facts::read;

/// The path, by /proc/self/cgroup (cgroups(7)).
pub fn path() -> String {
    let text = read("/proc/self/cgroup");
    let mut paths: Vec<&str> = text
        .lines()
        .filter_map(|line| line.splitn(3, ':').nth(2))
        .collect();
    paths.sort_by_key(|path| std::cmp::Reverse(path.len()));
    match paths.first() {
        Some(path) if !text.is_empty() => path.to_string(),
        _ => "not known to this kernel".into(),
    }
}

/// The limits that can be read here.
pub fn limits() -> String {
    let files = [
        ("memory", "memory.max"),
        ("cpu", "cpu.max"),
        ("pids", "pids.max"),
        ("memory", "memory/memory.limit_in_bytes"),
        ("cpu", "cpu/cpu.cfs_quota_us"),
        ("pids", "pids/pids.max"),
    ];
    let limit = |(name, file): &(&str, &str)| {
        let text = read(&format!("/sys/fs/cgroup/{file}"));
        (!text.is_empty()).then(|| format!("{name} {}", readable(text.trim())))
    };
    let limits: Vec<String> = files.iter().filter_map(limit).collect();
    if limits.is_empty() {
        "no delegated cgroup".into()
    } else {
        limits.join(", ")
    }
}

/// `max`, -1 and v1's largest number of pages all mean: no limit.
fn readable(limit: &str) -> String {
    const LARGEST: u64 = 1 << 62;
    let is_none =
        limit.starts_with("max") || limit == "-1" || limit.parse().is_ok_and(|bytes: u64| bytes >= LARGEST);
    if is_none { "unlimited".into() } else { limit.into() }
}
