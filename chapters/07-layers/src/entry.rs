//! What a tar member asks for, as plain data: where, what, whose. Pure; `unpack` acts on it.
//!
//! This is where a layer is read with suspicion. A name that climbs out is refused here, by its text alone; names that climb out
//! through links are stopped by the kernel (`fence`).

use images::Digest;
use tar::EntryType;

use crate::members::Member;
use crate::sparse::Sparse;
use crate::{Error, ErrorKind, Result};

/// One step of unpacking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The folder it is in, relative to the root, without `.` and `..`; empty for the root.
    pub folder: Vec<u8>,
    /// Its name in there; empty for the root itself.
    pub name: Vec<u8>,
    /// What to make.
    pub kind: Kind,
    /// Whose it is, and when it was changed.
    pub attributes: Attributes,
}

/// What to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A folder; one that is there stays.
    Folder,
    /// A file of so many bytes.
    File { size: u64, sparse: Option<Sparse> },
    /// A symbolic link; its text is kept as it is, for the container's root will be its root.
    Symlink { target: Vec<u8> },
    /// Another name of a file of this layer: its folder and name.
    HardLink { folder: Vec<u8>, name: Vec<u8> },
    /// A character device.
    CharDevice { major: u32, minor: u32 },
    /// A block device.
    BlockDevice { major: u32, minor: u32 },
    /// A named pipe.
    Fifo,
    /// `.wh.<name>`: `name` of the layers below is gone.
    Whiteout,
    /// `.wh..wh..opq`: everything in `folder` of the layers below is gone.
    Opaque,
    /// Bookkeeping of aufs, which nobody needs.
    Nothing,
}

/// Whose it is, and when it was changed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attributes {
    /// Permission bits with setuid, setgid and sticky: 0o7777.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Seconds and nanoseconds since 1970.
    pub modified: (i64, u32),
    /// Extended attributes.
    pub xattrs: Vec<(String, Vec<u8>)>,
}

const WHITEOUT: &[u8] = b".wh.";
const OPAQUE: &[u8] = b".wh..wh..opq";
const AUFS: &[u8] = b".wh..wh.";
/// pax records under which GNU tar, bsdtar and Go keep extended attributes.
const XATTR_RECORD: &str = "SCHILY.xattr.";

impl Entry {
    /// Reads a member. InvalidLayer when it would climb out, names the member.
    pub fn read(member: &Member) -> Result<Entry> {
        let (folder, name) = inside(&member.path).ok_or_else(|| {
            // As Docker words it.
            refuse(member, "is outside of \"/\"")
        })?;
        let mut entry = Entry { folder, name, kind: Kind::Nothing, attributes: attributes(member)? };
        entry.kind = kind(member)?;
        if entry.name == OPAQUE {
            entry.kind = Kind::Opaque;
        } else if entry.name.starts_with(AUFS)
            || entry.folder.split(|b| *b == b'/').any(|f| f.starts_with(AUFS))
        {
            entry.kind = Kind::Nothing;
        } else if let Some(hidden) = entry.name.strip_prefix(WHITEOUT) {
            if matches!(hidden, b"" | b"." | b"..") {
                return Err(refuse(member, "is no whiteout of anything"));
            }
            (entry.name, entry.kind) = (hidden.to_vec(), Kind::Whiteout);
        }
        if entry.name.is_empty() && entry.kind != Kind::Folder {
            return Err(refuse(member, "would replace the root by something else than a folder"));
        }
        Ok(entry)
    }

    /// The path relative to the root, for errors.
    pub fn path(&self) -> String {
        let folder = String::from_utf8_lossy(&self.folder);
        let name = String::from_utf8_lossy(&self.name);
        if folder.is_empty() { name.into_owned() } else { format!("{folder}/{name}") }
    }
}

fn kind(member: &Member) -> Result<Kind> {
    let device = |part: std::io::Result<Option<u32>>| {
        part.ok().flatten().ok_or_else(|| refuse(member, "is a device without a number"))
    };
    let (major, minor) = (member.header.device_major(), member.header.device_minor());
    Ok(match member.header.entry_type() {
        EntryType::Directory => Kind::Folder,
        // Before there was a type for them, folders were files with a slash (tar(5), "Old-Style Archive Format").
        EntryType::Regular if member.path.ends_with(b"/") => Kind::Folder,
        EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
            Kind::File { size: member.size, sparse: member.sparse.clone() }
        }
        EntryType::Symlink => Kind::Symlink { target: member.link.clone() },
        EntryType::Link => match inside(&member.link) {
            Some((folder, name)) if !name.is_empty() => Kind::HardLink { folder, name },
            _ => {
                let link = String::from_utf8_lossy(&member.link).into_owned();
                return Err(refuse(
                    member,
                    &format!("is a hard link to {link:?}, which is outside of \"/\""),
                ));
            }
        },
        EntryType::Char => Kind::CharDevice { major: device(major)?, minor: device(minor)? },
        EntryType::Block => Kind::BlockDevice { major: device(major)?, minor: device(minor)? },
        EntryType::Fifo => Kind::Fifo,
        other => {
            return Err(refuse(
                member,
                &format!("has the unknown tar type {:?}", char::from(other.as_byte())),
            ));
        }
    })
}

