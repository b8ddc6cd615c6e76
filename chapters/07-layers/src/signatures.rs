//! The shapes that others build on, while the bodies are written.
#![allow(missing_docs, unused_variables, clippy::todo)]
use crate::*;
use images::{Digest, Image, Reference, Store};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// Unpacked layers, `<dir>/<chain id hex>/diff`.
#[derive(Debug)]
pub struct Snapshots {
    dir: PathBuf,
}

/// As long as it lives, the layers it names are not removed.
#[derive(Debug)]
pub struct Hold<'a> {
    snapshots: &'a Snapshots,
}

impl Snapshots {
    /// Opens or makes the folder, and removes what killed unpackers left. `rootless`: files are squashed to the caller's ids.
    pub fn open(dir: impl Into<PathBuf>, rootless: bool) -> Result<Snapshots> {
        todo!()
    }
    /// overlayfs' lower folders of an image with these diff ids, top first. NotFound if one is not unpacked.
    pub fn lower_dirs(&self, diff_ids: &[Digest]) -> Result<Vec<PathBuf>> {
        todo!()
    }
    pub fn has(&self, chain_id: &Digest) -> bool {
        todo!()
    }
    /// Bytes of the files of one layer, as Docker counts an image's size.
    pub fn size(&self, chain_id: &Digest) -> Result<u64> {
        todo!()
    }
    /// Keeps these chains from being removed while an image or a container that needs them is being made.
    pub fn hold(&self, chain_ids: &[Digest]) -> Hold<'_> {
        todo!()
    }
    /// Removes layers that are neither in `keep()` (called under the lock that holds are taken under) nor held; returns them.
    pub fn remove_unused(&self, keep: impl FnOnce() -> Result<Vec<Digest>>) -> Result<Vec<Digest>> {
        todo!()
    }
}

/// Unpacks what is missing of an image's layers from the store's blobs (after `skopeo copy … oci:images`, or a lost folder).
pub fn ensure_unpacked(store: &Store, snapshots: &Snapshots, image: &Image) -> Result<()> {
    todo!()
}
/// Unpacks one tar stream into an existing folder; returns the size of its files.
pub fn unpack(tar: impl Read, dir: &Path, rootless: bool) -> Result<u64> {
    todo!()
}
/// Writes a folder as a tar, entries sorted (`docker export` and `hello`).
pub fn pack(dir: &Path, tar: impl Write) -> Result<()> {
    todo!()
}
/// `docker load`: returns the images in the order of the archive.
pub fn load(store: &Store, snapshots: &Snapshots, archive: impl Read, sink: Sink<'_>) -> Result<Vec<Image>> {
    todo!()
}
/// `docker save`: each name is a reference or an id; an OCI layout plus `manifest.json`, readable by docker, podman, skopeo.
pub fn save(store: &Store, names: &[String], archive: impl Write) -> Result<()> {
    todo!()
}
/// What `docker import` adds to the bare tar.
#[derive(Debug, Clone, Default)]
pub struct Import<'a> {
    pub name: Option<&'a Reference>,
    /// Dockerfile instructions: `CMD ["sh"]`.
    pub changes: &'a [String],
    pub message: &'a str,
    pub platform: Option<&'a images::Platform>,
}
/// `docker import`: one layer out of a tar, gzipped or not.
pub fn import(store: &Store, snapshots: &Snapshots, tar: impl Read, import: &Import<'_>, sink: Sink<'_>) -> Result<Image> {
    todo!()
}
/// The image of this executable, `hello:latest`, label `org.coracle.hello=true`; made if it is not there or of another executable.
pub fn hello(store: &Store, snapshots: &Snapshots) -> Result<Image> {
    todo!()
}
