//! What lies in /dev: device nodes, made or bound from the host; links; and a tmpfs that begins with the image's files.

use crate::apply::{attach, device_number};
use crate::inside::Inside;
use crate::{Device, DeviceKind, Error, Result};
use kernel::Strace;
use nix::errno::Errno;
use rustix::fs::{CWD, FileType, Mode};
use rustix::mount::OpenTreeFlags;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

/// Makes a device node by mknod(2), owned and with the mode that the device says, whatever the umask.
pub fn make(inside: &Inside, device: &Device) -> Result<()> {
    let path = &device.path;
    let purpose = |error| Error::call(format_args!("device {}", path.display()), error);
    let (above, name) = inside.place(path)?;
    let kind = match device.kind {
        DeviceKind::Character => FileType::CharacterDevice,
        DeviceKind::Block => FileType::BlockDevice,
        DeviceKind::Pipe => FileType::Fifo,
    };
    let number = rustix::fs::makedev(device.major as u32, device.minor as u32);
    match rustix::fs::mknodat(&above, name, kind, Mode::from_raw_mode(device.mode), number) {
        Ok(()) => {}
        // The image has a file of this name: what matters is that it is this device.
        Err(rustix::io::Errno::EXIST) if kind != FileType::Fifo => {
            let found = device_number(inside.find(path).map_err(purpose)?)?;
            if found != (kind, number) {
                return Err(Error::not_safe(
                    path,
                    "the image has something else in the place of this device",
                ));
            }
        }
        failed => {
            let call = || {
                format!(
                    "mknodat(above, {name:?}, {kind:?}|{:o}, makedev({}, {}))",
                    device.mode, device.major, device.minor
                )
            };
            failed.strace(call).map_err(purpose)?;
        }
    }
    let mode = Mode::from_raw_mode(device.mode);
    rustix::fs::chmodat(&above, name, mode, rustix::fs::AtFlags::empty())
        .strace(|| format!("fchmodat(above, {name:?})"))
        .map_err(purpose)?;
    if (device.uid, device.gid) == (0, 0) {
        return Ok(());
    }
    let (uid, gid) = (
        rustix::fs::Uid::from_raw(device.uid),
        rustix::fs::Gid::from_raw(device.gid),
    );
    let owner = rustix::fs::chownat(
        &above,
        name,
        Some(uid),
        Some(gid),
        rustix::fs::AtFlags::SYMLINK_NOFOLLOW,
    );
    owner
        .strace(|| format!("fchownat(above, {name:?}, {}, {})", device.uid, device.gid))
        .map_err(purpose)
}

/// Binds the host's node of the same name: an ordinary user may use devices, but not make them.
pub fn bind(inside: &Inside, device: &Device) -> Result<()> {
    let tree = open_tree(CWD, &device.path, OpenTreeFlags::empty(), &device.path)?;
    let place = inside.make_file(&device.path)?;
    attach(tree, place, &device.path)
}

/// Makes a symbolic link, in the place of a file or link that is there; a folder is left as it is.
pub fn link(inside: &Inside, path: &Path, target: &Path) -> Result<()> {
    if target == Path::new("/proc/kcore") && inside.find(target).is_err() {
        return Ok(());
    }
    let (above, name) = inside.place(path)?;
    let make = || rustix::fs::symlinkat(target, &above, name);
    let result = match make() {
        Err(rustix::io::Errno::EXIST) => {
            inside.remove_file(path).ok();
            make()
        }
        result => result,
    };
    match result {
        Ok(()) | Err(rustix::io::Errno::EXIST) => Ok(()),
        failed => failed
            .strace(|| format!("symlinkat({target:?}, above, {name:?})"))
            .map_err(|error| Error::call(format_args!("link {}", path.display()), error)),
    }
}

/// A mask is only as good as what it is made of: /dev/null must be the kernel's (CVE-2025-31133).
pub fn check_null(null: impl AsFd) -> Result<()> {
    let real = (FileType::CharacterDevice, rustix::fs::makedev(1, 3));
    if device_number(null)? == real {
        Ok(())
    } else {
        Err(Error::not_safe(
            Path::new("/dev/null"),
            "this is not the null device",
        ))
    }
}

/// A detached copy of the single mount under a descriptor.
pub fn copy_of(descriptor: impl AsFd, path: &Path) -> Result<OwnedFd> {
    open_tree(descriptor, Path::new(""), OpenTreeFlags::AT_EMPTY_PATH, path)
}

/// A detached copy of the mounts under a descriptor, with those below.
pub fn copy_of_tree(descriptor: impl AsFd, path: &Path) -> Result<OwnedFd> {
    open_tree(
        descriptor,
        Path::new(""),
        OpenTreeFlags::AT_EMPTY_PATH | OpenTreeFlags::AT_RECURSIVE,
        path,
    )
}

fn open_tree(directory: impl AsFd, path: &Path, flags: OpenTreeFlags, purpose: &Path) -> Result<OwnedFd> {
    let flags = flags | OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    rustix::mount::open_tree(&directory, path, flags)
        .strace(|| format!("open_tree(place, {path:?}, {flags:?})"))
        .map_err(|error| Error::call(purpose.display(), error))
}

/// Copies what the image has in the place of a tmpfs into it, before the one covers the other.
pub fn copy_up(place: impl AsFd, tree: impl AsFd, destination: &Path) -> Result<()> {
    let open = |descriptor: &dyn AsFd| std::fs::read_link(format!("/proc/self/fd/{}", number(descriptor)));
    let from = Path::new("/proc/self/fd").join(number(&place));
    let to = Path::new("/proc/self/fd").join(number(&tree));
    let copied = copy_folder(&from, &to);
    let name = || open(&place).unwrap_or_else(|_| destination.to_path_buf());
    copied
        .strace(|| format!("copy of {:?}", name()))
        .map_err(|error| Error::call(format_args!("tmpfs on {}", destination.display()), error))
}

fn number(descriptor: &(impl AsFd + ?Sized)) -> String {
    use std::os::fd::AsRawFd;
    descriptor.as_fd().as_raw_fd().to_string()
}

fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let own = std::fs::metadata(from)?;
    std::fs::set_permissions(to, std::fs::Permissions::from_mode(own.mode() & 0o7777))?;
    chown(to, &own)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let (metadata, target) = (entry.metadata()?, to.join(entry.file_name()));
        if metadata.is_dir() {
            std::fs::create_dir(&target)?;
            copy_folder(&entry.path(), &target)?;
        } else if metadata.is_symlink() {
            std::os::unix::fs::symlink(std::fs::read_link(entry.path())?, &target)?;
            chown(&target, &metadata)?;
        } else if metadata.is_file() {
            std::fs::copy(entry.path(), &target)?;
            chown(&target, &metadata)?;
            std::fs::set_permissions(&target, std::fs::Permissions::from_mode(metadata.mode() & 0o7777))?;
        }
    }
    Ok(())
}

fn chown(path: &Path, like: &std::fs::Metadata) -> std::io::Result<()> {
    use std::os::unix::fs::MetadataExt;
    match std::os::unix::fs::lchown(path, Some(like.uid()), Some(like.gid())) {
        // An ordinary user has one id to give.
        Err(error)
            if error.raw_os_error() == Some(Errno::EPERM as i32)
                || error.raw_os_error() == Some(Errno::EINVAL as i32) =>
        {
            Ok(())
        }
        result => result,
    }
}
