//! Long tail: what may be missing: places that are masked or made read-only where the kernel has them.

use crate::inside::{Inside, normal, open_inside};
use crate::kernels::KernelTrees;
use crate::{Error, Result};
use kernel::SysError;
use nix::errno::Errno;
use rustix::fs::OFlags;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

impl Inside {
    /// What is at a path, or nothing where the kernel has nothing to be seen there.
    pub fn find_if_there(&self, path: &Path) -> Result<Option<OwnedFd>> {
        match self.kernels.find(path).unwrap_or_else(|| self.find(path)) {
            Err(error) if matches!(error.errno(), Errno::ENOENT | Errno::ENOTDIR | Errno::EACCES) => Ok(None),
            found => found.map(Some).map_err(|error| Error::call(path.display(), error)),
        }
    }
}

impl KernelTrees {
    /// What is at a path below one of them; none: it is below neither.
    fn find(&self, path: &Path) -> Option<std::result::Result<OwnedFd, SysError>> {
        let path = normal(path);
        let below = |(place, tree): &(PathBuf, OwnedFd)| {
            let rest = path.strip_prefix(place).ok()?;
            let rest = if rest.as_os_str().is_empty() { Path::new(".") } else { rest };
            Some(open_inside(tree, rest, OFlags::PATH))
        };
        self.0.iter().find_map(below)
    }
}
