//! Writes a folder as a tar: names sorted, so that the same files make the same bytes.
//!
//! The folder may be a whole root or one layer of overlayfs; a layer's whiteouts become `.wh.` names again, and what `attributes` kept
//! for an ordinary user (owners, devices) becomes what it was.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat, major, minor};
use tar::{Builder, EntryType, Header};

use crate::{Error, Result};

/// Writes everything below `dir` to `tar`, and the root itself as `./`. Sockets are left out, as by every tar.
/// No link is followed. A file that shrinks meanwhile is filled up with zeros, one that grows is cut.
pub fn pack(dir: &Path, tar: impl Write) -> Result<()> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = rustix::fs::open(dir, flags, Mode::empty());
    let root = root.map_err(|e| Error::system(format!("open({dir:?}, O_DIRECTORY)"), e))?;
    let stat = rustix::fs::fstat(&root).map_err(|e| Error::system("fstat()", e))?;
    let mut packing = Packing { tar: Builder::new(tar), seen: BTreeMap::new() };
    packing.folder(&root, b"./", &stat)?;
    packing.tar.finish()?;
    Ok(())
}

struct Packing<W: Write> {
    tar: Builder<W>,
    /// Files with more names than one: the first name in the tar.
    seen: BTreeMap<(u64, u64), Vec<u8>>,
}

/// What a file's own attributes say beyond its stat.
#[derive(Default)]
struct Kept {
    xattrs: Vec<(String, Vec<u8>)>,
    owner: Option<(u64, u64)>,
    device: Option<(EntryType, u32, u32)>,
    opaque: bool,
}

impl<W: Write> Packing<W> {
    fn folder(&mut self, folder: &OwnedFd, path: &[u8], stat: &Stat) -> Result<()> {
        let kept = kept(folder.as_fd(), b".")?;
        self.append(header(EntryType::Directory, stat, &kept), path, &[], &kept, &mut io::empty())?;
        let inside = |name: &[u8]| [path.strip_prefix(b"./").unwrap_or(path), name].concat();
        if kept.opaque {
            self.append(
                plain_header(0o600, 0),
                &inside(b".wh..wh..opq"),
                &[],
                &Kept::default(),
                &mut io::empty(),
            )?;
        }
        let mut names = Vec::new();
        for entry in Dir::read_from(folder).map_err(|e| Error::system("getdents64()", e))? {
            let entry = entry.map_err(|e| Error::system("getdents64()", e))?;
            names.push(entry.file_name().to_bytes().to_vec());
        }
        names.sort();
        for name in names.iter().filter(|name| *name != b"." && *name != b"..") {
            self.entry(folder, name, &inside(name), &inside(&[b".wh.", &name[..]].concat()))?;
        }
        Ok(())
    }

    fn entry(&mut self, folder: &OwnedFd, name: &[u8], path: &[u8], whiteout: &[u8]) -> Result<()> {
        let stat = match rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
            // It went away meanwhile.
            Err(rustix::io::Errno::NOENT) => return Ok(()),
            stat => {
                stat.map_err(|e| Error::system(format!("fstatat({:?})", String::from_utf8_lossy(path)), e))?
            }
        };
        let kind = FileType::from_raw_mode(stat.st_mode);
        let open = |flags| {
            let file =
                rustix::fs::openat(folder, name, OFlags::NOFOLLOW | OFlags::CLOEXEC | flags, Mode::empty());
            file.map_err(|e| Error::system(format!("openat({:?})", String::from_utf8_lossy(path)), e))
        };
        if kind == FileType::Directory {
            return self.folder(&open(OFlags::RDONLY | OFlags::DIRECTORY)?, &[path, b"/"].concat(), &stat);
        }
        if kind == FileType::CharacterDevice && stat.st_rdev == 0 {
            return self.append(plain_header(0o600, 0), whiteout, &[], &Kept::default(), &mut io::empty());
        }
        let kept = kept(folder.as_fd(), name)?;
        if stat.st_nlink > 1 {
            if let Some(first) = self.seen.get(&(stat.st_dev, stat.st_ino)).cloned() {
                let header = header(EntryType::Link, &stat, &kept);
                return self.append(header, path, &first, &Kept::default(), &mut io::empty());
            }
            self.seen.insert((stat.st_dev, stat.st_ino), path.to_vec());
        }
        if kind == FileType::RegularFile && kept.device.is_none() {
            let file = File::from(open(OFlags::RDONLY | OFlags::NONBLOCK)?);
            let mut content = file.chain(io::repeat(0)).take(stat.st_size as u64);
            let header = header(EntryType::Regular, &stat, &kept);
            return self.append(header, path, &[], &kept, &mut content);
        }
        let Some(entry_type) = entry_type(kind) else {
            return Ok(());
        };
        let link = if kind == FileType::Symlink {
            let target = rustix::fs::readlinkat(folder, name, Vec::new());
            target.map_err(|e| Error::system("readlinkat()", e))?.into_bytes()
        } else {
            Vec::new()
        };
        self.append(header(entry_type, &stat, &kept), path, &link, &kept, &mut io::empty())
    }

    /// Writes one member; what its header has no room for goes before it as pax records.
    fn append(
        &mut self,
        mut header: Header,
        path: &[u8],
        link: &[u8],
        kept: &Kept,
        content: &mut dyn Read,
    ) -> Result<()> {
        let mut records: Vec<(String, Vec<u8>)> =
            kept.xattrs.iter().map(|(name, value)| (format!("SCHILY.xattr.{name}"), value.clone())).collect();
        if !set_name(&mut header.as_old_mut().name, path) {
            records.push(("path".into(), path.to_vec()));
        }
        if !set_name(&mut header.as_old_mut().linkname, link) {
            records.push(("linkpath".into(), link.to_vec()));
        }
        let numbers = [("uid", header.uid()?), ("gid", header.gid()?), ("size", header.size()?)];
        for (key, value) in numbers {
            let octal_digits = if key == "size" { 11 } else { 7 };
            if value >= 8u64.pow(octal_digits) {
                records.push((key.into(), value.to_string().into_bytes()));
            }
        }
        if !records.is_empty() {
            self.tar
                .append_pax_extensions(records.iter().map(|(key, value)| (key.as_str(), value.as_slice())))?;
        }
        header.set_cksum();
        self.tar.append(&header, content)?;
        Ok(())
    }
}

