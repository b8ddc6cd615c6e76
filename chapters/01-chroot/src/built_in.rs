//! Stage: a root file system made offline: this very executable as `/hello`, and busybox where there is one.

use crate::{Attributes, Error, Mount, MountOptions, Propagation, Result, What};
use kernel::Strace;
use std::ffi::OsString;
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

/// Where Debian, and most others, put a statically linked busybox.
const BUSYBOX: &[&str] = &["/bin/busybox", "/usr/bin/busybox", "/usr/lib/initcpio/busybox"];

/// The commands that a reader will want to type.
const APPLETS: &[&str] = &[
    "cat", "chmod", "cp", "df", "echo", "env", "grep", "head", "hostname", "id", "ifconfig", "ip", "kill",
    "ln", "ls", "mkdir", "mknod", "mount", "nc", "ping", "ps", "pwd", "rm", "seq", "sh", "sleep", "stat",
    "tail", "touch", "true", "umount", "uname", "vi", "wc", "wget", "yes",
];

/// The built-in root file system in memory, for a process in a mount namespace of its own: it goes away with the namespace.
pub fn built_in_root() -> Result<PathBuf> {
    crate::apply::cut_off(Propagation::RPRIVATE)?;
    let what = What::Filesystem { fstype: "tmpfs".into(), source: "rootfs".into() };
    let attributes = Attributes { set: Attributes::NOSUID | Attributes::NODEV, clear: 0 };
    let options = MountOptions { attributes, data: vec!["mode=755".into()], ..MountOptions::default() };
    crate::from_within::mount_on_host(&Mount { destination: "/tmp".into(), what, options })?;
    let folder = PathBuf::from("/tmp/rootfs");
    built_in_rootfs(&folder)
        .strace(|| format!("files of {folder:?}"))
        .map_err(|error| Error::call("the built-in root", error))?;
    Ok(folder)
}

/// What a chapter's binary is told: `[ROOTFS] [COMMAND [ARGUMENT…]]`. The first word is a root file system if it is a folder;
/// without a command it is `/hello`.
pub fn root_and_command(words: &[OsString]) -> (Option<PathBuf>, Vec<OsString>) {
    let is_folder = words.first().is_some_and(|word| Path::new(word).is_dir());
    let (root, command) = words.split_at(usize::from(is_folder));
    let root = root.first().map(|word| std::path::absolute(word).unwrap_or_else(|_| word.into()));
    let command = if command.is_empty() { vec!["/hello".into()] } else { command.to_vec() };
    (root, command)
}

/// Fills an absent or empty folder with a root file system.
///
/// Errors: `AlreadyExists` for a folder that is not empty, and whatever making files gives.
pub fn built_in_rootfs(directory: &Path) -> io::Result<()> {
    if std::fs::read_dir(directory).is_ok_and(|mut entries| entries.next().is_some()) {
        let message = format!("{} is not empty: name a folder that is absent or empty", directory.display());
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, message));
    }
    for (folder, mode) in [
        ("", 0o755),
        ("bin", 0o755),
        ("dev", 0o755),
        ("etc", 0o755),
        ("proc", 0o755),
        ("root", 0o700),
        ("sys", 0o755),
        ("tmp", 0o1777),
    ] {
        let path = directory.join(folder);
        std::fs::create_dir_all(&path)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode))?;
    }
    std::fs::copy("/proc/self/exe", directory.join("hello"))?;
    std::fs::write(directory.join("etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n")?;
    std::fs::write(directory.join("etc/group"), "root:x:0:\n")?;
    match BUSYBOX.iter().find(|path| is_static(Path::new(path))) {
        Some(busybox) => add_busybox(Path::new(busybox), directory),
        None => Ok(()),
    }
}

fn add_busybox(busybox: &Path, directory: &Path) -> io::Result<()> {
    std::fs::copy(busybox, directory.join("bin/busybox"))?;
    APPLETS.iter().try_for_each(|applet| symlink("busybox", directory.join("bin").join(applet)))
}

/// Whether it runs without a dynamic loader, which the new root does not have: no program header of type PT_INTERP.
fn is_static(program: &Path) -> bool {
    const PT_INTERP: u32 = 3;
    let Ok(bytes) = std::fs::read(program) else {
        return false;
    };
    let number = |at: usize, length: usize| {
        bytes
            .get(at..at + length)
            .map_or(0, |slice| slice.iter().rev().fold(0, |sum, byte| sum << 8 | *byte as usize))
    };
    // elf(5), 64 bits, little endian: e_phoff at 32, e_phentsize at 54, e_phnum at 56.
    let (offset, size, count) = (number(32, 8), number(54, 2), number(56, 2));
    bytes.starts_with(b"\x7fELF\x02\x01")
        && (0..count).all(|header| number(offset + header * size, 4) != PT_INTERP as usize)
}
