//! Unpacking: every kind of entry, entries that replace others, and layers that try to get out.
#![cfg(target_os = "linux")]

mod scene;

use std::fs;
use std::path::Path;

use scene::{Tar, is_root, listing};
use tar::EntryType;

fn unpacked(tar: Tar) -> String {
    let dir = tempfile::tempdir().unwrap();
    let outcome = layers::unpack(&tar.bytes()[..], dir.path(), !is_root());
    let refusal = outcome
        .err()
        .map(|e| format!("{:?}: {e}\n", e.kind()))
        .unwrap_or_default();
    refusal + &listing(dir.path())
}

/// Listings of things whose time the tests do not set are shown without it.
fn timeless(text: &str) -> String {
    text.lines()
        .map(|line| line.split(", at ").next().unwrap_or(line).to_string() + "\n")
        .collect()
}

#[test]
fn every_kind_with_its_attributes() {
    if !is_root() {
        return eprintln!("skipped: only root gives files away");
    }
    let capability = "\u{1}\0\0\u{2}\0\u{4}\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    let tar = Tar::default()
        .add(EntryType::Directory, "./", "", b"", |h| h.set_mode(0o711))
        .add(EntryType::Directory, "etc/", "", b"", |h| {
            h.set_mode(0o2750);
            h.set_gid(7);
            h.set_mtime(1_000);
        })
        .add(EntryType::Regular, "etc/su", "", b"abc", |h| {
            h.set_mode(0o4755);
            h.set_uid(5);
            h.set_gid(6);
            h.set_mtime(2_000);
        })
        .hard_link("etc/again", "etc/su")
        .symlink("etc/link", "../../nowhere")
        .pax(&[
            ("mtime", "3000.25"),
            ("uid", "70000"),
            ("SCHILY.xattr.user.a", "b"),
            ("SCHILY.xattr.security.capability", capability),
        ])
        .file("ping", "p")
        .pax(&[("path", &format!("{}/{}", "long".repeat(50), "name".repeat(20)))])
        .file("short", "content")
        .add(EntryType::Fifo, "pipe", "", b"", |h| h.set_mtime(4_000))
        .add(EntryType::Char, "dev/null", "", b"", |h| {
            h.set_mode(0o666);
            h.set_device_major(1).unwrap();
            h.set_device_minor(3).unwrap();
        })
        .add(EntryType::Block, "dev/sda", "", b"", |h| {
            h.set_device_major(8).unwrap();
            h.set_device_minor(0).unwrap();
        })
        .add(
            EntryType::GNULongName,
            "././@LongLink",
            "",
            format!("{}\0", "g".repeat(150)).as_bytes(),
            |_| (),
        )
        .file("cut", "gnu")
        .add(EntryType::Regular, "old-style/", "", b"", |_| ());
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(layers::unpack(&tar.bytes()[..], dir.path(), false).unwrap(), 14);
    let text = listing(dir.path());
    // Folders that only came along have the time of the test.
    let text: Vec<&str> = text
        .lines()
        .map(|line| {
            if line.contains(" at 17") {
                line.split(", at").next().unwrap()
            } else {
                line
            }
        })
        .collect();
    insta::with_settings!({filters => vec![(r", at \d{10}\.\d+", "")]}, { insta::assert_snapshot!(text.join("\n")) });
}

#[test]
fn files_with_holes_keep_them() {
    let map = "2\n0\n3\n1048576\n2\n";
    let content = format!("{map}{}abcde", "\0".repeat(512 - map.len()));
    let tar = Tar::default()
        .pax(&[
            ("GNU.sparse.major", "1"),
            ("GNU.sparse.minor", "0"),
            ("GNU.sparse.name", "v1.0"),
            ("GNU.sparse.realsize", "2097152"),
        ])
        .file("GNUSparseFile/x", &content)
        .pax(&[
            ("GNU.sparse.map", "0,3,1048576,2"),
            ("GNU.sparse.size", "2097152"),
            ("GNU.sparse.name", "v0.1"),
        ])
        .file("GNUSparseFile/y", "abcde")
        .add(EntryType::GNUSparse, "old", "", b"abcde", |h| {
            *h = {
                let mut gnu = tar::Header::new_gnu();
                gnu.as_mut_bytes()[..257].copy_from_slice(&h.as_bytes()[..257]);
                gnu.set_entry_type(EntryType::GNUSparse);
                let fields = gnu.as_gnu_mut().unwrap();
                fields.sparse[0].set_offset(0);
                fields.sparse[0].set_length(3);
                fields.sparse[1].set_offset(1_048_576);
                fields.sparse[1].set_length(2);
                fields.set_real_size(2_097_152);
                gnu
            };
        })
        .file("after", "x");
    let dir = tempfile::tempdir().unwrap();
    layers::unpack(&tar.bytes()[..], dir.path(), !is_root()).unwrap();
    for name in ["v1.0", "v0.1", "old"] {
        let content = fs::read(dir.path().join(name)).unwrap();
        assert_eq!(
            (content.len(), &content[..3], &content[1_048_576..1_048_578]),
            (2_097_152, &b"abc"[..], &b"de"[..])
        );
        let blocks = std::os::unix::fs::MetadataExt::blocks(&fs::metadata(dir.path().join(name)).unwrap());
        assert!(blocks < 64, "{name} has {blocks} blocks");
    }
    assert_eq!(fs::read_to_string(dir.path().join("after")).unwrap(), "x");
}

