//! Long tail: masks: a file is hidden under /dev/null, a folder under an empty one.

use crate::inside::Inside;
use crate::{Attributes, Error, Mount, MountOptions, Result, What, labels, trees};
use rustix::fs::FileType;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

/// What masks are made of: found or made for the first, copied for the others.
#[derive(Default)]
pub struct Masks {
    null: Option<OwnedFd>,
    empty: Option<OwnedFd>,
}

impl Masks {
    /// Hides a path. What the kernel does not have needs no mask.
    pub fn mask(&mut self, inside: &Inside, path: &Path) -> Result<()> {
        let Some(place) = inside.find_if_there(path)? else {
            return Ok(());
        };
        if !trees::is_folder(&place)? {
            let null = match &self.null {
                Some(null) => null,
                None => self.null.insert(find_null(inside)?),
            };
            return trees::attach(trees::copy_of(null, path, false)?, place, path);
        }
        match &self.empty {
            Some(empty) => trees::attach(trees::copy_of(empty, path, false)?, place, path),
            None => trees::attach(self.empty.insert(empty_folder(inside, path)?), place, path),
        }
    }
}

/// A mask is only as good as what it is made of: /dev/null must be the kernel's (CVE-2025-31133).
fn find_null(inside: &Inside) -> Result<OwnedFd> {
    let path = Path::new("/dev/null");
    let null = inside.find(path).map_err(|error| Error::call(path.display(), error))?;
    if trees::kind_and_number(null.as_fd())? == (FileType::CharacterDevice, rustix::fs::makedev(1, 3)) {
        Ok(null)
    } else {
        Err(Error::not_safe(path, "this is not the null device"))
    }
}

fn empty_folder(inside: &Inside, path: &Path) -> Result<OwnedFd> {
    let attributes = Attributes { set: Attributes::RDONLY, clear: 0 };
    let what = What::Filesystem { fstype: "tmpfs".into(), source: "tmpfs".into() };
    let options = MountOptions { attributes, ..MountOptions::default() };
    let mount = Mount { destination: path.into(), what, options };
    match &inside.label {
        Some(label) => labels::filesystem("tmpfs", "tmpfs", &mount, label),
        None => trees::filesystem("tmpfs", "tmpfs", &mount),
    }
}
