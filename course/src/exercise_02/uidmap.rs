//! A folder in which newuidmap and newgidmap are found, though they are nobody's but the checks'.

use crate::checks::group;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

/// The folder. It is removed when this is dropped.
pub struct Helpers(PathBuf);

impl Helpers {
    /// Both are whoever calls them, by another name: so the harness is its own helper, wherever it lies.
    pub fn make() -> io::Result<Helpers> {
        let folder = std::env::temp_dir().join(group::name("helpers"));
        fs::create_dir(&folder)?;
        let helpers = Helpers(folder);
        // The caller may be nobody.
        fs::set_permissions(helpers.folder(), Permissions::from_mode(0o755))?;
        for name in ["newuidmap", "newgidmap"] {
            symlink("/proc/self/exe", helpers.folder().join(name))?;
        }
        Ok(helpers)
    }

    /// For PATH.
    pub fn folder(&self) -> &Path {
        &self.0
    }
}

impl Drop for Helpers {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
