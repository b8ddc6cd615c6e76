//! Unpacking: every kind of entry, entries that replace others, and layers that try to get out.
#![forbid(unsafe_code)]
#![cfg(target_os = "linux")]

mod scene;

use std::fs;
use std::path::Path;

use scene::{Tar, is_root, listing};
use tar::EntryType;

fn unpacked(tar: Tar) -> String {
    let dir = tempfile::tempdir().unwrap();
    let outcome = layers::unpack(&tar.bytes()[..], dir.path(), !is_root());
    let refusal = outcome.err().map(|e| format!("{:?}: {e}\n", e.kind())).unwrap_or_default();
    refusal + &listing(dir.path())
}

/// Listings of things whose time the tests do not set are shown without it. An ordinary user is their container's root, and may
/// write overlayfs' marks under a name of their own.
fn timeless(text: &str) -> String {
    let own = format!("{}:{}", rustix::process::geteuid(), rustix::process::getegid());
    let text = text.replace(&own, "0:0").replace("user.overlay.", "trusted.overlay.");
    text.lines().map(|line| line.split(", at ").next().unwrap_or(line).to_string() + "\n").collect()
}

fn every_kind() -> Tar {
    let capability = "\u{1}\0\0\u{2}\0\u{4}\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    Tar::default()
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
        .add(EntryType::GNULongName, "././@LongLink", "", format!("{}\0", "g".repeat(150)).as_bytes(), |_| ())
        .file("cut", "gnu")
        .add(EntryType::Regular, "old-style/", "", b"", |h| h.set_mode(0o755))
}

#[test]
fn every_kind_with_its_attributes() {
    if !is_root() {
        return skipped::skip("layers::every_kind_with_its_attributes", "only root gives files away");
    }
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(layers::unpack(&every_kind().bytes()[..], dir.path(), false).unwrap(), 14);
    let text = listing(dir.path());
    // Folders that only came along have the time of the test.
    let text: Vec<&str> = text
        .lines()
        .map(|line| if line.contains(" at 17") { line.split(", at").next().unwrap() } else { line })
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

/// Layers that try to get out, each by another way.
const EVIL: &[(&str, &str)] = &[
    ("dots", "file ../evil"),
    ("dots within", "file a/../../evil"),
    ("absolute", "file /evil"),
    ("absolute dots", "file /../../evil"),
    ("absolute link", "link l /; file l/evil"),
    ("climbing link", "link l ../../..; file l/evil"),
    ("link to a file", "link l ../canary; file l"),
    ("links through links", "link a b/c; link b ..; file a/evil"),
    ("hard link out", "hard l ../canary; file l"),
    ("hard link through a link", "link s ..; hard l s/canary"),
    ("hard link to a link", "link s ../canary; hard l s; file l"),
    ("hard link to the root", "hard l ."),
    ("folder over a link", "link l ..; folder l; file l/evil"),
    ("whiteout of dots", "file a/.wh..."),
    ("whiteout of a dot", "file a/.wh.."),
    ("whiteout of nothing", "file .wh."),
    ("whiteout through a link", "link l ..; file l/.wh.canary"),
    ("opaque through a link", "link l ..; file l/.wh..wh..opq"),
    ("the root as a file", "file ."),
    ("the root as a link", "link ./ /etc"),
    ("overlay's orders", "pax SCHILY.xattr.trusted.overlay.redirect=/..; folder d"),
    ("pax dots", "pax path=../evil; file good"),
    ("pax link", "pax linkpath=../canary; hard l good"),
    ("magic link", "folder proc; link proc/self /proc/self/root/tmp; file proc/self/evil"),
    ("unknown kind", "kind Z"),
    ("owner beyond", "pax uid=4294967295; file f"),
    ("sparse map backwards", "sparse 5,1,0,1; file f"),
    ("extension without end", "endless"),
];

/// What comes of each is a refusal that names the entry, or nothing but what is inside.
#[test]
fn nothing_gets_out() {
    let mut verdicts = String::new();
    for (name, script) in EVIL {
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("canary"), "sings").unwrap();
        let root = outside.path().join("root");
        fs::create_dir(&root).unwrap();
        let outcome = layers::unpack(&Tar::script(script).bytes()[..], &root, !is_root());
        assert_eq!(names(outside.path()), ["canary", "root"], "{name}");
        let canary = fs::read_to_string(outside.path().join("canary")).unwrap();
        assert_eq!(canary, "sings", "{name}");
        let inside = |_| timeless(&listing(&root)).replace('\n', "; ");
        let verdict = outcome.map_or_else(|e| format!("{:?}: {e}", e.kind()), inside);
        verdicts += &format!("{name}: {verdict}\n");
    }
    insta::assert_snapshot!(verdicts);
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
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
    let count: u64 = std::env::var("LAYERS_EVIL").ok().and_then(|n| n.parse().ok()).unwrap_or(400);
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
    assert!(refused > count / 10 && refused < count, "{refused} of {count} refused: both kinds are needed");
}

