//! Long tail: what lies in /dev: device nodes, made or bound from the host; links; and a tmpfs that begins with the image's files.

use crate::inside::Inside;
use crate::{Device, DeviceKind, Error, Result, trees};
use kernel::Strace;
use nix::errno::Errno;
use rustix::fs::{AtFlags, CWD, FileType, Gid, Mode, Uid};
use std::os::fd::AsFd;
use std::path::Path;

/// What a device's node is: the sort of file, and the number.
fn kind_and_number(device: &Device) -> (FileType, u64) {
    let kind = match device.kind {
        DeviceKind::Character => FileType::CharacterDevice,
        DeviceKind::Block => FileType::BlockDevice,
        DeviceKind::Pipe => return (FileType::Fifo, 0),
    };
    (kind, rustix::fs::makedev(device.major as u32, device.minor as u32))
}

/// Makes a device node by mknod(2), with the owner and the mode that the device says.
///
/// What the image has in its place is left as it is, if it is this device: by a link it might be a file of the host's that is
/// given away otherwise.
pub fn make(inside: &Inside, device: &Device) -> Result<()> {
    let path = &device.path;
    let purpose = |error| Error::call(format_args!("device {}", path.display()), error);
    let (above, name) = inside.place(path)?;
    let (kind, number) = kind_and_number(device);
    match rustix::fs::mknodat(&above, name, kind, Mode::from_raw_mode(device.mode), number) {
        Err(rustix::io::Errno::EXIST) => {
            let found = trees::kind_and_number(inside.find(path).map_err(purpose)?)?;
            if found == (kind, number) {
                return Ok(());
            }
            return Err(Error::not_safe(path, "the image has something else in the place of this device"));
        }
        made => made
            .strace(|| format!("mknodat(above, {name:?}, {kind:?}|{:o}, {number:#x})", device.mode))
            .map_err(purpose)?,
    }
    if (device.uid, device.gid) == (0, 0) {
        return Ok(());
    }
    let (uid, gid) = (Uid::from_raw(device.uid), Gid::from_raw(device.gid));
    rustix::fs::chownat(&above, name, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW)
        .strace(|| format!("fchownat(above, {name:?}, {}, {}, AT_SYMLINK_NOFOLLOW)", device.uid, device.gid))
        .map_err(purpose)
}

/// Binds the host's node of the same name: an ordinary user may use devices, but not make them.
pub fn bind(inside: &Inside, device: &Device) -> Result<()> {
    let path = &device.path;
    let tree = trees::copy(CWD, path, false)?;
    if trees::kind_and_number(&tree)? != kind_and_number(device) {
        return Err(Error::not_safe(
            path,
            "the host has another device of this name, and only root may make one",
        ));
    }
    trees::attach(tree, inside.make_file(path)?, path)
}

/// Makes a symbolic link, in the place of a file or link that is there; a folder is left as it is.
pub fn link(inside: &Inside, path: &Path, target: &Path) -> Result<()> {
    if target == Path::new("/proc/kcore") && inside.find(target).is_err() {
        return Ok(());
    }
    let (above, name) = inside.place(path)?;
    let make = || rustix::fs::symlinkat(target, &above, name);
    let made = match make() {
        Err(rustix::io::Errno::EXIST) => {
            // What cannot be removed (a folder, what is mounted there) stays.
            let _ = rustix::fs::unlinkat(&above, name, AtFlags::empty());
            make()
        }
        made => made,
    };
    match made {
        Ok(()) | Err(rustix::io::Errno::EXIST) => Ok(()),
        failed => failed
            .strace(|| format!("symlinkat({target:?}, above, {name:?})"))
            .map_err(|error| Error::call(format_args!("link {}", path.display()), error)),
    }
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
