//! Long tail: the /proc and the /sys that were mounted in a root, by their descriptors.
//!
//! Whoever shares a container's root can rename these folders while the root is made; the mounts stay on what is renamed, and
//! what is looked for by name below them would be looked for in something else: masks would hide nothing (CVE-2019-19921).

use crate::inside::{normal, open_inside};
use kernel::SysError;
use rustix::fs::OFlags;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// Where the kernel's own files are seen.
const PLACES: &[&str] = &["/proc", "/sys"];

/// The mounts at these places, as far as they were made.
#[derive(Debug, Default)]
pub struct KernelTrees(Vec<(PathBuf, OwnedFd)>);

impl KernelTrees {
    /// Keeps what was just mounted, if it was there.
    pub fn keep(&mut self, tree: OwnedFd, destination: &Path) {
        let destination = normal(destination);
        if PLACES.iter().any(|place| destination == Path::new(place)) {
            self.0.retain(|(other, _)| *other != destination);
            self.0.push((destination, tree));
        }
    }

    /// What is at a path below one of them; none: it is below neither.
    pub fn find(&self, path: &Path) -> Option<Result<OwnedFd, SysError>> {
        let path = normal(path);
        let below = |(place, tree): &(PathBuf, OwnedFd)| {
            let rest = path.strip_prefix(place).ok()?;
            let rest = if rest.as_os_str().is_empty() { Path::new(".") } else { rest };
            Some(open_inside(tree, rest, OFlags::PATH))
        };
        self.0.iter().find_map(below)
    }
}