/// An ordinary user's unpacking: this test runs itself again as one.
#[test]
fn an_ordinary_user_keeps_what_cannot_be_given_away() {
    const AS_USER: &str = "LAYERS_AS_USER";
    if is_root() {
        use std::os::unix::fs::PermissionsExt;
        use std::os::unix::process::CommandExt;
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o777)).unwrap();
        // Where the tests lie, others may have no access.
        let copy = dir.path().join("test");
        // By another process: while we had it open for writing, a child of a thread beside us would hold it too (ETXTBSY).
        let copied =
            std::process::Command::new("cp").arg(std::env::current_exe().unwrap()).arg(&copy).status();
        assert!(copied.unwrap().success());
        let own = std::process::Command::new(&copy)
            .args(["--exact", "an_ordinary_user_keeps_what_cannot_be_given_away", "--nocapture"])
            .env(AS_USER, dir.path())
            .current_dir(dir.path())
            .uid(54321)
            .gid(54321)
            .output()
            .unwrap();
        assert!(own.status.success(), "{}", String::from_utf8_lossy(&own.stderr));
        let seen = fs::read_to_string(dir.path().join("seen")).unwrap();
        insta::with_settings!({filters => vec![(r", at \d{10}\.\d+", "")]}, { insta::assert_snapshot!(seen) });
        return;
    }
    let Some(dir) = std::env::var_os(AS_USER).map(std::path::PathBuf::from) else {
        return;
    };
    let root = dir.join("root");
    fs::create_dir(&root).unwrap();
    let closed = every_kind()
        .add(EntryType::Directory, "closed", "", b"", |h| h.set_mode(0o555))
        .file("closed/file", "x")
        .file("closed/.wh.gone", "")
        .file("closed/.wh..wh..opq", "");
    layers::unpack(&closed.bytes()[..], &root, true).unwrap();
    fs::write(dir.join("seen"), listing(&root)).unwrap();
    // What packs is what the layer said, owners and devices too.
    let mut tar = Vec::new();
    layers::pack(&root, &mut tar).unwrap();
    let mut packed = tar::Archive::new(&tar[..]);
    let headers = packed.entries().unwrap().map(|entry| entry.unwrap().header().clone());
    let owners: Vec<u64> = headers.map(|header| header.uid().unwrap()).collect();
    assert!(owners.contains(&5) && owners.contains(&70_000), "{owners:?}");
    let snapshots = layers::Snapshots::open(dir.join("snapshots"), layers::Ownership::Squashed).unwrap();
    fs::create_dir_all(dir.join("snapshots/old-1-1/closed/deep")).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o500);
    fs::set_permissions(dir.join("snapshots/old-1-1/closed"), mode).unwrap();
    drop(snapshots);
    layers::Snapshots::open(dir.join("snapshots"), layers::Ownership::Squashed).unwrap();
    assert!(!dir.join("snapshots/old-1-1").exists());
}
