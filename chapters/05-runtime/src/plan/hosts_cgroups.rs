//! Long tail: the cgroups that a container sees which shares the cgroup namespace of a caller without rights over it: podman's, for
//! instance, where it is an ordinary user's.

use chroot::{Mount, What, parse_options};
use std::path::Path;

/// A cgroup namespace of its own could be mounted; the host's belongs to the host. So its mounts are bound, and nothing in them can
/// be written: those below are the user's own (CVE-2023-25809).
pub fn view(destination: &Path) -> Mount {
    let words = ["rro", "rnosuid", "rnoexec", "rnodev", "rprivate"].map(String::from);
    Mount {
        destination: destination.into(),
        what: What::Bind { source: "/sys/fs/cgroup".into(), recursive: true },
        options: parse_options(&words),
    }
}
