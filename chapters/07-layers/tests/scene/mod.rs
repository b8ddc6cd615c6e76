//! What the tests of this chapter share: tars by hand, folders as text, a store with snapshots.
#![allow(dead_code, reason = "each test file uses its part")]

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use images::Store;
use layers::Snapshots;
use tar::{EntryType, Header};

/// A tar, member by member; names and links go in as they are, however evil.
#[derive(Default)]
pub struct Tar(pub Vec<u8>);

impl Tar {
    /// A member with all that a header holds.
    pub fn add(
        mut self,
        kind: EntryType,
        path: &str,
        link: &str,
        content: &[u8],
        change: impl Fn(&mut Header),
    ) -> Tar {
        let mut header = Header::new_ustar();
        header.set_entry_type(kind);
        header.set_mode(0o644);
        header.set_size(content.len() as u64);
        header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
        header.as_old_mut().linkname[..link.len()].copy_from_slice(link.as_bytes());
        change(&mut header);
        header.set_cksum();
        self.0.extend(header.as_bytes());
        self.0.extend(content);
        self.0.extend(vec![0; content.len().wrapping_neg() % 512]);
        self
    }

    pub fn file(self, path: &str, content: &str) -> Tar {
        self.add(EntryType::Regular, path, "", content.as_bytes(), |_| ())
    }

    pub fn folder(self, path: &str) -> Tar {
        self.add(EntryType::Directory, path, "", b"", |h| h.set_mode(0o755))
    }

    pub fn symlink(self, path: &str, target: &str) -> Tar {
        self.add(EntryType::Symlink, path, target, b"", |_| ())
    }

    pub fn hard_link(self, path: &str, target: &str) -> Tar {
        self.add(EntryType::Link, path, target, b"", |_| ())
    }

    /// pax records for the next member.
    pub fn pax(self, records: &[(&str, &str)]) -> Tar {
        let record = |(key, value): &(&str, &str)| {
            let rest = key.len() + value.len() + 3;
            let length = (rest..).find(|n| rest + n.to_string().len() == *n).unwrap();
            format!("{length} {key}={value}\n")
        };
        let text: String = records.iter().map(record).collect();
        self.add(EntryType::XHeader, "pax", "", text.as_bytes(), |_| ())
    }

    /// Members by a line of words: `file ../x; link a /; hard b a; folder c; pax path=../y; ...`.
    pub fn script(text: &str) -> Tar {
        let member = |tar: Tar, words: &str| match words.split_whitespace().collect::<Vec<_>>()[..] {
            ["file", path] => tar.file(path, "x"),
            ["folder", path] => tar.folder(path),
            ["link", path, target] => tar.symlink(path, target),
            ["hard", path, target] => tar.hard_link(path, target),
            ["pax", record] => tar.pax(&[record.split_once('=').unwrap()]),
            ["sparse", map] => tar.pax(&[("GNU.sparse.map", map), ("GNU.sparse.size", "9")]),
            ["kind", kind] => tar.add(EntryType::new(kind.as_bytes()[0]), "z", "", b"", |_| ()),
            ["endless"] => tar.add(EntryType::XHeader, "x", "", &[b'x'; 2 << 20], |_| ()),
            _ => panic!("{words}?"),
        };
        text.split("; ").fold(Tar::default(), member)
    }

    /// With the two zero blocks at its end.
    pub fn bytes(mut self) -> Vec<u8> {
        self.0.extend([0; 1024]);
        self.0
    }
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Everything below a folder, one line a name: kind, mode, owner, time, content.
pub fn listing(root: &Path) -> String {
    let mut lines = BTreeMap::new();
    walk(root, root, &mut lines);
    lines.into_iter().map(|(path, line)| format!("{path}: {line}\n")).collect()
}

fn walk(root: &Path, dir: &Path, lines: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let data = fs::symlink_metadata(&path).unwrap();
        let kind = data.file_type();
        let what = if kind.is_dir() {
            walk(root, &path, lines);
            "folder".to_string()
        } else if kind.is_symlink() {
            format!("-> {}", fs::read_link(&path).unwrap().display())
        } else if kind.is_file() {
            let content = fs::read(&path).unwrap_or_default();
            let text = String::from_utf8_lossy(&content);
            if content.len() > 40 { format!("file of {}", content.len()) } else { format!("{text:?}") }
        } else if kind.is_fifo() {
            "pipe".to_string()
        } else {
            let letter = if kind.is_block_device() { 'b' } else { 'c' };
            format!("{letter} {}:{}", rustix::fs::major(data.rdev()), rustix::fs::minor(data.rdev()))
        };
        let names = if kind.is_file() && data.nlink() > 1 {
            format!(", {} names", data.nlink())
        } else {
            String::new()
        };
        // Nobody reads the times of a link or a whiteout.
        let time = if kind.is_symlink() || what == "c 0:0" {
            String::new()
        } else {
            format!(", at {}.{:09}", data.mtime(), data.mtime_nsec())
        };
        let name = path.strip_prefix(root).unwrap().display().to_string();
        let xattrs = xattrs(&path);
        lines.insert(
            name,
            format!(
                "{what}, {:04o} {}:{}{names}{xattrs}{time}",
                data.mode() & 0o7777,
                data.uid(),
                data.gid()
            ),
        );
    }
}

fn xattrs(path: &Path) -> String {
    let (mut names, mut text) = (vec![0; 4096], String::new());
    let length = rustix::fs::llistxattr(path, &mut names[..]).unwrap_or(0);
    for name in names[..length].split(|b| *b == 0).filter(|name| !name.is_empty()) {
        let mut value = vec![0; 4096];
        let length = rustix::fs::lgetxattr(path, name, &mut value[..]).unwrap_or(0);
        text +=
            &format!(", {}={:?}", String::from_utf8_lossy(name), String::from_utf8_lossy(&value[..length]));
    }
    text
}

/// A data root of one's own.
pub struct Scene {
    pub dir: tempfile::TempDir,
    pub store: Store,
    pub snapshots: Snapshots,
}

impl Scene {
    pub fn new() -> Scene {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path().join("images")).unwrap();
        let snapshots =
            Snapshots::open(dir.path().join("snapshots"), layers::Ownership::of(!is_root())).unwrap();
        Scene { dir, store, snapshots }
    }

    /// Names left in the folders of blobs, of ingests and of snapshots.
    pub fn left(&self) -> [usize; 3] {
        ["images/blobs/sha256", "images/ingest", "snapshots"]
            .map(|folder| fs::read_dir(self.dir.path().join(folder)).unwrap().count())
    }
}

pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
