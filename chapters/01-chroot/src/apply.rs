//! Carries out a plan, step by step, in a process that has a mount namespace of its own.
//!
//! Each mount is made detached, given its attributes, and only then attached to a descriptor of its place: between the
//! check of a path and its use there is nothing that an attacker could exchange.

use crate::inside::Inside;
use crate::masks::Masks;
use crate::{
    Error, Mount, MountOp, Propagation, Result, Root, What, halfway, labels, nodes, overlay, procfs,
    read_only, shared, trees,
};
use kernel::Strace;
use nix::mount::{MntFlags, MsFlags, umount2};
use rustix::fs::{CWD, Mode};
use std::os::fd::OwnedFd;

/// A root that is being made.
pub(crate) struct NewRoot {
    inside: Inside,
    masks: Masks,
}

/// Carries out the steps in order. Afterwards the process is in its new root, and the host's is out of reach.
///
/// On failure the mount namespace is half made: the process must end, and the namespace ends with it.
pub fn apply(steps: &[MountOp]) -> Result<()> {
    carry_out(steps, &mut None)
}

/// Some of the steps; the root is what those before have made.
pub(crate) fn carry_out(steps: &[MountOp], root: &mut Option<NewRoot>) -> Result<()> {
    // Folders, files and nodes get the modes that the plan says, whatever the caller's mask.
    let umask = rustix::process::umask(Mode::empty());
    let mut copies = copies_to_share(steps)?.into_iter();
    for step in steps {
        match (step, &mut *root) {
            (MountOp::CutOff(propagation), _) => cut_off(*propagation)?,
            (MountOp::Root { root: made_of, rootless }, root) => {
                *root = Some(NewRoot::mount(made_of, *rootless)?)
            }
            (MountOp::Mount(mount), Some(root)) if mount.is_shared() => {
                apply_mount(&mut root.inside, mount, copies.next())?
            }
            (step, Some(root)) => root.apply(step)?,
            (_, None) => return Err(Error::not_safe("/", "the plan uses a root before it mounts one")),
        }
    }
    rustix::process::umask(umask);
    Ok(())
}

/// What shall stay shared with the host, copied as long as there is something to share.
fn copies_to_share(steps: &[MountOp]) -> Result<Vec<OwnedFd>> {
    let is_shared = |step: &MountOp| matches!(step, MountOp::Mount(mount) if mount.is_shared());
    if steps.iter().any(is_shared) { shared::sources(steps) } else { Ok(Vec::new()) }
}

impl NewRoot {
    /// Mounts it somewhere: an overlay over its own upper folder, a folder over itself. pivot_root wants a mount point.
    fn mount(root: &Root, rootless: bool) -> Result<NewRoot> {
        let tree = match root {
            Root::Folder(folder) => {
                let tree = trees::copy(CWD, folder, true)?;
                trees::attach_on_host(&tree, folder)?;
                tree
            }
            Root::Overlay { lower, upper, work } => overlay::mount(lower, upper, work, rootless)?,
        };
        Ok(NewRoot { inside: Inside::new(tree), masks: Masks::default() })
    }

    fn apply(&mut self, step: &MountOp) -> Result<()> {
        let inside = &mut self.inside;
        match step {
            MountOp::Mount(mount) => apply_mount(inside, mount, None),
            MountOp::Node(device) => nodes::make(inside, device),
            MountOp::BindNode(device) => nodes::bind(inside, device),
            MountOp::Symlink { path, target } => nodes::link(inside, path, target),
            MountOp::PivotRoot => pivot_root(inside),
            MountOp::Mask(path) => self.masks.mask(inside, path),
            MountOp::ReadOnly(path) => read_only::path(inside, path),
            MountOp::ReadOnlyRoot => read_only::root(inside),
            MountOp::Label(label) => labels::set(inside, label),
            MountOp::CutOff(_) | MountOp::Root { .. } => Ok(()),
        }
    }
}

