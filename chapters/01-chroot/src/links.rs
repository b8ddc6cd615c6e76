//! Links that images bring, to what is not there yet, or in the place of what may not be one.

use crate::inside::{Inside, normal, open_inside};
use crate::{Error, Result};
use kernel::Strace;
use rustix::fs::{Mode, OFlags, ResolveFlags};
use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// Links that are followed in one path, as many as the kernel follows (path_resolution(7)).
const LINKS_MAX: usize = 40;

impl Inside {
    /// The folder at a path to which no link leads, made if it is missing: what goes onto a link of the image's would be
    /// somewhere else than everybody believes (CVE-2019-19921).
    pub fn make_plain_folder(&self, path: &Path) -> Result<OwnedFd> {
        drop(self.make_folder(path)?);
        let path = &normal(path);
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        let below = path.strip_prefix("/").unwrap_or(path);
        match rustix::fs::openat2(self.root(), below, flags, Mode::empty(), resolve) {
            Err(rustix::io::Errno::LOOP | rustix::io::Errno::NOTDIR) => {
                Err(Error::not_safe(path, "must be mounted on ordinary directory: no link may lead there"))
            }
            found => found
                .strace(|| format!("openat2(root, {below:?}, RESOLVE_NO_SYMLINKS)"))
                .map_err(|error| Error::call(path.display(), error)),
        }
    }

    /// The path with every link of the image followed, also one to what is not there yet: `/etc/resolv.conf` often is such.
    /// Whatever is exchanged meanwhile, [`Inside::make_folders`] follows no link and so stays below the root.
    pub(crate) fn resolved(&self, path: &Path) -> Result<PathBuf> {
        let parts = |path: &Path| path.iter().rev().map(OsString::from).collect::<Vec<_>>();
        let (mut done, mut left, mut links) = (PathBuf::from("/"), parts(path), 0);
        while let Some(part) = left.pop() {
            match part.as_bytes() {
                b"/" => done = PathBuf::from("/"),
                b"." => {}
                b".." => drop(done.pop()),
                _ => match self.read_link(&done.join(&part)) {
                    Some(_) if links == LINKS_MAX => return Err(Error::not_safe(path, "too many links")),
                    Some(target) => {
                        links += 1;
                        left.extend(parts(&target));
                    }
                    None => done.push(part),
                },
            }
        }
        Ok(done)
    }

    /// What a link says, if there is one.
    fn read_link(&self, path: &Path) -> Option<PathBuf> {
        let link = open_inside(self.root(), path, OFlags::PATH | OFlags::NOFOLLOW).ok()?;
        let target = rustix::fs::readlinkat(&link, "", Vec::new()).ok()?;
        Some(PathBuf::from(OsString::from_vec(target.into_bytes())))
    }
}