#[test]
fn the_later_entry_counts() {
    let tar = Tar::default()
        .folder("a")
        .file("a/file", "1")
        .file("a/file", "2")
        .folder("b/deep/er")
        .file("b", "now a file")
        .file("c", "1")
        .folder("c")
        .file("c/in", "x")
        .folder("d")
        .symlink("d", "a")
        // Through a link that stands in the folder's place: what is meant is within the root.
        .file("d/file", "3")
        .folder("a")
        .hard_link("same", "c/in")
        .hard_link("same", "same");
    insta::assert_snapshot!(timeless(&unpacked(tar)));
}

#[test]
fn whiteouts_hide_what_is_below_not_what_is_here() {
    let tar = Tar::default()
        .file("etc/.wh.gone", "")
        .file("opaque/.wh..wh..opq", "")
        .file("opaque/new", "x")
        // Of this layer: they stay, and what is below a folder of this layer is hidden.
        .file("kept", "x")
        .file(".wh.kept", "")
        .folder("folder")
        .file(".wh.folder", "")
        // Gone, and begun anew.
        .file(".wh.anew", "")
        .folder("anew")
        .file(".wh.back", "")
        .file("back", "file")
        .file(".wh..wh.plnk/1.2", "aufs")
        .file(".wh..wh.aufs", "aufs");
    insta::assert_snapshot!(timeless(&unpacked(tar)));
}

