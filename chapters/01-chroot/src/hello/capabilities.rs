//! Stage: the capabilities of `hello` by name.

/// The names of the capabilities by number (capabilities(7)).
const NAMES: &[&str] = &[
    "chown",
    "dac_override",
    "dac_read_search",
    "fowner",
    "fsetid",
    "kill",
    "setgid",
    "setuid",
    "setpcap",
    "linux_immutable",
    "net_bind_service",
    "net_broadcast",
    "net_admin",
    "net_raw",
    "ipc_lock",
    "ipc_owner",
    "sys_module",
    "sys_rawio",
    "sys_chroot",
    "sys_ptrace",
    "sys_pacct",
    "sys_admin",
    "sys_boot",
    "sys_nice",
    "sys_resource",
    "sys_time",
    "sys_tty_config",
    "mknod",
    "lease",
    "audit_write",
    "audit_control",
    "setfcap",
    "mac_override",
    "mac_admin",
    "syslog",
    "wake_alarm",
    "block_suspend",
    "audit_read",
    "perfmon",
    "bpf",
    "checkpoint_restore",
];

/// The names of a set, which is given in the hexadecimal digits of /proc/self/status.
pub fn named(digits: &str) -> String {
    let set = u64::from_str_radix(digits, 16).unwrap_or(0);
    let names = |of: u64| {
        let numbered = NAMES.iter().enumerate().filter(move |(bit, _)| of >> bit & 1 == 1);
        numbered.map(|(_, name)| *name).collect::<Vec<_>>()
    };
    let (held, missing) = (names(set), names(!set));
    match held.len() {
        0 => "none".into(),
        _ if missing.is_empty() => format!("all {}", NAMES.len()),
        count if missing.len() < 10 => format!("{count}, all but {}", missing.join(" ")),
        count => format!("{count}: {}", held.join(" ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_named() {
        assert_eq!(named("0"), "none");
        assert_eq!(named("1ffffffffff"), "all 41");
        assert_eq!(named("1fffeffffff"), "40, all but sys_resource");
        let docker = named("a80425fb");
        assert!(docker.starts_with("14: chown dac_override fowner fsetid kill setgid"), "{docker}");
    }
}
