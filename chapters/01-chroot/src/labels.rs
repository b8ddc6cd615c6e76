//! Long tail: file systems that bear a label of SELinux, so that what a container writes there is its own (mount(8), "context").

use crate::inside::Inside;
use crate::{Error, Mount, Result, trees};
use kernel::Strace;
use rustix::fs::XattrFlags;
use std::os::fd::{AsRawFd, OwnedFd};

/// Where a file keeps its label.
const ATTRIBUTE: &str = "security.selinux";

/// Whose files have labels that no mount decides: the kernel's own, which are the same for everybody.
const KERNELS: &[&str] = &["proc", "sysfs", "cgroup", "cgroup2"];

/// Those that are made inside from here on bear it.
pub fn set(inside: &mut Inside, label: &str) -> Result<()> {
    inside.label = Some(label.to_owned());
    Ok(())
}

/// As [`trees::filesystem`], with a label for all that is in it, unless the mount has one of its own.
///
/// That of message queues was made with its IPC namespace, and takes no options any more: only its root can be labelled.
pub fn filesystem(fstype: &str, source: &str, mount: &Mount, label: &str) -> Result<OwnedFd> {
    let has_own = mount.options.data.iter().any(|option| option.starts_with("context="));
    if has_own || KERNELS.contains(&fstype) {
        return trees::filesystem(fstype, source, mount);
    }
    if fstype == "mqueue" {
        let tree = trees::filesystem(fstype, source, mount)?;
        label_root(&tree, mount, label)?;
        return Ok(tree);
    }
    let mut labelled = mount.clone();
    // Not in quotes, which are for mount(2): there, a comma in a label would end it.
    labelled.options.data.push(format!("context={label}"));
    trees::filesystem(fstype, source, &labelled)
}

fn label_root(tree: &OwnedFd, mount: &Mount, label: &str) -> Result<()> {
    let path = format!("/proc/self/fd/{}", tree.as_raw_fd());
    rustix::fs::setxattr(&path, ATTRIBUTE, label.as_bytes(), XattrFlags::empty())
        .strace(|| format!("setxattr({path:?}, {ATTRIBUTE:?}, {label:?})"))
        .map_err(|error| Error::call(mount.destination.display(), error))
}
