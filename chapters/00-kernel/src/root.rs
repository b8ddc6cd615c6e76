//! Who is root of the machine, and not only of a user namespace.

use std::os::unix::fs::MetadataExt;

/// The number of the first user namespace, the same on every kernel since Linux 3.8 (PROC_USER_INIT_INO, include/linux/proc_ns.h).
const FIRST_USER_NAMESPACE: u64 = 0xEFFF_FFFD;

/// Whether the caller is root, and in the machine's first user namespace. Who is 0 in another one has power over what belongs to
/// that namespace, and what belongs to the machine is as closed to them as to anybody else (user_namespaces(7)).
///
/// Where there is no /proc to ask, whoever is 0 counts as root.
pub fn is_root() -> bool {
    let is_first = || {
        let namespace = std::fs::metadata("/proc/self/ns/user");
        namespace.map_or(true, |file| file.ino() == FIRST_USER_NAMESPACE)
    };
    nix::unistd::geteuid().is_root() && is_first()
}