/// A layer, and what is expected of it: a refusal that names the entry, or nothing but what is inside.
#[test]
fn nothing_gets_out() {
    let evil: Vec<(&str, Tar)> = vec![
        ("dots", Tar::default().file("../evil", "x")),
        ("dots within", Tar::default().file("a/../../evil", "x")),
        ("absolute", Tar::default().file("/evil", "x")),
        ("absolute dots", Tar::default().file("/../../evil", "x")),
        (
            "absolute link",
            Tar::default().symlink("l", "/").file("l/evil", "x"),
        ),
        (
            "climbing link",
            Tar::default().symlink("l", "../../..").file("l/evil", "x"),
        ),
        (
            "link to a file",
            Tar::default().symlink("l", "../canary").file("l", "x"),
        ),
        (
            "links through links",
            Tar::default()
                .symlink("a", "b/c")
                .symlink("b", "..")
                .file("a/evil", "x"),
        ),
        (
            "hard link out",
            Tar::default().hard_link("l", "../canary").file("l", "x"),
        ),
        (
            "hard link through a link",
            Tar::default().symlink("s", "..").hard_link("l", "s/canary"),
        ),
        (
            "hard link to a link",
            Tar::default()
                .symlink("s", "../canary")
                .hard_link("l", "s")
                .file("l", "x"),
        ),
        ("hard link to the root", Tar::default().hard_link("l", ".")),
        (
            "folder over a link",
            Tar::default().symlink("l", "..").folder("l").file("l/evil", "x"),
        ),
        ("whiteout of dots", Tar::default().file("a/.wh...", "")),
        ("whiteout of a dot", Tar::default().file("a/.wh..", "")),
        ("whiteout of nothing", Tar::default().file(".wh.", "")),
        (
            "whiteout through a link",
            Tar::default().symlink("l", "..").file("l/.wh.canary", ""),
        ),
        (
            "opaque through a link",
            Tar::default().symlink("l", "..").file("l/.wh..wh..opq", ""),
        ),
        ("the root as a file", Tar::default().file(".", "x")),
        ("the root as a link", Tar::default().symlink("./", "/etc")),
        (
            "overlay's orders",
            Tar::default()
                .pax(&[("SCHILY.xattr.trusted.overlay.redirect", "/..")])
                .folder("d"),
        ),
        (
            "pax dots",
            Tar::default().pax(&[("path", "../evil")]).file("good", "x"),
        ),
        (
            "pax link",
            Tar::default()
                .pax(&[("linkpath", "../canary")])
                .hard_link("l", "good"),
        ),
        (
            "magic link",
            Tar::default()
                .folder("proc")
                .symlink("proc/self", "/proc/self/root/tmp")
                .file("proc/self/evil", "x"),
        ),
        (
            "unknown kind",
            Tar::default().add(EntryType::new(b'Z'), "z", "", b"", |_| ()),
        ),
        (
            "owner beyond",
            Tar::default().pax(&[("uid", "4294967295")]).file("f", "x"),
        ),
        (
            "sparse map backwards",
            Tar::default()
                .pax(&[("GNU.sparse.map", "5,1,0,1"), ("GNU.sparse.size", "9")])
                .file("f", "ab"),
        ),
        (
            "extension without end",
            Tar::default().add(EntryType::XHeader, "x", "", &[b'x'; 2 << 20], |_| ()),
        ),
    ];
    let mut verdicts = String::new();
    for (name, tar) in evil {
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("canary"), "sings").unwrap();
        let root = outside.path().join("root");
        fs::create_dir(&root).unwrap();
        let outcome = layers::unpack(&tar.bytes()[..], &root, !is_root());
        assert_eq!(names(outside.path()), ["canary", "root"], "{name}");
        assert_eq!(
            fs::read_to_string(outside.path().join("canary")).unwrap(),
            "sings",
            "{name}"
        );
        let verdict = outcome.map_or_else(
            |e| format!("{:?}: {e}", e.kind()),
            |_| timeless(&listing(&root)).replace('\n', "; "),
        );
        verdicts += &format!("{name}: {verdict}\n");
    }
    insta::assert_snapshot!(verdicts);
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// A generator of numbers that is the same on every machine (xorshift64*).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % limit
    }

    fn pick<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(words.len())]
    }

    fn path(&mut self) -> String {
        let words = [
            "a",
            "b",
            "l",
            "m",
            "..",
            "..",
            ".",
            "",
            "canary",
            ".wh.a",
            ".wh.canary",
            ".wh..wh..opq",
            "root",
        ];
        let parts: Vec<&str> = (0..1 + self.below(4)).map(|_| self.pick(&words)).collect();
        let prefix = if self.below(5) == 0 { "/" } else { "" };
        format!("{prefix}{}", parts.join("/"))
    }

    fn layer(&mut self, outside: &Path) -> Tar {
        let mut tar = Tar::default();
        for _ in 0..2 + self.below(10) {
            let path = self.path();
            let target = match self.below(4) {
                0 => outside.join("canary").display().to_string(),
                1 => outside.display().to_string(),
                _ => self.path(),
            };
            tar = match self.below(6) {
                0 => tar.folder(&path),
                1 | 2 => tar.symlink(&path, &target),
                3 => tar.hard_link(&path, &target),
                4 => tar.add(EntryType::Fifo, &path, "", b"", |_| ()),
                _ => tar.file(&path, "evil"),
            };
        }
        tar
    }
}

/// Random layers of evil names, kinds and links; whatever they say, the world outside stays as it was.
/// `LAYERS_EVIL=100000` makes it longer; a failure names its seed.
#[test]
fn random_layers_do_not_get_out() {
    let count: u64 = std::env::var("LAYERS_EVIL")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(400);
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("canary"), "sings").unwrap();
    fs::create_dir_all(outside.path().join("a/b")).unwrap();
    let before = listing(outside.path());
    let mut refused = 0;
    for seed in 1..=count {
        let root = tempfile::tempdir().unwrap();
        let inner = root.path().join("deep/root");
        fs::create_dir_all(&inner).unwrap();
        let tar = Random(seed).layer(outside.path()).bytes();
        refused += u64::from(layers::unpack(&tar[..], &inner, !is_root()).is_err());
        assert_eq!(names(root.path()), ["deep"], "seed {seed}");
        assert_eq!(names(&root.path().join("deep")), ["root"], "seed {seed}");
        assert_eq!(listing(outside.path()), before, "seed {seed}");
    }
    assert!(
        refused > count / 10 && refused < count,
        "{refused} of {count} refused: both kinds are needed"
    );
}
