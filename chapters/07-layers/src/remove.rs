//! Removes a tree, however deep and whatever its modes, without ever following a link.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, Dir, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

/// Removes `name` in `parent`, with all that is below. It holds three descriptors at a time at most: folders within folders are
/// first moved up to the top. As an ordinary user it opens its own folders that have no write permission.
pub(crate) fn remove_tree(parent: BorrowedFd<'_>, name: &[u8]) -> rustix::io::Result<()> {
    if remove_one(parent, name)? {
        return Ok(());
    }
    let top = open_folder(parent, name)?;
    let mut moved = 0;
    loop {
        let names = names(&top)?;
        if names.is_empty() {
            return rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR);
        }
        for child in names {
            if !remove_one(top.as_fd(), &child)? {
                hoist(&top, &child, &mut moved)?;
            }
        }
    }
}

/// Empties a folder by moving what cannot be removed at once to `top`; then removes it.
fn hoist(top: &OwnedFd, name: &[u8], moved: &mut u64) -> rustix::io::Result<()> {
    let folder = open_folder(top.as_fd(), name)?;
    for child in names(&folder)? {
        if remove_one(folder.as_fd(), &child)? {
            continue;
        }
        // Moving a folder writes its `..`, so that it must be writable.
        open_folder(folder.as_fd(), &child)?;
        loop {
            *moved += 1;
            let place = format!(".removed-{moved}");
            match rustix::fs::renameat_with(&folder, &child[..], top, place, RenameFlags::NOREPLACE) {
                Err(Errno::EXIST) => continue,
                done => break done?,
            }
        }
    }
    rustix::fs::unlinkat(top, name, AtFlags::REMOVEDIR)
}

/// Removes a file or an empty folder; false for a folder that has something in it.
fn remove_one(parent: BorrowedFd<'_>, name: &[u8]) -> rustix::io::Result<bool> {
    match rustix::fs::unlinkat(parent, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => return Ok(true),
        Err(Errno::ISDIR) => (),
        Err(other) => return Err(other),
    }
    match rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR) {
        Ok(()) => Ok(true),
        Err(Errno::NOTEMPTY | Errno::EXIST) => Ok(false),
        Err(other) => Err(other),
    }
}

fn open_folder(parent: BorrowedFd<'_>, name: &[u8]) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    if !rustix::process::geteuid().is_root() {
        rustix::fs::chmodat(parent, name, Mode::RWXU, AtFlags::empty())?;
    }
    rustix::fs::openat(parent, name, flags, Mode::empty())
}

fn names(folder: &OwnedFd) -> rustix::io::Result<Vec<Vec<u8>>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(folder)? {
        let name = entry?.file_name().to_bytes().to_vec();
        if name != b"." && name != b".." {
            names.push(name);
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn removes_what_is_deep_and_leaves_what_links_point_to() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("kept"), "").unwrap();
        let mut deep = dir.path().join("tree");
        for level in 0..300 {
            fs::create_dir(&deep).unwrap();
            fs::write(deep.join("file"), "").unwrap();
            std::os::unix::fs::symlink(dir.path(), deep.join("link")).unwrap();
            deep = deep.join(if level % 2 == 0 { ".removed-1" } else { "a" });
        }
        let parent = fs::File::open(dir.path()).unwrap();
        remove_tree(parent.as_fd(), b"tree").unwrap();
        remove_tree(parent.as_fd(), b"nothing there").unwrap();
        let left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(left, ["kept"]);
    }
}