/// From here on nothing that is mounted here is seen by the host.
pub(crate) fn cut_off(propagation: Propagation) -> Result<()> {
    // Shared with the host we would mount the container's root for everybody: the most that is granted is to see the
    // host's later mounts.
    let flag = if propagation.flag == Propagation::PRIVATE { MsFlags::MS_PRIVATE } else { MsFlags::MS_SLAVE };
    let none = None::<&str>;
    nix::mount::mount(none, "/", none, flag | MsFlags::MS_REC, none)
        .strace(|| format!("mount(NULL, \"/\", NULL, {flag:?}|MS_REC, NULL)"))
        .map_err(|error| Error::call("a mount namespace of its own", error))
}

/// One mount inside the root; `shared` is its source where that had to be copied earlier.
pub(crate) fn apply_mount(inside: &mut Inside, mount: &Mount, shared: Option<OwnedFd>) -> Result<()> {
    let destination = &mount.destination;
    let (tree, place) = match &mount.what {
        What::Filesystem { fstype, source } => filesystem(inside, mount, fstype, source)?,
        What::Bind { source, recursive } => {
            let tree = shared.map_or_else(|| trees::copy(CWD, source, *recursive), Ok)?;
            bind(inside, mount, tree)?
        }
        What::Detached(path) => bind(inside, mount, halfway::detached(path)?)?,
        What::Symlink { target } => return nodes::link(inside, destination, target),
        What::Remount => return read_only::remount(inside, mount),
    };
    procfs::check(&tree, &place, destination)?;
    trees::attach(&tree, &place, destination)?;
    inside.kernels.keep(tree, destination);
    Ok(())
}

/// A file system of the container's own, and its place.
fn filesystem(inside: &Inside, mount: &Mount, fstype: &str, source: &str) -> Result<(OwnedFd, OwnedFd)> {
    let place = match fstype {
        "proc" | "sysfs" => inside.make_plain_folder(&mount.destination)?,
        _ => inside.make_folder(&mount.destination)?,
    };
    let tree = match &inside.label {
        Some(label) => labels::filesystem(fstype, source, mount, label)?,
        None => trees::filesystem(fstype, source, mount)?,
    };
    if mount.options.copy_up {
        nodes::copy_up(&place, &tree, &mount.destination)?;
    }
    // What fsmount(2) could not be told: that it is shared, or read-only only now that it is filled.
    if mount.options.copy_up || mount.options.propagation.is_some() {
        trees::set_attributes(&tree, mount)?;
    }
    Ok((tree, place))
}

/// A copy of something that is mounted already, and its place: a folder on a folder, a file on a file.
fn bind(inside: &Inside, mount: &Mount, tree: OwnedFd) -> Result<(OwnedFd, OwnedFd)> {
    trees::set_attributes(&tree, mount)?;
    let place = if trees::is_folder(&tree)? {
        inside.make_folder(&mount.destination)?
    } else {
        inside.make_file(&mount.destination)?
    };
    Ok((tree, place))
}

/// Makes the root ours (pivot_root(2), `pivot_root(".", ".")`): the old root lies on the new one for a moment, and is let go.
fn pivot_root(inside: &Inside) -> Result<()> {
    let purpose = |error| Error::call("pivot_root", error);
    rustix::process::fchdir(inside.root()).strace(|| "fchdir(root)".into()).map_err(purpose)?;
    nix::unistd::pivot_root(".", ".").strace(|| "pivot_root(\".\", \".\")".into()).map_err(purpose)?;
    umount2(".", MntFlags::MNT_DETACH).strace(|| "umount2(\".\", MNT_DETACH)".into()).map_err(purpose)?;
    // The new root already; a working directory outside of it would be the way back (CVE-2024-21626).
    nix::unistd::chdir("/").strace(|| "chdir(\"/\")".into()).map_err(purpose)
}
