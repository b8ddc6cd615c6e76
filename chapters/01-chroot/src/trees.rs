//! Detached trees of mounts: made, given their attributes, and attached (fsopen(2), open_tree(2), move_mount(2), Linux 5.2).

use crate::{Attributes, Error, Mount, Result, What};
use kernel::{MountAttributes, Strace, mount_setattr};
use rustix::fs::{AtFlags, CWD, FileType};
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, MoveMountFlags, OpenTreeFlags};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

/// A copy of what is mounted at a path, below `directory` where that is relative, with the mounts below it if `recursive`.
pub fn copy(directory: impl AsFd, path: &Path, recursive: bool) -> Result<OwnedFd> {
    clone_tree(directory, path, OpenTreeFlags::empty(), recursive)
        .map_err(|error| Error::call(format_args!("bind source {}", path.display()), error))
}

/// A copy of what is mounted under a descriptor; `path` says for whom.
pub fn copy_of(descriptor: impl AsFd, path: &Path, recursive: bool) -> Result<OwnedFd> {
    clone_tree(descriptor, Path::new(""), OpenTreeFlags::AT_EMPTY_PATH, recursive)
        .map_err(|error| Error::call(path.display(), error))
}

fn clone_tree(at: impl AsFd, path: &Path, flags: OpenTreeFlags, recursive: bool) -> kernel::Result<OwnedFd> {
    let mut flags = flags | OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    flags.set(OpenTreeFlags::AT_RECURSIVE, recursive);
    rustix::mount::open_tree(&at, path, flags).strace(|| format!("open_tree(at, {path:?}, {flags:?})"))
}

/// A file system of the container's own, not yet attached anywhere.
pub fn filesystem(fstype: &str, source: &str, mount: &Mount) -> Result<OwnedFd> {
    let purpose = |error| Error::call(format_args!("{fstype} on {}", mount.destination.display()), error);
    let mut attributes = mount.options.recursive.then(mount.options.attributes).set;
    if mount.options.copy_up {
        attributes &= !Attributes::RDONLY;
    }
    // A file system that is mounted read-only is so as a whole, not only where it is seen here.
    let flags = if attributes & Attributes::RDONLY != 0 { &["ro"][..] } else { &[] };
    let context = configured(fstype, source, &mount.options.data, flags).map_err(purpose)?;
    let attributes = MountAttrFlags::from_bits_retain(attributes as u32);
    rustix::mount::fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, attributes)
        .strace(|| format!("fsmount({fstype}, FSMOUNT_CLOEXEC, {attributes:?})"))
        .map_err(purpose)
}

/// A file system with its options, ready to be mounted.
fn configured(fstype: &str, source: &str, options: &[String], flags: &[&str]) -> kernel::Result<OwnedFd> {
    let context = rustix::mount::fsopen(fstype, FsOpenFlags::FSOPEN_CLOEXEC)
        .strace(|| format!("fsopen({fstype:?}, FSOPEN_CLOEXEC)"))?;
    let call = |key: &str, value: &str| format!("fsconfig(fs, FSCONFIG_SET_STRING, {key:?}, {value:?}, 0)");
    rustix::mount::fsconfig_set_string(&context, "source", source).strace(|| call("source", source))?;
    for option in options.iter().map(String::as_str).chain(flags.iter().copied()) {
        let result = match option.split_once('=') {
            Some((key, value)) => rustix::mount::fsconfig_set_string(&context, key, value),
            None => rustix::mount::fsconfig_set_flag(&context, option),
        };
        result.strace(|| call(option, ""))?;
    }
    rustix::mount::fsconfig_create(&context).strace(|| format!("fsconfig({fstype}, FSCONFIG_CMD_CREATE)"))?;
    Ok(context)
}

/// Gives a tree the attributes and the propagation of a mount: first those of all, then those of the topmost alone.
pub fn set_attributes(tree: impl AsFd, mount: &Mount) -> Result<()> {
    refuse_data(mount)?;
    let options = &mount.options;
    let propagation = |recursive: bool| {
        let asked = options.propagation.filter(|propagation| propagation.recursive == recursive);
        asked.map_or(0, |propagation| propagation.flag)
    };
    for (recursive, attributes) in [(true, options.recursive), (false, options.attributes)] {
        let Attributes { set, clear } = attributes;
        // The three kinds of atime are values of one field, which must be cleared to be set.
        let atime = if set & Attributes::ATIME != 0 { Attributes::ATIME } else { 0 };
        let attributes = MountAttributes { set, clear: clear | atime, propagation: propagation(recursive) };
        if attributes != MountAttributes::default() {
            let purpose = || format!("attributes of {}", mount.destination.display());
            mount_setattr(&tree, c"", recursive, attributes)
                .map_err(|error| Error::call(purpose(), error))?;
        }
    }
    Ok(())
}

fn refuse_data(mount: &Mount) -> Result<()> {
    if let (What::Bind { .. } | What::Remount, Some(option)) = (&mount.what, mount.options.data.first()) {
        let why = format!("the mount option {option:?} belongs to a file system, and none is made here");
        return Err(Error::not_safe(&mount.destination, why));
    }
    Ok(())
}

/// Attaches a tree to its place.
pub fn attach(tree: impl AsFd, place: impl AsFd, destination: &Path) -> Result<()> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    rustix::mount::move_mount(&tree, "", &place, "", flags)
        .strace(|| format!("move_mount(tree, \"\", place, \"\", {flags:?})"))
        .map_err(|error| Error::call(format_args!("mount on {}", destination.display()), error))
}

/// Attaches a tree to a folder of the host, as this mount namespace sees it.
pub fn attach_on_host(tree: impl AsFd, folder: &Path) -> Result<()> {
    rustix::mount::move_mount(&tree, "", CWD, folder, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)
        .strace(|| format!("move_mount(root, \"\", AT_FDCWD, {folder:?}, MOVE_MOUNT_F_EMPTY_PATH)"))
        .map_err(|error| Error::call(format_args!("the root {}", folder.display()), error))
}

/// Whether a descriptor is one of a folder.
pub fn is_folder(descriptor: impl AsFd) -> Result<bool> {
    Ok(kind_and_number(descriptor)?.0 == FileType::Directory)
}

/// What sort of file a descriptor is one of, and of which device if it is one.
pub fn kind_and_number(descriptor: impl AsFd) -> Result<(FileType, u64)> {
    let status = rustix::fs::statat(&descriptor, "", AtFlags::EMPTY_PATH)
        .strace(|| "fstatat(file, \"\", AT_EMPTY_PATH)".into())
        .map_err(|error| Error::call("a file", error))?;
    Ok((FileType::from_raw_mode(status.st_mode), status.st_rdev))
}
