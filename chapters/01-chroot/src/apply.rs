//! Carries out a plan, step by step, in a process that has a mount namespace of its own.
//!
//! Each mount is made detached, given its attributes, and only then attached to a descriptor of its place: between the
//! check of a path and its use there is nothing that an attacker could exchange.

use crate::inside::Inside;
use crate::{Attributes, Error, Mount, MountOp, Propagation, Result, Root, What, nodes, overlay};
use kernel::{MountAttributes, Strace, mount_setattr};
use nix::mount::{MntFlags, MsFlags, umount2};
use rustix::fs::{AtFlags, CWD, FileType};
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, MoveMountFlags, OpenTreeFlags};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

/// Carries out the steps in order. Afterwards the process is in its new root, and the host's is out of reach.
///
/// On failure the mount namespace is half made: the process must end, and the namespace ends with it.
pub fn apply(steps: &[MountOp]) -> Result<()> {
    let mut inside: Option<Inside> = None;
    for step in steps {
        let missing = || Error::not_safe(Path::new("/"), "the plan uses a root before it mounts one");
        match step {
            MountOp::CutOff(propagation) => cut_off(*propagation)?,
            MountOp::Root { root, rootless } => inside = Some(mount_root(root, *rootless)?),
            MountOp::PivotRoot => inside = Some(pivot_root(inside.as_ref().ok_or_else(missing)?)?),
            step => apply_inside(inside.as_ref().ok_or_else(missing)?, step)?,
        }
    }
    Ok(())
}

fn apply_inside(inside: &Inside, step: &MountOp) -> Result<()> {
    match step {
        MountOp::Mount(mount) => apply_mount(inside, mount),
        MountOp::Node(device) => nodes::make(inside, device),
        MountOp::BindNode(device) => nodes::bind(inside, device),
        MountOp::Symlink { path, target } => nodes::link(inside, path, target),
        MountOp::Mask(path) => mask(inside, path),
        MountOp::ReadOnly(path) => read_only(inside, path),
        MountOp::ReadOnlyRoot => {
            let attributes = MountAttributes {
                set: Attributes::RDONLY,
                ..MountAttributes::default()
            };
            mount_setattr(inside.root(), c"", false, attributes)
                .map_err(|error| Error::call("the read-only root", error))
        }
        MountOp::CutOff(_) | MountOp::Root { .. } | MountOp::PivotRoot => Ok(()),
    }
}

/// From here on nothing that is mounted here is seen by the host.
pub(crate) fn cut_off(propagation: Propagation) -> Result<()> {
    // Shared with the host we would mount the container's root for everybody: the most that is granted is to see the
    // host's later mounts.
    let flag = if propagation.flag == Propagation::PRIVATE {
        MsFlags::MS_PRIVATE
    } else {
        MsFlags::MS_SLAVE
    };
    nix::mount::mount(
        None::<&str>,
        "/",
        None::<&str>,
        flag | MsFlags::MS_REC,
        None::<&str>,
    )
    .strace(|| format!("mount(NULL, \"/\", NULL, {flag:?}|MS_REC, NULL)"))
    .map_err(|error| Error::call("a mount namespace of its own", error))
}

/// Mounts the root somewhere: an overlay over its own upper folder, a folder over itself. pivot_root wants a mount point.
fn mount_root(root: &Root, rootless: bool) -> Result<Inside> {
    let (mount, place) = match root {
        Root::Folder(folder) => (copy_of_mounts(folder, true)?, folder),
        Root::Overlay { lower, upper, work } => (overlay::mount(lower, upper, work, rootless)?, upper),
    };
    rustix::mount::move_mount(&mount, "", CWD, place, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)
        .strace(|| format!("move_mount(root, \"\", AT_FDCWD, {place:?}, MOVE_MOUNT_F_EMPTY_PATH)"))
        .map_err(|error| Error::call(format_args!("the root {}", place.display()), error))?;
    Ok(Inside::new(mount))
}

/// A detached copy of what is mounted at a path of the host, with the mounts below it.
fn copy_of_mounts(path: &Path, recursive: bool) -> Result<OwnedFd> {
    let mut flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    if recursive {
        flags |= OpenTreeFlags::AT_RECURSIVE;
    }
    rustix::mount::open_tree(CWD, path, flags)
        .strace(|| format!("open_tree(AT_FDCWD, {path:?}, {flags:?})"))
        .map_err(|error| Error::call(format_args!("bind source {}", path.display()), error))
}

