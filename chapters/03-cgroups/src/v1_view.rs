//! Long tail: what a container sees on /sys/fs/cgroup where controllers are bound to v1.

use crate::Layout;
use chroot::{Attributes, Mount, MountOptions, What};
use std::path::{Path, PathBuf};

/// A folder in memory with the container's groups and links where controllers share one; without a group, an empty folder.
pub fn view(layout: &Layout, group: Option<&str>, destination: &Path, options: MountOptions) -> Vec<Mount> {
    let Some(group) = group else {
        // Without groups of its own it sees none: those below would be its maker's, who may write them (CVE-2023-25809).
        let attributes = Attributes { set: options.attributes.set | Attributes::RDONLY, clear: 0 };
        let what = What::Filesystem { fstype: "tmpfs".into(), source: "tmpfs".into() };
        let options = MountOptions { attributes, ..MountOptions::default() };
        return vec![Mount { destination: destination.into(), what, options }];
    };
    let attributes = Attributes { set: options.attributes.set & !Attributes::RDONLY, clear: 0 };
    let folder = MountOptions { attributes, data: vec!["mode=755".into()], ..MountOptions::default() };
    let what = What::Filesystem { fstype: "tmpfs".into(), source: "tmpfs".into() };
    let mut mounts = vec![Mount { destination: destination.into(), what, options: folder }];
    for hierarchy in &layout.v1 {
        let Some(name) = hierarchy.mount.file_name() else {
            continue;
        };
        let source: PathBuf = hierarchy.mount.join(group.trim_start_matches('/'));
        let place = destination.join(name);
        let what = What::Bind { source, recursive: false };
        mounts.push(Mount {
            destination: place,
            what,
            options: MountOptions { attributes: options.attributes, ..MountOptions::default() },
        });
        let links = hierarchy
            .name
            .split(',')
            .filter(|controller| hierarchy.name.contains(',') && *controller != name.to_string_lossy());
        let link = |controller: &str| Mount {
            destination: destination.join(controller),
            what: What::Symlink { target: name.into() },
            options: MountOptions::default(),
        };
        mounts.extend(links.map(link));
    }
    mounts
}
