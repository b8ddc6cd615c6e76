//! Long tail: binds with id maps are copied by whoever makes the container, since their file systems are the host's: the right to
//! change how their owners are seen is not the container's own.

use crate::plan::IdMapped;
use crate::{Error, Result};
use chroot::{MountOp, Propagation, What};
use std::os::fd::{AsRawFd, OwnedFd};

/// Copies them, and lets the plan use the copies. These live as long as what is returned.
pub fn prepare(steps: &mut [MountOp], mapped: &[IdMapped]) -> Result<Vec<OwnedFd>> {
    let mut trees = Vec::new();
    for IdMapped { step, uid_map, gid_map, recursive } in mapped {
        let MountOp::Mount(mount) = &mut steps[*step] else { continue };
        let What::Bind { source, recursive: with_mounts_below } = &mount.what else { continue };
        let place = mount.destination.display().to_string();
        let failed = |error: &dyn std::fmt::Display| {
            Error::system(format!("the id maps of the mount on {place}: {error}"))
        };
        let tree = chroot::detached_copy(source, *with_mounts_below)?;
        let owner = namespaces::user_namespace(uid_map, gid_map).map_err(|error| failed(&error))?;
        kernel::map_mount_ids(&tree, *recursive, &owner).map_err(|error| failed(&error))?;
        // Unlike a copy that is made after the container was cut off, this one is the peer of what it is a copy of.
        mount.options.propagation.get_or_insert(Propagation::RPRIVATE);
        mount.what = What::Detached(format!("/proc/self/fd/{}", tree.as_raw_fd()).into());
        trees.push(tree);
    }
    Ok(trees)
}
