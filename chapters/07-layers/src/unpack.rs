//! Unpacks a layer into a folder, in the form in which overlayfs stacks it.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::rc::Rc;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, XattrFlags, makedev};
use rustix::io::Errno;

use crate::attributes::{self, Ownership};
use crate::entry::{Attributes, Entry, Kind};
use crate::fence::{self, Fence};
use crate::members::Members;
use crate::remove::remove_tree;
use crate::sparse::Sparse;
use crate::{Error, Result};

/// Unpacks a plain tar into an existing folder; returns the bytes of its files, as Docker counts an image's size.
///
/// Nothing is ever written outside of `dir`. Whiteouts become those of overlayfs: a character device 0:0, and an attribute of an
/// opaque folder. An error names the entry, and leaves what was unpacked before it. `rootless`: see `attributes`.
pub fn unpack(tar: impl Read, dir: &Path, rootless: bool) -> Result<u64> {
    unpack_buffered(BufReader::with_capacity(1 << 17, tar), dir, Ownership::of(rootless))
}

/// The same, on a stream that has a buffer of its own. Reads it to its end.
pub(crate) fn unpack_buffered(tar: impl BufRead, dir: &Path, ownership: Ownership) -> Result<u64> {
    let mut members = Members::new(tar);
    let mut unpacking = Unpacking { fence: Fence::new(dir)?, ownership, folders: Vec::new() };
    let mut size = 0;
    while let Some(member) = members.next()? {
        let entry = Entry::read(&member)?;
        if let Kind::File { size: of_file, .. } = entry.kind {
            size += of_file;
        }
        unpacking.make(&entry, &mut members).map_err(|e| named(&entry, e))?;
    }
    members.drain()?;
    unpacking.finish()?;
    Ok(size)
}

struct Unpacking {
    fence: Fence,
    ownership: Ownership,
    /// Modes and times of folders wait until nothing more is made in them.
    folders: Vec<(Vec<u8>, Vec<u8>, Attributes)>,
}

impl Unpacking {
    fn make<R: BufRead>(&mut self, entry: &Entry, content: &mut Members<R>) -> Result<()> {
        let name = if entry.name.is_empty() { b"." } else { &entry.name[..] };
        let folder = match entry.kind {
            Kind::Nothing => return Ok(()),
            _ => self.fence.folder(&entry.folder)?,
        };
        match &entry.kind {
            Kind::Nothing => (),
            Kind::Folder => self.make_folder(&folder, name, entry)?,
            Kind::File { size, sparse } => {
                let mut file = self.make_file(&folder, name)?;
                match sparse {
                    Some(sparse) => copy_pieces(content, &mut file, sparse)?,
                    None => copy(content, &mut file, *size)?,
                }
                attributes::set_on_file(file.as_fd(), &entry.attributes, self.ownership)?;
            }
            Kind::Symlink { target } => {
                self.replacing(&folder, name, |f| rustix::fs::symlinkat(&target[..], f, name), "symlinkat")?;
                attributes::set_owner(&folder, name, &entry.attributes, self.ownership)?;
                attributes::set_time(&folder, name, &entry.attributes)?;
            }
            // A further name of the same file, whose attributes came with its first name.
            Kind::HardLink { folder: from, name: old } => self.make_hard_link(&folder, name, from, old)?,
            Kind::CharDevice { major, minor } => {
                self.make_node(&folder, name, FileType::CharacterDevice, *major, *minor, entry)?
            }
            Kind::BlockDevice { major, minor } => {
                self.make_node(&folder, name, FileType::BlockDevice, *major, *minor, entry)?
            }
            Kind::Fifo => self.make_node(&folder, name, FileType::Fifo, 0, 0, entry)?,
            Kind::Whiteout => self.make_whiteout(&folder, name)?,
            Kind::Opaque => attributes::make_opaque(&folder, b".", self.ownership)?,
        }
        Ok(())
    }

    /// Runs `make`; if something has that name already, removes it and runs `make` again: the later entry counts.
    fn replacing<T>(
        &mut self,
        folder: &OwnedFd,
        name: &[u8],
        make: impl Fn(&OwnedFd) -> rustix::io::Result<T>,
        call: &str,
    ) -> Result<T> {
        let made = match make(folder) {
            Err(Errno::EXIST) => {
                remove_tree(folder.as_fd(), name).map_err(|e| Error::system("unlinkat()", e))?;
                self.fence.forget();
                make(folder)
            }
            made => made,
        };
        made.map_err(|e| Error::system(format!("{call}()"), e))
    }

    fn make_folder(&mut self, folder: &Rc<OwnedFd>, name: &[u8], entry: &Entry) -> Result<()> {
        // One that is there is kept with its content, as Docker does; a link to one is not.
        if name != b"." && !fence::is_folder(folder, name) {
            let hides = is_whiteout(folder, name);
            self.replacing(folder, name, |f| rustix::fs::mkdirat(f, name, Mode::RWXU), "mkdirat")?;
            if hides {
                // Below is nothing of it any more, but this layer begins it anew.
                attributes::make_opaque(folder, name, self.ownership)?;
            }
        }
        attributes::set_owner(folder, name, &entry.attributes, self.ownership)?;
        self.folders.push((entry.folder.clone(), name.to_vec(), entry.attributes.clone()));
        Ok(())
    }