fn attributes(member: &Member) -> Result<Attributes> {
    let header = &member.header;
    let number =
        |field: std::io::Result<u64>| field.map_err(|e| refuse(member, &format!("has a bad header: {e}")));
    // An id is a u32, and the last one means "unchanged" (chown(2)).
    let id = |key: &str, field| {
        let id = member.number(key).and_then(|pax| pax.map_or_else(|| number(field), Ok))?;
        u32::try_from(id)
            .ok()
            .filter(|id| *id != u32::MAX)
            .ok_or_else(|| refuse(member, "has an owner beyond 32 bits"))
    };
    let modified = match member.record("mtime").and_then(time) {
        Some(time) => time,
        None => (i64::try_from(header.mtime().unwrap_or(0)).unwrap_or(0), 0),
    };
    let xattrs = member
        .pax
        .iter()
        .filter_map(|(key, value)| Some((key.strip_prefix(XATTR_RECORD)?.to_string(), value.clone())));
    let xattrs: Vec<(String, Vec<u8>)> = xattrs.collect();
    // These would not describe a file but give overlayfs orders: a redirect shows a folder of another layer.
    let reserved = ["trusted.overlay.", "user.overlay.", "user.coracle."];
    if let Some((key, _)) =
        xattrs.iter().find(|(key, _)| reserved.iter().any(|prefix| key.starts_with(prefix)))
    {
        return Err(refuse(member, &format!("sets the extended attribute {key}, which is the engine's own")));
    }
    Ok(Attributes {
        mode: number(header.mode().map(u64::from))? as u32 & 0o7777,
        uid: id("uid", or_blank(&header.as_old().uid, header.uid()))?,
        gid: id("gid", or_blank(&header.as_old().gid, header.gid()))?,
        modified,
        xattrs,
    })
}

/// A field that was left blank is zero, as GNU tar and Go read it.
fn or_blank(field: &[u8], number: std::io::Result<u64>) -> std::io::Result<u64> {
    if field.iter().all(|byte| matches!(byte, 0 | b' ')) { Ok(0) } else { number }
}

/// `1700000000.25`, maybe negative: seconds and nanoseconds.
fn time(text: &[u8]) -> Option<(i64, u32)> {
    let text = std::str::from_utf8(text).ok()?;
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let whole: i64 = seconds.parse().ok()?;
    let digits: String = fraction.chars().chain("000000000".chars()).take(9).collect();
    let nanoseconds: u32 = digits.parse().ok()?;
    Some(match (text.starts_with('-'), nanoseconds) {
        (true, 1..) => (whole.checked_sub(1)?, 1_000_000_000 - nanoseconds),
        _ => (whole, nanoseconds),
    })
}

/// Folder and name of a path below the root, by text alone. An absolute path counts from the root, where `..` stays (as for any
/// process in it); a relative one that climbs higher is outside: None.
fn inside(path: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in path.split(|b| *b == b'/') {
        match part {
            b"" | b"." => (),
            b".." if parts.pop().is_none() && !path.starts_with(b"/") => return None,
            b".." => (),
            _ => parts.push(part),
        }
    }
    let name = parts.pop().unwrap_or_default().to_vec();
    Some((parts.join(&b'/'), name))
}

fn refuse(member: &Member, reason: &str) -> Error {
    let name = String::from_utf8_lossy(&member.path);
    Error::new(ErrorKind::InvalidLayer, format!("{name:?} {reason}"))
}

/// A layer whose content is not the one that its image names, in dockerd's words and with the details.
pub(crate) fn wrong_diff_id(expected: &Digest, found: &Digest) -> Error {
    let message = format!(
        "layers from manifest don't match image configuration: a layer unpacks to {found} instead of {expected}"
    );
    Error::new(ErrorKind::DigestMismatch, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_taken_below_the_root() {
        let shown = |path: &str| match inside(path.as_bytes()) {
            Some((folder, name)) => {
                format!("{} + {}", String::from_utf8(folder).unwrap(), String::from_utf8(name).unwrap())
            }
            None => "outside".into(),
        };
        let paths = [
            "a",
            "./a/b/",
            "/etc/passwd",
            "a/../b",
            "a//./b/c",
            "",
            ".",
            "/",
            "..",
            "../a",
            "a/../../b",
            "/../a",
            "/a/../../b",
            "..a/b",
            "a/..",
        ];
        let lines: Vec<String> = paths.iter().map(|path| format!("{path:?}: {}", shown(path))).collect();
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn times_have_fractions_and_signs() {
        assert_eq!(time(b"12.25"), Some((12, 250_000_000)));
        assert_eq!(time(b"12"), Some((12, 0)));
        assert_eq!(time(b"-1.5"), Some((-2, 500_000_000)));
        assert_eq!(time(b"-0.25"), Some((-1, 750_000_000)));
        assert_eq!(time(b"12.0000000009"), Some((12, 0)));
        assert_eq!(time(b"x"), None);
    }
}
