//! Long tail: Docker's default profile of AppArmor, in the words of apparmor.d(5).
//!
//! It is the second lock on doors that others keep as well: /proc and /sys are read-only or masked, mount(2) takes a capability and is
//! not in the seccomp profile. Whoever opens one of these, by a flag or through a hole, meets this one.

/// The profile's name, which dockerd's bears too: whoever of us is first loads it.
pub const DEFAULT_APPARMOR: &str = "docker-default";

/// Whose processes may send signals to a container's: the host's, and runtimes, to which some distributions give profiles.
const PEERS: [&str; 3] = ["unconfined", "runc", "crun"];

/// What cannot be touched at all: it would stop the host, or tell of it.
const FORBIDDEN: [&str; 5] = [
    "/proc/sysrq-trigger",
    "/proc/kcore",
    "/sys/firmware/**",
    "/sys/devices/virtual/powercap/**",
    "/sys/kernel/security/**",
];

/// The profile for a daemon that is itself held to `daemon`.
///
/// AppArmor forbids what no rule allows, and a `deny` is stronger than any other rule: so all is allowed, and then taken away.
pub fn default_apparmor(daemon: &str) -> String {
    let mut peers = PEERS.to_vec();
    if !peers.contains(&daemon) {
        peers.push(daemon);
    }
    let mut rules: Vec<String> = ["network", "capability", "file", "umount"].map(String::from).to_vec();
    rules.extend(peers.iter().map(|peer| format!("signal (receive) peer=\"{peer}\"")));
    rules.push(format!("signal (send, receive) peer=\"{DEFAULT_APPARMOR}\""));
    rules.push(format!("ptrace (trace, read, tracedby, readby) peer=\"{DEFAULT_APPARMOR}\""));
    rules.push("deny mount".into());
    rules.extend(FORBIDDEN.iter().map(|path| format!("deny {path} rwklx")));
    // Of /proc its own processes may be written, whose names are numbers, and of the settings what shared memory has.
    rules.push("deny /proc/[^1-9s]** w".into());
    rules.extend(all_but("/proc/s", "ys/").map(|glob| format!("deny {glob} w")));
    rules.extend(all_but("/proc/sys/", "kernel/shm").map(|glob| format!("deny {glob} w")));
    rules.extend(all_but("/sys/", "fs/cgroup/").map(|glob| format!("deny {glob} wklx")));
    let lines: String = rules.iter().map(|rule| format!("  {rule},\n")).collect();
    // A file that was opened before the profile began, or has no name any more, is looked at as if it lay in the root.
    format!("profile {DEFAULT_APPARMOR} flags=(attach_disconnected,mediate_deleted) {{\n{lines}}}\n")
}

/// Globs for all paths that begin with `folder` and then do not go on as `exception` does: AppArmor has no other way to say it.
fn all_but(folder: &str, exception: &str) -> impl Iterator<Item = String> {
    exception.char_indices().map(move |(at, letter)| format!("{folder}{}[^{letter}]**", &exception[..at]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_profile() {
        insta::assert_snapshot!(default_apparmor("unconfined"));
    }

    #[test]
    fn a_daemon_with_a_profile_may_still_send_signals() {
        assert!(default_apparmor("lxd").contains("  signal (receive) peer=\"lxd\",\n"));
    }
}