/// How a tar calls what is neither folder nor content. A regular file here is a placeholder, whose header says what it stands for.
fn entry_type(kind: FileType) -> Option<EntryType> {
    match kind {
        FileType::RegularFile | FileType::CharacterDevice => Some(EntryType::Char),
        FileType::BlockDevice => Some(EntryType::Block),
        FileType::Symlink => Some(EntryType::Symlink),
        FileType::Fifo => Some(EntryType::Fifo),
        _ => None,
    }
}

/// The header of a file of nobody in particular.
pub(crate) fn plain_header(mode: u32, size: u64) -> Header {
    let mut header = Header::new_ustar();
    header.set_entry_type(EntryType::Regular);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(size);
    header
}

/// Fills a name field; false if it is too long for it, and then cut.
fn set_name(field: &mut [u8; 100], name: &[u8]) -> bool {
    let fits = name.len() <= field.len();
    let length = name.len().min(field.len());
    field.fill(0);
    field[..length].copy_from_slice(&name[..length]);
    fits
}

fn header(kind: EntryType, stat: &Stat, kept: &Kept) -> Header {
    let mut header = Header::new_ustar();
    // Whoever packs is the root of their containers.
    let inside = |id: u32, own: u32| if id == own { 0 } else { u64::from(id) };
    let own = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    let (uid, gid) = kept.owner.unwrap_or((inside(stat.st_uid, own.0), inside(stat.st_gid, own.1)));
    header.set_entry_type(kind);
    header.set_mode(stat.st_mode & 0o7777);
    header.set_uid(uid);
    header.set_gid(gid);
    header.set_mtime(stat.st_mtime.try_into().unwrap_or(0));
    header.set_size(if kind == EntryType::Regular { stat.st_size as u64 } else { 0 });
    let device = match kind {
        EntryType::Char | EntryType::Block => {
            kept.device.unwrap_or((kind, major(stat.st_rdev), minor(stat.st_rdev)))
        }
        _ => (kind, 0, 0),
    };
    header.set_entry_type(device.0);
    // A ustar header has these fields.
    let _ = header.set_device_major(device.1);
    let _ = header.set_device_minor(device.2);
    header
}

/// Reads the extended attributes of `name` and tells its own from the engine's and overlayfs'.
fn kept(folder: BorrowedFd<'_>, name: &[u8]) -> Result<Kept> {
    let path = [format!("/proc/self/fd/{}/", folder.as_raw_fd()).as_bytes(), name].concat();
    let mut kept = Kept::default();
    for (name, value) in xattrs(&path)? {
        let text = String::from_utf8_lossy(&value).into_owned();
        match name.as_str() {
            "user.coracle.owner" => {
                kept.owner =
                    text.split_once(':').and_then(|(uid, gid)| Some((uid.parse().ok()?, gid.parse().ok()?)));
            }
            "user.coracle.device" => kept.device = device(&text),
            "trusted.overlay.opaque" | "user.overlay.opaque" => kept.opaque = value == b"y",
            // overlayfs' notes on where a copy came from mean nothing elsewhere.
            _ if name.starts_with("trusted.overlay.") || name.starts_with("user.overlay.") => (),
            _ => {
                let name = name.strip_prefix("user.coracle.xattr.").unwrap_or(&name).to_string();
                kept.xattrs.push((name, value));
            }
        }
    }
    Ok(kept)
}

/// `c 1:3`.
fn device(text: &str) -> Option<(EntryType, u32, u32)> {
    let (letter, numbers) = text.split_once(' ')?;
    let (major, minor) = numbers.split_once(':')?;
    let kind = if letter == "b" { EntryType::Block } else { EntryType::Char };
    Some((kind, major.parse().ok()?, minor.parse().ok()?))
}

fn xattrs(path: &[u8]) -> Result<Vec<(String, Vec<u8>)>> {
    // XATTR_LIST_MAX and XATTR_SIZE_MAX of linux/limits.h.
    let mut names = vec![0u8; 65536];
    let length = match rustix::fs::llistxattr(path, &mut names[..]) {
        Ok(length) => length,
        Err(rustix::io::Errno::OPNOTSUPP) => 0,
        Err(e) => return Err(Error::system("llistxattr()", e)),
    };
    let mut xattrs = Vec::new();
    for name in names[..length].split(|b| *b == 0).filter(|name| !name.is_empty()) {
        let mut value = vec![0u8; 65536];
        // One that only the kernel may read, or that went away, is not content.
        if let Ok(length) = rustix::fs::lgetxattr(path, name, &mut value[..]) {
            value.truncate(length);
            xattrs.push((String::from_utf8_lossy(name).into_owned(), value));
        }
    }
    xattrs.sort();
    Ok(xattrs)
}