fn apply_mount(inside: &Inside, mount: &Mount) -> Result<()> {
    let destination = &mount.destination;
    let (tree, place) = match &mount.what {
        What::Symlink { target } => return nodes::link(inside, destination, target),
        What::Remount => return remount(inside, mount),
        What::Filesystem { fstype, source } => {
            let tree = filesystem(fstype, source, mount)?;
            let place = inside.make_folder(destination)?;
            if mount.options.copy_up {
                nodes::copy_up(&place, &tree, destination)?;
            }
            (tree, place)
        }
        What::Bind { source, recursive } => {
            let tree = copy_of_mounts(source, *recursive)?;
            let place = if is_folder(&tree)? {
                inside.make_folder(destination)?
            } else {
                inside.make_file(destination)?
            };
            (tree, place)
        }
    };
    set_attributes(&tree, mount)?;
    attach(&tree, &place, destination)
}

/// A file system of the container's own, not yet attached anywhere.
fn filesystem(fstype: &str, source: &str, mount: &Mount) -> Result<OwnedFd> {
    let purpose = |error| Error::call(format_args!("{fstype} on {}", mount.destination.display()), error);
    let context = rustix::mount::fsopen(fstype, FsOpenFlags::FSOPEN_CLOEXEC);
    let context = context
        .strace(|| format!("fsopen({fstype:?}, FSOPEN_CLOEXEC)"))
        .map_err(purpose)?;
    let call = |key: &str, value: &str| format!("fsconfig(fs, FSCONFIG_SET_STRING, {key:?}, {value:?}, 0)");
    rustix::mount::fsconfig_set_string(&context, "source", source)
        .strace(|| call("source", source))
        .map_err(purpose)?;
    for option in &mount.options.data {
        let result = match option.split_once('=') {
            Some((key, value)) => rustix::mount::fsconfig_set_string(&context, key, value),
            None => rustix::mount::fsconfig_set_flag(&context, option.as_str()),
        };
        result.strace(|| call(option, "")).map_err(purpose)?;
    }
    // A file system that is mounted read-only is so as a whole, not only where it is seen here.
    if mount.options.attributes.set & Attributes::RDONLY != 0 && !mount.options.copy_up {
        rustix::mount::fsconfig_set_flag(&context, "ro")
            .strace(|| call("ro", ""))
            .map_err(purpose)?;
    }
    rustix::mount::fsconfig_create(&context)
        .strace(|| format!("fsconfig({fstype}, FSCONFIG_CMD_CREATE)"))
        .map_err(purpose)?;
    let tree = rustix::mount::fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::empty());
    tree.strace(|| format!("fsmount({fstype}, FSMOUNT_CLOEXEC, 0)"))
        .map_err(purpose)
}

/// Mounts a file system on a folder of the host, as this mount namespace sees it.
pub(crate) fn mount_on_host(mount: &Mount) -> Result<()> {
    let flags = rustix::fs::OFlags::PATH | rustix::fs::OFlags::CLOEXEC;
    let root =
        rustix::fs::open("/", flags, rustix::fs::Mode::empty()).strace(|| "open(\"/\", O_PATH)".into());
    apply_mount(
        &Inside::new(root.map_err(|error| Error::call("/", error))?),
        mount,
    )
}

fn set_attributes(tree: impl AsFd, mount: &Mount) -> Result<()> {
    let purpose = |error| {
        Error::call(
            format_args!("attributes of {}", mount.destination.display()),
            error,
        )
    };
    let propagation = mount.options.propagation.unwrap_or(Propagation::RPRIVATE);
    let of = |Attributes { set, clear }: Attributes, propagation| MountAttributes {
        set,
        clear: clear | atime(set),
        propagation,
    };
    let every = of(
        mount.options.recursive,
        if propagation.recursive {
            propagation.flag
        } else {
            0
        },
    );
    if every != MountAttributes::default() {
        mount_setattr(&tree, c"", true, every).map_err(purpose)?;
    }
    let own = of(
        mount.options.attributes,
        if propagation.recursive {
            0
        } else {
            propagation.flag
        },
    );
    // Clearing what is not set would fail on a locked flag of the host's; the kernel checks only what changes.
    if own != MountAttributes::default() {
        mount_setattr(&tree, c"", false, own).map_err(purpose)
    } else {
        Ok(())
    }
}

/// mount_setattr(2) wants the whole atime field cleared when one of its values is set.
fn atime(set: u64) -> u64 {
    if set & Attributes::ATIME != 0 {
        Attributes::ATIME
    } else {
        0
    }
}

fn remount(inside: &Inside, mount: &Mount) -> Result<()> {
    let place = inside
        .find(&mount.destination)
        .map_err(|error| Error::call(mount.destination.display(), error))?;
    set_attributes(place, mount)
}

/// Attaches a detached tree of mounts to its place.
pub(crate) fn attach(tree: impl AsFd, place: impl AsFd, destination: &Path) -> Result<()> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    rustix::mount::move_mount(&tree, "", &place, "", flags)
        .strace(|| format!("move_mount(tree, \"\", place, \"\", {flags:?})"))
        .map_err(|error| Error::call(format_args!("mount on {}", destination.display()), error))
}

