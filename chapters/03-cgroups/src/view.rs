//! What a container sees on /sys/fs/cgroup: its own groups, and nothing above them.

use crate::{Layout, v1_view};
use chroot::{Mount, MountOptions, What};
use std::path::Path;

/// The mounts that show a container its groups at `destination`, with the options that the spec gives them.
///
/// On v2 that is the hierarchy as its cgroup namespace shows it. On v1 it is a folder in memory with the container's group of
/// each hierarchy, bound from where the host has it (`group` is its path), and links where controllers share one; without a
/// group, an empty folder.
pub fn view(layout: &Layout, group: Option<&str>, destination: &Path, options: MountOptions) -> Vec<Mount> {
    if !layout.is_unified() {
        return v1_view::view(layout, group, destination, options);
    }
    let what = What::Filesystem { fstype: "cgroup2".into(), source: "cgroup".into() };
    // The hierarchy is the host's own: made read-only as a whole, it would be so for the host.
    vec![Mount {
        destination: destination.into(),
        what,
        options: MountOptions { data: Vec::new(), ..options },
    }]
}
