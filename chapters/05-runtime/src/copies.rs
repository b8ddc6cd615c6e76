//! Long tail: binds that are copied by whoever makes the container, before it has a process: what they show is not the container's own,
//! and so is the right to change how its owners are seen, or to look into another's mount namespace.

use crate::plan::{Copied, IdMapped, SeenElsewhere};
use crate::{Error, Result};
use chroot::{MountOp, Propagation, What};
use std::os::fd::{AsRawFd, OwnedFd};

/// Copies them, and lets the plan use the copies. These live as long as what is returned.
pub fn prepare(steps: &mut [MountOp], copied: &[Copied]) -> Result<Vec<OwnedFd>> {
    let mut trees = Vec::new();
    for one in copied {
        let MountOp::Mount(mount) = &mut steps[one.step()] else { continue };
        let What::Bind { source, recursive } = &mount.what else { continue };
        let tree = match one {
            Copied::IdMapped(mapped) => {
                let place = mount.destination.display().to_string();
                with_id_maps(chroot::detached_copy(source, *recursive)?, mapped, &place)?
            }
            Copied::Seen(SeenElsewhere { process, path, .. }) => {
                chroot::copy_seen_by(*process, path, *recursive)?
            }
        };
        // Unlike a copy that is made after the container was cut off, this one is the peer of what it is a copy of.
        mount.options.propagation.get_or_insert(Propagation::RPRIVATE);
        mount.what = What::Detached(format!("/proc/self/fd/{}", tree.as_raw_fd()).into());
        trees.push(tree);
    }
    Ok(trees)
}

fn with_id_maps(tree: OwnedFd, mapped: &IdMapped, place: &str) -> Result<OwnedFd> {
    let failed = |error: &dyn std::fmt::Display| {
        Error::system(format!("the id maps of the mount on {place}: {error}"))
    };
    let owner =
        namespaces::user_namespace(&mapped.uid_map, &mapped.gid_map).map_err(|error| failed(&error))?;
    kernel::map_mount_ids(&tree, mapped.recursive, &owner).map_err(|error| failed(&error))?;
    Ok(tree)
}
