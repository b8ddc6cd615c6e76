//! A folder as a tar and back: nothing is lost, and the same files make the same bytes.
#![forbid(unsafe_code)]
#![cfg(target_os = "linux")]

mod scene;

use std::fs;
use std::path::Path;

use scene::{Tar, is_root, listing};
use tar::EntryType;

fn packed(dir: &Path) -> Vec<u8> {
    let mut tar = Vec::new();
    layers::pack(dir, &mut tar).unwrap();
    tar
}

#[test]
fn what_is_unpacked_packs_the_same() {
    let tar = Tar::default()
        .add(EntryType::Directory, "./", "", b"", |h| h.set_mode(0o755))
        .folder("a")
        .add(EntryType::Regular, "a/file", "", b"content", |h| {
            h.set_mode(0o4711);
            h.set_uid(1234);
            h.set_mtime(12);
        })
        .hard_link("a/second", "a/file")
        .symlink("link", &"t".repeat(90))
        .pax(&[("path", &"p".repeat(200)), ("SCHILY.xattr.user.x", "y")])
        .file("short", "1")
        .add(EntryType::Char, "null", "", b"", |h| {
            h.set_device_major(1).unwrap();
            h.set_device_minor(3).unwrap();
        })
        .add(EntryType::Fifo, "pipe", "", b"", |_| ())
        .file(".wh.gone", "")
        .file("a/.wh..wh..opq", "");
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    layers::unpack(&tar.bytes()[..], one.path(), !is_root()).unwrap();
    let bytes = packed(one.path());
    layers::unpack(&bytes[..], two.path(), !is_root()).unwrap();
    assert_eq!(listing(one.path()), listing(two.path()));
    assert_eq!(packed(two.path()), bytes);

    // Another's eyes: bsdtar or GNU tar reads the names.
    let names: Vec<String> = tar::Archive::new(&bytes[..])
        .entries()
        .unwrap()
        .map(|entry| entry.unwrap().path().unwrap().display().to_string())
        .collect();
    let long = "p".repeat(200);
    assert_eq!(
        names,
        [
            "./",
            "a/",
            "a/.wh..wh..opq",
            "a/file",
            "a/second",
            ".wh.gone",
            "link",
            "null",
            "pipe",
            long.as_str()
        ]
    );
}

#[test]
fn a_file_that_shrinks_does_not_break_the_tar() {
    let dir = tempfile::tempdir().unwrap();
    // Files of /proc have no size but content: cut to what was announced.
    fs::write(dir.path().join("a"), "x").unwrap();
    let bytes = packed(dir.path());
    assert_eq!(bytes.len() % 512, 0);
}