fn is_folder(descriptor: impl AsFd) -> Result<bool> {
    let status = rustix::fs::fstat(&descriptor)
        .strace(|| "fstat(tree)".into())
        .map_err(|error| Error::call("bind source", error))?;
    Ok(FileType::from_raw_mode(status.st_mode) == FileType::Directory)
}

/// Makes the root ours (pivot_root(2), "pivot_root(".", ".")"): the old root lies on the new one for a moment, and is let go.
fn pivot_root(inside: &Inside) -> Result<Inside> {
    let purpose = |error| Error::call("pivot_root", error);
    rustix::process::fchdir(inside.root())
        .strace(|| "fchdir(root)".into())
        .map_err(purpose)?;
    nix::unistd::pivot_root(".", ".")
        .strace(|| "pivot_root(\".\", \".\")".into())
        .map_err(purpose)?;
    umount2(".", MntFlags::MNT_DETACH)
        .strace(|| "umount2(\".\", MNT_DETACH)".into())
        .map_err(purpose)?;
    // Without this the working directory would be the way back (CVE-2024-21626).
    nix::unistd::chdir("/")
        .strace(|| "chdir(\"/\")".into())
        .map_err(purpose)?;
    let flags = rustix::fs::OFlags::PATH | rustix::fs::OFlags::DIRECTORY | rustix::fs::OFlags::CLOEXEC;
    let root = rustix::fs::open("/", flags, rustix::fs::Mode::empty());
    Ok(Inside::new(
        root.strace(|| "open(\"/\", O_PATH|O_DIRECTORY)".into())
            .map_err(purpose)?,
    ))
}

/// Hides a path: a file under /dev/null, a folder under an empty read-only file system. What is absent needs no mask.
fn mask(inside: &Inside, path: &Path) -> Result<()> {
    let Some(place) = there(inside, path)? else {
        return Ok(());
    };
    if is_folder(&place)? {
        let data = vec!["size=0".to_string()];
        let attributes = Attributes {
            set: Attributes::RDONLY,
            clear: 0,
        };
        let options = crate::MountOptions {
            attributes,
            data,
            ..crate::MountOptions::default()
        };
        let empty = Mount {
            destination: path.into(),
            what: What::Remount,
            options,
        };
        let tree = filesystem("tmpfs", "tmpfs", &empty)?;
        set_attributes(&tree, &empty)?;
        return attach(tree, place, path);
    }
    let null = inside
        .find(Path::new("/dev/null"))
        .map_err(|error| Error::call("/dev/null", error))?;
    nodes::check_null(&null)?;
    attach(nodes::copy_of(&null, Path::new("/dev/null"))?, place, path)
}

fn read_only(inside: &Inside, path: &Path) -> Result<()> {
    let Some(place) = there(inside, path)? else {
        return Ok(());
    };
    let tree = nodes::copy_of_tree(&place, path)?;
    let attributes = MountAttributes {
        set: Attributes::RDONLY,
        propagation: Propagation::PRIVATE,
        clear: 0,
    };
    mount_setattr(&tree, c"", true, attributes)
        .map_err(|error| Error::call(format_args!("read-only {}", path.display()), error))?;
    attach(tree, place, path)
}

/// What is at a path, or nothing where the kernel does not have it (a masked file of /proc, say).
fn there(inside: &Inside, path: &Path) -> Result<Option<OwnedFd>> {
    use nix::errno::Errno;
    match inside.find(path) {
        Err(error) if matches!(error.errno(), Errno::ENOENT | Errno::ENOTDIR | Errno::EACCES) => Ok(None),
        result => result
            .map(Some)
            .map_err(|error| Error::call(path.display(), error)),
    }
}

/// Binds a terminal's device over /dev/console, for the process that expects one there.
pub fn bind_console(terminal: &Path) -> Result<()> {
    let flags = rustix::fs::OFlags::PATH | rustix::fs::OFlags::CLOEXEC;
    let root =
        rustix::fs::open("/", flags, rustix::fs::Mode::empty()).strace(|| "open(\"/\", O_PATH)".into());
    let inside = Inside::new(root.map_err(|error| Error::call("/dev/console", error))?);
    let place = inside.make_file(Path::new("/dev/console"))?;
    attach(copy_of_mounts(terminal, false)?, place, Path::new("/dev/console"))
}

/// The mode bits that a descriptor's file has; for those who check what they hold.
pub(crate) fn device_number(descriptor: impl AsFd) -> Result<(FileType, u64)> {
    let status = rustix::fs::statat(&descriptor, "", AtFlags::EMPTY_PATH)
        .strace(|| "fstatat(place, \"\", AT_EMPTY_PATH)".into())
        .map_err(|error| Error::call("a device", error))?;
    Ok((FileType::from_raw_mode(status.st_mode), status.st_rdev))
}
