//! The /proc and the /sys that were mounted in a root, by their descriptors.
//!
//! Whoever shares a container's root can rename these folders while the root is made; the mounts stay on what is renamed, and
//! what is looked for by name below them would be looked for in something else: masks would hide nothing (CVE-2019-19921).

use crate::inside::normal;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// Where the kernel's own files are seen.
const PLACES: &[&str] = &["/proc", "/sys"];

/// The mounts at these places, as far as they were made.
#[derive(Debug, Default)]
pub struct KernelTrees(pub(crate) Vec<(PathBuf, OwnedFd)>);

impl KernelTrees {
    /// Keeps what was just mounted, if it was there.
    pub fn keep(&mut self, tree: OwnedFd, destination: &Path) {
        let destination = normal(destination);
        if PLACES.iter().any(|place| destination == Path::new(place)) {
            self.0.retain(|(other, _)| *other != destination);
            self.0.push((destination, tree));
        }
    }
}
