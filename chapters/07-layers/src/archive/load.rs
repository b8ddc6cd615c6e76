//! `docker load`: archives of `docker save`, old and new, and of OCI layouts.
//!
//! An archive says only at its end what its parts are. So every file in it becomes a blob of the store on its way past; when the
//! archive has been read, the images are put together, and what none of them needs is collected.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};

use images::{
    CONFIG_LIMIT, Descriptor, Digest, Document, Image, Index, MANIFEST_LIMIT, Manifest, Platform, Reference,
    Store, media,
};

use super::{CONTAINERD_NAME, DockerManifest};
use crate::compression::{Compression, Unpacked};
use crate::ensure::unpack_image;
use crate::entry::{Entry, Kind};
use crate::members::Members;
use crate::{Error, ErrorKind, Progress, Result, Sink, Snapshots, stream};

/// Loads an archive, gzipped or not; returns the images in its order. The sink hears of every layer and every name.
pub fn load(store: &Store, snapshots: &Snapshots, archive: impl Read, sink: Sink<'_>) -> Result<Vec<Image>> {
    // Nothing is collected before the images have their names; then all that none of them needs goes.
    let ingest = store.ingest();
    let loaded = Parts::read(store, archive).map_err(Error::processing).and_then(|parts| {
        let found = if parts.paths.contains_key("manifest.json") { parts.docker()? } else { parts.oci()? };
        found.into_iter().map(|found| found.finish(store, snapshots, sink)).collect()
    });
    store.collect()?;
    drop(ingest);
    loaded
}

/// An image of the archive, and its names there.
struct Found {
    manifest: Descriptor,
    names: Vec<Reference>,
}

impl Found {
    fn finish(self, store: &Store, snapshots: &Snapshots, sink: Sink<'_>) -> Result<Image> {
        let image = store.load(&self.manifest)?;
        let held = snapshots.hold(&crate::chain_ids(&image.config.rootfs.diff_ids));
        unpack_image(store, snapshots, &image, &|layer, current, total| {
            sink(Progress::LoadingLayer { layer: layer.short(), current, total })
        })?;
        for name in &self.names {
            store.tag(name, &self.manifest)?;
            sink(Progress::Loaded(format!("Loaded image: {}", name.familiar())));
        }
        if self.names.is_empty() {
            store.keep_unnamed(&self.manifest)?;
            sink(Progress::Loaded(format!("Loaded image ID: {}", image.id)));
        }
        drop(held);
        Ok(store.load(&self.manifest)?)
    }
}

/// The files of an archive, in the store.
struct Parts<'a> {
    store: &'a Store,
    paths: BTreeMap<String, Descriptor>,
}

