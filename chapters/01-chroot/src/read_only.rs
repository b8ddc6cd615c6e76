//! Long tail: what a container may read and not write: single paths, and its root; and mounts that get other attributes.

use crate::inside::Inside;
use crate::{Attributes, Error, Mount, Result, trees};
use kernel::{MountAttributes, mount_setattr};
use std::path::Path;

/// Makes what is mounted at a path, or the path itself, read-only.
pub fn path(inside: &Inside, path: &Path) -> Result<()> {
    let Some(place) = inside.find_if_there(path)? else {
        return Ok(());
    };
    let tree = trees::copy_of(&place, path, true)?;
    let attributes = MountAttributes { set: Attributes::RDONLY, ..MountAttributes::default() };
    mount_setattr(&tree, c"", true, attributes)
        .map_err(|error| Error::call(format_args!("read-only {}", path.display()), error))?;
    trees::attach(tree, place, path)
}

/// The root's own mount only: what is mounted below says for itself whether it can be written.
pub fn root(inside: &Inside) -> Result<()> {
    let attributes = MountAttributes { set: Attributes::RDONLY, ..MountAttributes::default() };
    mount_setattr(inside.root(), c"", false, attributes)
        .map_err(|error| Error::call("the read-only root", error))
}

/// Gives a mount that is there already the attributes that the plan says.
pub fn remount(inside: &Inside, mount: &Mount) -> Result<()> {
    let place = inside.find(&mount.destination);
    trees::set_attributes(place.map_err(|error| Error::call(mount.destination.display(), error))?, mount)
}