    fn make_file(&mut self, folder: &OwnedFd, name: &[u8]) -> Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let open = |f: &OwnedFd| rustix::fs::openat(f, name, flags, Mode::RUSR | Mode::WUSR);
        Ok(File::from(self.replacing(folder, name, open, "openat")?))
    }

    fn make_hard_link(&mut self, folder: &Rc<OwnedFd>, name: &[u8], from: &[u8], old: &[u8]) -> Result<()> {
        let from = self.fence.folder(from)?;
        // A link to itself would remove what it links to.
        let place = |f: &OwnedFd, n: &[u8]| {
            rustix::fs::statat(f, n, AtFlags::SYMLINK_NOFOLLOW).map(|s| (s.st_dev, s.st_ino))
        };
        if place(&from, old).is_ok_and(|file| place(folder, name) == Ok(file)) {
            return Ok(());
        }
        let shown = String::from_utf8_lossy(old).into_owned();
        self.replacing(folder, name, |f| rustix::fs::linkat(&*from, old, f, name, AtFlags::empty()), "linkat")
            .map_err(|e| Error::new(e.kind(), format!("hard link to {shown:?}: {e}")))
    }

    fn make_node(
        &mut self,
        folder: &OwnedFd,
        name: &[u8],
        kind: FileType,
        major: u32,
        minor: u32,
        entry: &Entry,
    ) -> Result<()> {
        if self.ownership != Ownership::True && kind != FileType::Fifo {
            return self.make_placeholder(folder, name, kind, (major, minor), entry);
        }
        let device = makedev(major, minor);
        self.replacing(folder, name, |f| rustix::fs::mknodat(f, name, kind, Mode::RUSR, device), "mknodat")?;
        attributes::set_owner(folder, name, &entry.attributes, self.ownership)?;
        attributes::set_mode_and_time(folder, name, &entry.attributes)
    }

    /// Nobody but root of the machine can make a device: an empty file takes its place and remembers what it stands for.
    fn make_placeholder(
        &mut self,
        folder: &OwnedFd,
        name: &[u8],
        kind: FileType,
        (major, minor): (u32, u32),
        entry: &Entry,
    ) -> Result<()> {
        let file = self.make_file(folder, name)?;
        let letter = if kind == FileType::BlockDevice { 'b' } else { 'c' };
        let value = format!("{letter} {major}:{minor}");
        match rustix::fs::fsetxattr(&file, "user.coracle.device", value.as_bytes(), XattrFlags::empty()) {
            Ok(()) | Err(Errno::OPNOTSUPP) => (),
            Err(e) => return Err(Error::system("fsetxattr(user.coracle.device)", e)),
        }
        attributes::set_on_file(file.as_fd(), &entry.attributes, self.ownership)
    }

    /// A whiteout hides what is below this layer, never what this layer has (OCI image spec, `layer.md`, "Whiteouts").
    fn make_whiteout(&mut self, folder: &OwnedFd, name: &[u8]) -> Result<()> {
        let mode = Mode::empty();
        match rustix::fs::mknodat(folder, name, FileType::CharacterDevice, mode, makedev(0, 0)) {
            Err(Errno::EXIST) if fence::is_folder(folder, name) => {
                attributes::make_opaque(folder, name, self.ownership)
            }
            Err(Errno::EXIST) => Ok(()),
            made => made.map_err(|e| Error::system("mknodat(S_IFCHR, 0:0)", e)),
        }
    }

    fn finish(mut self) -> Result<()> {
        // Backwards: what an ordinary user closes, closes after everything below it.
        for (folder, name, attributes) in std::mem::take(&mut self.folders).iter().rev() {
            // A later entry may have replaced the folder, even by a link.
            if let Some(parent) = self.fence.existing(folder)
                && fence::is_folder(&parent, name)
            {
                attributes::set_mode_and_time(&parent, name, attributes)?;
            }
        }
        Ok(())
    }
}

fn is_whiteout(folder: &OwnedFd, name: &[u8]) -> bool {
    let stat = rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW);
    stat.is_ok_and(|s| FileType::from_raw_mode(s.st_mode) == FileType::CharacterDevice && s.st_rdev == 0)
}

/// From the stream's buffer straight into the file.
fn copy<R: BufRead>(content: &mut Members<R>, file: &mut File, size: u64) -> Result<()> {
    let mut rest = size;
    while rest > 0 {
        let buffer = content.fill_buf()?;
        let there = buffer.len().min(rest.try_into().unwrap_or(usize::MAX));
        if there == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        file.write_all(&buffer[..there]).map_err(|e| Error::system("write()", e))?;
        content.consume(there);
        rest -= there as u64;
    }
    Ok(())
}

/// Long tail: a file with holes gets its pieces, and the holes stay holes.
fn copy_pieces<R: BufRead>(content: &mut Members<R>, file: &mut File, sparse: &Sparse) -> Result<()> {
    for (offset, length) in &sparse.pieces {
        file.seek(SeekFrom::Start(*offset)).map_err(|e| Error::system("lseek()", e))?;
        copy(content, file, *length)?;
    }
    file.set_len(sparse.real_size).map_err(|e| Error::system("ftruncate()", e))
}

fn named(entry: &Entry, error: Error) -> Error {
    // What the stream or the reader of the entry said stands for itself.
    match error.kind() {
        crate::ErrorKind::System => Error::new(error.kind(), format!("{:?}: {error}", entry.path())),
        _ => error,
    }
}
