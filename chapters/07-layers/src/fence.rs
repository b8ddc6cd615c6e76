//! Opens folders below a root that nothing in a layer can leave: the kernel resolves every path as if the root were `/`
//! (openat2(2), RESOLVE_IN_ROOT), so that neither `..` nor a link leads out, even one that the layer itself has planted.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::rc::Rc;

use rustix::fs::{AtFlags, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use crate::{Error, Result};

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// A root, and the folder in it that was used last: a tar's entries come folder by folder.
#[derive(Debug)]
pub(crate) struct Fence {
    root: Rc<OwnedFd>,
    last: Option<(Vec<u8>, Rc<OwnedFd>)>,
}

impl Fence {
    /// A fence around `root`.
    pub(crate) fn new(root: &Path) -> Result<Fence> {
        let opened = rustix::fs::open(root, FOLDER, Mode::empty());
        let root = opened.map_err(|e| Error::system(format!("open({root:?}, O_DIRECTORY)"), e))?;
        Ok(Fence { root: Rc::new(root), last: None })
    }

    /// The folder at `path` (relative, no dots); makes what is missing, as Docker does. `path` may lead through links.
    pub(crate) fn folder(&mut self, path: &[u8]) -> Result<Rc<OwnedFd>> {
        if let Some((last, folder)) = &self.last
            && last == path
        {
            return Ok(Rc::clone(folder));
        }
        if path.is_empty() {
            return Ok(Rc::clone(&self.root));
        }
        let folder = match self.open(path) {
            Err(Errno::NOENT) => self.make(path)?,
            opened => opened.map_err(|e| failed("openat2", path, e))?,
        };
        Ok(self.remember(path, folder))
    }

    /// The same, but only if it is there.
    pub(crate) fn existing(&mut self, path: &[u8]) -> Option<Rc<OwnedFd>> {
        match &self.last {
            Some((last, folder)) if last == path => Some(Rc::clone(folder)),
            _ if path.is_empty() => Some(Rc::clone(&self.root)),
            _ => self.open(path).ok().map(|folder| self.remember(path, folder)),
        }
    }

    fn remember(&mut self, path: &[u8], folder: OwnedFd) -> Rc<OwnedFd> {
        let folder = Rc::new(folder);
        self.last = Some((path.to_vec(), Rc::clone(&folder)));
        folder
    }

    /// To be called when something was removed or replaced: the last folder's path may mean another folder now.
    pub(crate) fn forget(&mut self) {
        self.last = None;
    }

    fn open(&self, path: &[u8]) -> rustix::io::Result<OwnedFd> {
        let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        rustix::fs::openat2(&*self.root, path, FOLDER, Mode::empty(), resolve)
    }

    fn make(&self, path: &[u8]) -> Result<OwnedFd> {
        let mut parent = self.root.as_fd().try_clone_to_owned().map_err(|e| Error::system("dup()", e))?;
        let ends = path.iter().enumerate().filter(|(_, b)| **b == b'/').map(|(at, _)| at).chain([path.len()]);
        let mut start = 0;
        for end in ends {
            let name = &path[start..end];
            parent = match self.open(&path[..end]) {
                Err(Errno::NOENT) => {
                    let made = rustix::fs::mkdirat(&parent, name, Mode::from_raw_mode(0o755));
                    made.map_err(|e| failed("mkdirat", &path[..end], e))?;
                    self.open(&path[..end])
                }
                opened => opened,
            }
            .map_err(|e| failed("openat2", &path[..end], e))?;
            start = end + 1;
        }
        Ok(parent)
    }
}

/// Whether `name` in `folder` is itself a folder, no link to one.
pub(crate) fn is_folder(folder: &OwnedFd, name: &[u8]) -> bool {
    let stat = rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW);
    stat.is_ok_and(|stat| rustix::fs::FileType::from_raw_mode(stat.st_mode).is_dir())
}

fn failed(call: &str, path: &[u8], error: Errno) -> Error {
    Error::system(format!("{call}(\"{}\")", String::from_utf8_lossy(path)), error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::{MetadataExt, symlink};

    /// A root with a folder beside it, which nothing may reach.
    fn root_and_outside() -> (tempfile::TempDir, std::path::PathBuf) {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().join("root");
        fs::create_dir_all(root.join("inside")).unwrap();
        fs::create_dir(place.path().join("outside")).unwrap();
        (place, root)
    }

    fn is_same(folder: &OwnedFd, path: &Path) -> bool {
        let path = fs::metadata(path).unwrap();
        rustix::fs::fstat(folder).is_ok_and(|stat| stat.st_ino == path.ino() && stat.st_dev == path.dev())
    }

    #[test]
    fn links_lead_to_where_they_would_from_within_the_root() {
        let (_place, root) = root_and_outside();
        symlink("/inside", root.join("absolute")).unwrap();
        symlink("../../../../inside", root.join("climbing")).unwrap();
        let mut fence = Fence::new(&root).unwrap();
        for path in ["inside", "absolute", "climbing"] {
            assert!(is_same(&fence.folder(path.as_bytes()).unwrap(), &root.join("inside")), "{path}");
        }
    }

    #[test]
    fn what_is_missing_is_made_inside_whatever_leads_out() {
        let (place, root) = root_and_outside();
        symlink(place.path().join("outside"), root.join("out")).unwrap();
        symlink("../outside", root.join("up")).unwrap();
        let mut fence = Fence::new(&root).unwrap();
        // Seen from the root, both links point at what is not there, and a link is not replaced.
        for path in ["out", "out/deeper", "up", "up/deeper"] {
            let error = fence.folder(path.as_bytes()).expect_err(path).to_string();
            assert!(error.starts_with("mkdirat("), "{path}: {error}");
        }
        assert!(fence.existing(b"out").is_none());
        fence.folder(b"a/b/c").unwrap();
        assert!(root.join("a/b/c").is_dir());
        assert_eq!(fs::read_dir(place.path().join("outside")).unwrap().count(), 0);
    }

    #[test]
    fn the_folder_that_was_used_last_is_forgotten_when_told() {
        let (_place, root) = root_and_outside();
        let mut fence = Fence::new(&root).unwrap();
        fence.folder(b"inside").unwrap();
        fs::rename(root.join("inside"), root.join("moved")).unwrap();
        fs::create_dir(root.join("inside")).unwrap();
        fence.forget();
        assert!(is_same(&fence.folder(b"inside").unwrap(), &root.join("inside")));
    }

    #[test]
    fn magic_links_are_not_followed() {
        let mut fence = Fence::new(Path::new("/proc/self")).unwrap();
        assert!(fence.folder(b"cwd").is_err());
        assert!(fence.existing(b"root/etc").is_none());
    }
}
