//! Exhibit: the host's /sys, shown read-only to a container. That holds for the one mount and for none below it: the cgroups
//! there can be written by whoever owns them, and rootless that is the container's maker (CVE-2023-25809).
//!
//! `naive_view ROOTFS` makes such a root and prints which cgroup hierarchies can be written in it.
#![forbid(unsafe_code)]

use chroot::{Attributes, Mount, MountOptions, RootSpec, What, apply, plan};
use std::path::PathBuf;

/// Prints what can be written.
pub fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = std::env::args().nth(1).ok_or("usage: naive_view ROOTFS")?;
    chroot::borrow_namespaces()?;
    let mut root = RootSpec::folder(PathBuf::from(root));
    root.mounts.push(sys());
    apply(&plan(&root))?;
    writable().iter().for_each(|point| println!("{point}"));
    Ok(())
}

/// `-v /sys:/sys:ro`, with everything below.
pub fn sys() -> Mount {
    let what = What::Bind { source: "/sys".into(), recursive: true };
    let attributes = Attributes { set: Attributes::RDONLY, clear: 0 };
    Mount {
        destination: "/sys".into(),
        what,
        options: MountOptions { attributes, ..MountOptions::default() },
    }
}

/// Where this mount namespace has a cgroup hierarchy that is not mounted read-only (proc(5), mountinfo). What a later mount covers
/// counts as well: it may be taken away again.
pub fn writable() -> Vec<String> {
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let points = mounts.lines().filter_map(|line| {
        let (own, filesystem) = line.split_once(" - ")?;
        let fields: Vec<&str> = own.split(' ').collect();
        let is_writable =
            filesystem.starts_with("cgroup") && !fields.get(5)?.split(',').any(|word| word == "ro");
        is_writable.then(|| fields[4].to_string())
    });
    points.collect()
}
