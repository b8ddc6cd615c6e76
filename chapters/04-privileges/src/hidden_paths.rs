//! Long tail: what Docker hides of a container's /proc and /sys, and what cannot be written there.

/// Paths whose contents tell of the host.
pub fn masked_paths() -> &'static [&'static str] {
    &[
        "/proc/asound",
        "/proc/acpi",
        "/proc/kcore",
        "/proc/keys",
        "/proc/latency_stats",
        "/proc/timer_list",
        "/proc/timer_stats",
        "/proc/sched_debug",
        "/proc/scsi",
        "/sys/firmware",
    ]
}

/// Paths that would change the host.
pub fn readonly_paths() -> &'static [&'static str] {
    &["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]
}