impl Parts<'_> {
    fn read<'a>(store: &'a Store, archive: impl Read) -> Result<Parts<'a>> {
        let plain = Unpacked::new(BufReader::with_capacity(stream::PIECE, archive))?;
        let mut members = Members::new(BufReader::with_capacity(stream::PIECE, plain));
        let (mut paths, mut links) = (BTreeMap::new(), Vec::new());
        while let Some(member) = members.next()? {
            let entry = Entry::read(&member)?;
            match &entry.kind {
                Kind::File { .. } => drop(paths.insert(entry.path(), store_file(store, &mut members)?)),
                // Old dockers write a layer that comes twice as a link to its first place.
                Kind::Symlink { target } => links.push((entry.path(), beside(&entry, target))),
                Kind::HardLink { folder, name } => {
                    links.push((
                        entry.path(),
                        [String::from_utf8_lossy(folder), String::from_utf8_lossy(name)].join("/"),
                    ));
                }
                _ => (),
            }
        }
        for (path, target) in links {
            if let Some(part) = paths.get(target.trim_start_matches('/')).cloned() {
                paths.insert(path, part);
            }
        }
        Ok(Parts { store, paths })
    }

    /// The images of `manifest.json`.
    fn docker(&self) -> Result<Vec<Found>> {
        let manifests: Vec<DockerManifest> = self.json("manifest.json")?;
        let found = manifests.into_iter().map(|entry| {
            let names = entry.repo_tags.unwrap_or_default();
            let names =
                names.iter().map(|name| Reference::parse(name)).collect::<std::result::Result<_, _>>()?;
            let config =
                Descriptor { media_type: media::OCI_CONFIG.into(), ..self.part(&entry.config)?.clone() };
            if config.size > CONFIG_LIMIT {
                return Err(invalid(&format!("{} is larger than 8 MiB", entry.config)));
            }
            let manifest = match self.manifest_of(&config.digest) {
                // The archive is an OCI layout as well: its manifest, and so its digest, is kept.
                Some(manifest) => manifest,
                None => self.compose(config, &entry.layers)?,
            };
            Ok(Found { manifest, names })
        });
        found.collect()
    }

    /// The images of `index.json`: of a list of machines, this one's.
    fn oci(&self) -> Result<Vec<Found>> {
        if !self.paths.contains_key("index.json") {
            return Err(invalid("does not contain a manifest.json"));
        }
        let index: Index = self.json("index.json")?;
        let mut found: Vec<Found> = Vec::new();
        for entry in &index.manifests {
            let name =
                entry.annotations.get(CONTAINERD_NAME).or_else(|| entry.annotations.get(media::REF_NAME));
            let name = name.map(|name| Reference::parse(name)).transpose()?;
            let manifest = self.choose(entry)?;
            match found.iter_mut().find(|known| known.manifest.digest == manifest.digest) {
                Some(known) => known.names.extend(name),
                None => found.push(Found { manifest, names: name.into_iter().collect() }),
            }
        }
        Ok(found)
    }

    fn choose(&self, entry: &Descriptor) -> Result<Descriptor> {
        let document = Document::parse(&self.store.read(entry, MANIFEST_LIMIT)?, Some(&entry.media_type))?;
        let plain = |entry: &Descriptor| Descriptor { annotations: BTreeMap::new(), ..entry.clone() };
        Ok(match document {
            Document::Manifest(_) => plain(entry),
            Document::Index(index) => plain(Platform::host().select(&index.manifests)?),
        })
    }

    /// A manifest of the archive's index over this config, complete with its layers.
    fn manifest_of(&self, config: &Digest) -> Option<Descriptor> {
        let index: Index = self.json("index.json").ok()?;
        let manifests = index.manifests.iter().filter_map(|entry| self.choose(entry).ok());
        manifests.into_iter().find(|entry| {
            let bytes = self.store.read(entry, MANIFEST_LIMIT).ok();
            let manifest = bytes.and_then(|bytes| Document::parse(&bytes, Some(&entry.media_type)).ok());
            matches!(manifest, Some(Document::Manifest(m))
                if m.config.digest == *config && m.layers.iter().all(|layer| self.store.has(layer)))
        })
    }

    fn compose(&self, config: Descriptor, layers: &[String]) -> Result<Descriptor> {
        let layers = layers.iter().map(|path| {
            let part = self.part(path)?;
            let mut head = Vec::new();
            self.store.blob(&part.digest)?.take(8).read_to_end(&mut head)?;
            let media_type = match Compression::detect(&head)? {
                Compression::Plain => media::OCI_LAYER,
                Compression::Gzip => media::OCI_LAYER_GZIP,
            };
            Ok(Descriptor { media_type: media_type.into(), ..part.clone() })
        });
        let manifest = Manifest::new(config, layers.collect::<Result<_>>()?);
        let json = serde_json::to_vec(&manifest).map_err(|e| invalid(&e.to_string()))?;
        Ok(self.store.put(media::OCI_MANIFEST, &json)?)
    }

    fn part(&self, path: &str) -> Result<&Descriptor> {
        self.paths.get(path).ok_or_else(|| invalid(&format!("does not contain {path}")))
    }

    fn json<T: serde::de::DeserializeOwned>(&self, path: &str) -> Result<T> {
        let bytes = self.store.read(self.part(path)?, MANIFEST_LIMIT)?;
        serde_json::from_slice(&bytes).map_err(|e| invalid(&format!("{path}: {e}")))
    }
}

fn store_file<R: BufRead>(store: &Store, content: &mut Members<R>) -> Result<Descriptor> {
    let mut writer = store.writer()?;
    loop {
        let there = content.fill_buf()?;
        if there.is_empty() {
            return Ok(writer.finish_any("application/octet-stream")?);
        }
        let length = there.len();
        writer.write_all(there)?;
        content.consume(length);
    }
}

/// The path that a link in the entry's folder leads to, by its text.
fn beside(entry: &Entry, target: &[u8]) -> String {
    let mut parts: Vec<&[u8]> = entry.folder.split(|b| *b == b'/').collect();
    for part in target.split(|b| *b == b'/') {
        match part {
            b".." => drop(parts.pop()),
            b"" | b"." => (),
            part => parts.push(part),
        }
    }
    String::from_utf8_lossy(&parts.join(&b'/')).into_owned()
}

fn invalid(reason: &str) -> Error {
    Error::new(ErrorKind::InvalidParameter, format!("invalid archive: {reason}"))
}
