//! Paths inside a root, with the root as a fence: no link, no `..`, no race leads out of it.
//!
//! Every path is resolved by openat2(2) with `RESOLVE_IN_ROOT`, which the kernel holds to even while an attacker exchanges
//! folders for links (CVE-2021-30465), and `RESOLVE_NO_MAGICLINKS`, so that no link of /proc leads elsewhere.

use crate::kernels::KernelTrees;
use crate::{Error, Result};
use kernel::{Strace, SysError};
use nix::errno::Errno;
use rustix::fs::{Mode, OFlags, ResolveFlags};
use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Component, Path, PathBuf};

/// A root folder, and what can be found and made below it.
#[derive(Debug)]
pub struct Inside {
    root: OwnedFd,
    pub(crate) kernels: KernelTrees,
    pub(crate) label: Option<String>,
}

/// Opens a path below `root` as openat2(2) with `RESOLVE_IN_ROOT`: links are followed as if `root` were `/`.
pub fn open_inside(root: impl AsFd, path: &Path, flags: OFlags) -> std::result::Result<OwnedFd, SysError> {
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    // EAGAIN: the kernel saw a rename or a mount race by; a few tries settle it (openat2(2)).
    let mut tries = 0;
    loop {
        match rustix::fs::openat2(&root, path, flags | OFlags::CLOEXEC, Mode::empty(), resolve) {
            Err(rustix::io::Errno::AGAIN) if tries < 64 => tries += 1,
            result => {
                return result.strace(|| format!("openat2(root, {path:?}, {flags:?}, RESOLVE_IN_ROOT)"));
            }
        }
    }
}

impl Inside {
    /// Takes a root by its descriptor.
    pub fn new(root: OwnedFd) -> Inside {
        Inside { root, kernels: KernelTrees::default(), label: None }
    }

    /// The root itself.
    pub fn root(&self) -> BorrowedFd<'_> {
        self.root.as_fd()
    }

    /// What is at a path, as a descriptor that names the place and reads nothing.
    pub fn find(&self, path: &Path) -> std::result::Result<OwnedFd, SysError> {
        open_inside(&self.root, path, OFlags::PATH)
    }

    /// The folder at a path; it and the folders above it are made if they are missing.
    pub fn make_folder(&self, path: &Path) -> Result<OwnedFd> {
        let path = &normal(path);
        match self.find(path) {
            Err(error) if error.errno() == Errno::ENOENT => self.make_folders(&self.resolved(path)?),
            found => found.map_err(|error| Error::call(path.display(), error)),
        }
    }

    /// The file at a path; an empty one is made if it is missing.
    pub fn make_file(&self, path: &Path) -> Result<OwnedFd> {
        let path = &normal(path);
        match self.find(path) {
            Err(error) if error.errno() == Errno::ENOENT => self.create_file(&self.resolved(path)?),
            found => found.map_err(|error| Error::call(path.display(), error)),
        }
    }

    /// Makes an empty file at a path without links.
    fn create_file(&self, path: &Path) -> Result<OwnedFd> {
        let purpose = |error| Error::call(path.display(), error);
        let name = last_name(path)?;
        let above = self.make_folders(path.parent().unwrap_or(path))?;
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::WRONLY | OFlags::CLOEXEC;
        match rustix::fs::openat(&above, name, flags, Mode::from_raw_mode(0o755)) {
            Err(rustix::io::Errno::EXIST) => {}
            made => {
                drop(made.strace(|| format!("openat(above, {name:?}, {flags:?}, 0755)")).map_err(purpose)?)
            }
        }
        open_plain(&above, name, OFlags::empty()).map_err(purpose)
    }

    /// Makes the folders of a path without links, one below the other.
    fn make_folders(&self, path: &Path) -> Result<OwnedFd> {
        let purpose = |error| Error::call(path.display(), error);
        let mut folder = self.find(Path::new("/")).map_err(purpose)?;
        for name in path.iter().skip(1) {
            match rustix::fs::mkdirat(&folder, name, Mode::from_raw_mode(0o755)) {
                // It was there; or another container that shares the volume has made it meanwhile.
                Err(rustix::io::Errno::EXIST) => {}
                made => made.strace(|| format!("mkdirat(above, {name:?}, 0755)")).map_err(purpose)?,
            }
            folder = open_plain(&folder, name, OFlags::DIRECTORY).map_err(purpose)?;
        }
        Ok(folder)
    }

    /// The folder above a path, made if it is missing, and the path's last name.
    pub fn place<'a>(&self, path: &'a Path) -> Result<(OwnedFd, &'a OsStr)> {
        let above = path.parent().unwrap_or(Path::new("/"));
        Ok((self.make_folder(above)?, last_name(path)?))
    }
}

fn last_name(path: &Path) -> Result<&OsStr> {
    path.file_name().ok_or_else(|| Error::not_safe(path, "this path names no file"))
}

/// What is at a name of a folder, itself and not where it leads.
fn open_plain(above: impl AsFd, name: &OsStr, flags: OFlags) -> std::result::Result<OwnedFd, SysError> {
    let flags = flags | OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(above, name, flags, Mode::empty())
        .strace(|| format!("openat(above, {name:?}, {flags:?})"))
}

/// The path without `.` and `..`: an absolute one in which each part is a name.
pub(crate) fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::from("/");
    for component in path.components() {
        match component {
            Component::Normal(name) => normal.push(name),
            Component::ParentDir => drop(normal.pop()),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(name: &str) -> (PathBuf, Inside) {
        let folder = std::env::temp_dir().join(format!("inside-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir(&folder).unwrap();
        let inside = Inside::new(std::fs::File::open(&folder).unwrap().into());
        (folder, inside)
    }

    #[test]
    fn links_and_dots_stay_inside() {
        let (folder, inside) = root("links");
        std::os::unix::fs::symlink("/", folder.join("out")).unwrap();
        std::os::unix::fs::symlink("../../../..", folder.join("up")).unwrap();
        for path in ["/out/made", "/up/made2", "/../../made3"] {
            inside.make_folder(Path::new(path)).unwrap();
        }
        for name in ["made", "made2", "made3"] {
            assert!(folder.join(name).is_dir() && !Path::new("/").join(name).exists(), "{name}");
        }
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn links_to_what_is_missing_are_followed() {
        let (folder, inside) = root("missing");
        std::fs::create_dir(folder.join("etc")).unwrap();
        std::os::unix::fs::symlink("../run/stub.conf", folder.join("etc/resolv.conf")).unwrap();
        std::os::unix::fs::symlink("/a/../../b", folder.join("link")).unwrap();
        std::os::unix::fs::symlink("loop", folder.join("loop")).unwrap();
        inside.make_file(Path::new("/etc/resolv.conf")).unwrap();
        inside.make_folder(Path::new("/link/folder")).unwrap();
        assert!(folder.join("run/stub.conf").is_file() && folder.join("b/folder").is_dir());
        assert_eq!(inside.make_file(Path::new("/loop")).unwrap_err().kind(), crate::ErrorKind::Unsafe);
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_file_is_made_once() {
        let (folder, inside) = root("file");
        inside.make_file(Path::new("/etc/hosts")).unwrap();
        std::fs::write(folder.join("etc/hosts"), "kept").unwrap();
        inside.make_file(Path::new("/etc/hosts")).unwrap();
        assert_eq!(std::fs::read_to_string(folder.join("etc/hosts")).unwrap(), "kept");
        std::fs::remove_dir_all(folder).unwrap();
    }
}
