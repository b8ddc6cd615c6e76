//! Carries out a plan, step by step, in a process that has a mount namespace of its own.
//!
//! Each mount is made detached, given its attributes, and only then attached to a descriptor of its place: between the
//! check of a path and its use there is nothing that an attacker could exchange.

use crate::inside::Inside;
use crate::masks::Masks;
use crate::{
    Attributes, Error, Mount, MountOp, Propagation, Result, Root, What, nodes, overlay, procfs, trees,
};
use kernel::{MountAttributes, Strace, mount_setattr};
use nix::mount::{MntFlags, MsFlags, umount2};
use rustix::fs::{CWD, Mode, OFlags};
use std::os::fd::OwnedFd;
use std::path::Path;

/// A root that is being made.
struct NewRoot {
    inside: Inside,
    masks: Masks,
}

/// Carries out the steps in order. Afterwards the process is in its new root, and the host's is out of reach.
///
/// On failure the mount namespace is half made: the process must end, and the namespace ends with it.
pub fn apply(steps: &[MountOp]) -> Result<()> {
    // Folders, files and nodes get the modes that the plan says, whatever the caller's mask.
    let umask = rustix::process::umask(Mode::empty());
    let mut shared = sources_to_share(steps)?.into_iter();
    let mut root: Option<NewRoot> = None;
    for step in steps {
        match (step, &mut root) {
            (MountOp::CutOff(propagation), _) => cut_off(*propagation)?,
            (MountOp::Root { root: made_of, rootless }, root) => {
                let inside = Inside::new(mount_root(made_of, *rootless)?);
                *root = Some(NewRoot { inside, masks: Masks::default() });
            }
            (MountOp::Mount(mount), Some(root)) if is_shared(mount) => {
                apply_mount(&root.inside, mount, shared.next())?
            }
            (step, Some(root)) => root.apply(step)?,
            (_, None) => return Err(Error::not_safe("/", "the plan uses a root before it mounts one")),
        }
    }
    rustix::process::umask(umask);
    Ok(())
}

impl NewRoot {
    fn apply(&mut self, step: &MountOp) -> Result<()> {
        let inside = &self.inside;
        match step {
            MountOp::Mount(mount) => apply_mount(inside, mount, None),
            MountOp::Node(device) => nodes::make(inside, device),
            MountOp::BindNode(device) => nodes::bind(inside, device),
            MountOp::Symlink { path, target } => nodes::link(inside, path, target),
            MountOp::PivotRoot => pivot_root(inside),
            MountOp::Mask(path) => self.masks.mask(inside, path),
            MountOp::ReadOnly(path) => read_only(inside, path),
            MountOp::ReadOnlyRoot => read_only_root(inside),
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

/// Whether mounts that the container makes there shall appear on the host.
fn is_shared(mount: &Mount) -> bool {
    matches!(mount.what, What::Bind { .. })
        && mount.options.propagation.is_some_and(|propagation| propagation.flag == Propagation::SHARED)
}

/// Copies of what shall stay shared with the host, in the order of the plan: once cut off, there is nothing to share.
fn sources_to_share(steps: &[MountOp]) -> Result<Vec<OwnedFd>> {
    let source = |step: &MountOp| match step {
        MountOp::Mount(mount) if is_shared(mount) => match &mount.what {
            What::Bind { source, recursive } => Some(trees::copy(CWD, source, *recursive)),
            _ => None,
        },
        _ => None,
    };
    steps.iter().filter_map(source).collect()
}

/// Mounts the root somewhere: an overlay over its own upper folder, a folder over itself. pivot_root wants a mount point.
fn mount_root(root: &Root, rootless: bool) -> Result<OwnedFd> {
    match root {
        Root::Folder(folder) => {
            let tree = trees::copy(CWD, folder, true)?;
            trees::attach_on_host(&tree, folder)?;
            Ok(tree)
        }
        Root::Overlay { lower, upper, work } => overlay::mount(lower, upper, work, rootless),
    }
}

/// One mount inside the root; `shared` is its source where that had to be copied earlier.
fn apply_mount(inside: &Inside, mount: &Mount, shared: Option<OwnedFd>) -> Result<()> {
    let destination = &mount.destination;
    let (tree, place) = match &mount.what {
        What::Symlink { target } => return nodes::link(inside, destination, target),
        What::Remount => {
            let place = inside.find(destination);
            let place = place.map_err(|error| Error::call(destination.display(), error))?;
            return trees::set_attributes(place, mount);
        }
        What::Filesystem { fstype, source } => {
            let place = match fstype.as_str() {
                "proc" | "sysfs" => inside.make_plain_folder(destination)?,
                _ => inside.make_folder(destination)?,
            };
            let tree = trees::filesystem(fstype, source, mount)?;
            if mount.options.copy_up {
                nodes::copy_up(&place, &tree, destination)?;
            }
            // What fsmount(2) could not be told: that it is shared, or read-only only now that it is filled.
            if mount.options.copy_up || mount.options.propagation.is_some() {
                trees::set_attributes(&tree, mount)?;
            }
            (tree, place)
        }
        What::Bind { source, recursive } => {
            let tree = shared.map_or_else(|| trees::copy(CWD, source, *recursive), Ok)?;
            trees::set_attributes(&tree, mount)?;
            let place = if trees::is_folder(&tree)? {
                inside.make_folder(destination)?
            } else {
                inside.make_file(destination)?
            };
            (tree, place)
        }
    };
    procfs::check(&tree, &place, destination)?;
    trees::attach(&tree, &place, destination)
}

/// Mounts a file system on a folder of the host, as this mount namespace sees it.
pub(crate) fn mount_on_host(mount: &Mount) -> Result<()> {
    apply_mount(&own_root()?, mount, None)
}

/// The root that this process has.
fn own_root() -> Result<Inside> {
    let root = rustix::fs::open("/", OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
    root.map(Inside::new)
        .strace(|| "open(\"/\", O_PATH|O_DIRECTORY)".into())
        .map_err(|error| Error::call("/", error))
}

/// Makes the root ours (pivot_root(2), `pivot_root(".", ".")`): the old root lies on the new one for a moment, and is let go.
fn pivot_root(inside: &Inside) -> Result<()> {
    let purpose = |error| Error::call("pivot_root", error);
    rustix::process::fchdir(inside.root()).strace(|| "fchdir(root)".into()).map_err(purpose)?;
    nix::unistd::pivot_root(".", ".").strace(|| "pivot_root(\".\", \".\")".into()).map_err(purpose)?;
    umount2(".", MntFlags::MNT_DETACH).strace(|| "umount2(\".\", MNT_DETACH)".into()).map_err(purpose)?;
    // Without this the working directory would be the way back (CVE-2024-21626).
    nix::unistd::chdir("/").strace(|| "chdir(\"/\")".into()).map_err(purpose)
}

fn read_only(inside: &Inside, path: &Path) -> Result<()> {
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
fn read_only_root(inside: &Inside) -> Result<()> {
    let attributes = MountAttributes { set: Attributes::RDONLY, ..MountAttributes::default() };
    mount_setattr(inside.root(), c"", false, attributes)
        .map_err(|error| Error::call("the read-only root", error))
}

/// Binds a terminal's device over /dev/console, for the process that expects one there; from inside the root.
pub fn bind_console(terminal: &Path) -> Result<()> {
    let console = Path::new("/dev/console");
    let place = own_root()?.make_file(console)?;
    trees::attach(trees::copy(CWD, terminal, false)?, place, console)
}
