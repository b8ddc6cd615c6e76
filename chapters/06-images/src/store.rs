//! Where images lie on disk: an OCI image layout (OCI image spec, `image-layout.md`) that skopeo and umoci open as well.
//!
//! ```text
//! oci-layout            {"imageLayoutVersion":"1.0.0"}
//! index.json            one entry a name; the name is its annotation org.opencontainers.image.ref.name
//! blobs/sha256/<hex>    manifests, configs, layers as they travelled
//! ingest/               blobs in the making, each locked by its writer
//! ```
//!
//! An entry's name is a full reference, `docker.io/library/busybox:latest`, or the same repository with the digest it was
//! pulled by, `docker.io/library/busybox@sha256:…` (Docker's `RepoDigests`). An entry without a name is a dangling image.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::{
    CONFIG_LIMIT, Descriptor, Digest, Document, Error, ErrorKind, ImageConfig, Index, MANIFEST_LIMIT,
    Manifest, Platform, Reference, Result, media,
};

mod blobs;
mod collect;
mod names;

pub use blobs::Writer;
pub use collect::Ingest;

/// An image store. One process uses a store at a time (the daemon holds its data root's lock); within it, threads share one.
#[derive(Debug)]
pub struct Store {
    dir: PathBuf,
    /// Guards nothing on disk: counts the ingests, so that no blob is collected between its arrival and its name.
    ingests: Mutex<collect::Ingests>,
}

/// An image of the store, for this machine.
#[derive(Debug, Clone)]
pub struct Image {
    /// The digest of its config: what Docker calls the image's id.
    pub id: Digest,
    /// Its manifest's place in the store.
    pub descriptor: Descriptor,
    /// Its parts.
    pub manifest: Manifest,
    /// How to run it.
    pub config: ImageConfig,
    /// All its names, tags first; `repo@digest` as it was pulled.
    pub names: Vec<Reference>,
}

impl Store {
    /// Opens the layout at `dir`, or makes one; removes what killed writers left behind.
    pub fn open(dir: impl Into<PathBuf>) -> Result<Store> {
        let store = Store { dir: dir.into(), ingests: Mutex::default() };
        for folder in [store.dir.join("blobs/sha256"), store.dir.join("ingest")] {
            fs::create_dir_all(&folder).map_err(|e| Error::system(format!("mkdir({folder:?})"), e))?;
        }
        blobs::remove_stale(&store.dir.join("ingest"))?;
        let version = store.dir.join("oci-layout");
        if !version.exists() {
            store.replace_file(&version, br#"{"imageLayoutVersion":"1.0.0"}"#)?;
        }
        Ok(store)
    }

    /// The layout's folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The image that `text` means: a name, an id, or the beginning of an id. NotFound reads `No such image: busybox:latest`.
    pub fn resolve(&self, text: &str) -> Result<Image> {
        let index = self.index()?;
        let by_name = Reference::parse(text);
        if let Ok(reference) = &by_name
            && let Some(entry) = names::find(&index, reference)
        {
            return self.image(entry, &index);
        }
        let hex = text.strip_prefix("sha256:").unwrap_or(text);
        if let Some(image) = self.by_id_prefix(hex, &index)? {
            return Ok(image);
        }
        let shown = match by_name {
            Ok(reference) => reference.familiar(),
            Err(_) if Digest::from_hex(hex).is_some() => format!("sha256:{hex}"),
            Err(refusal) => return Err(refusal),
        };
        Err(Error::new(ErrorKind::NotFound, format!("No such image: {shown}")))
    }

    /// All images, each once however many names it has, in the order of the index. An entry that is damaged is left out:
    /// resolving it by name says what is wrong.
    pub fn images(&self) -> Result<Vec<Image>> {
        let index = self.index()?;
        let mut images: Vec<Image> = Vec::new();
        for entry in &index.manifests {
            match self.image(entry, &index) {
                Ok(image) if images.iter().any(|known| known.id == image.id) => (),
                Ok(image) => images.push(image),
                Err(_) => (),
            }
        }
        Ok(images)
    }

    /// The image that an index entry or any other manifest descriptor points to; of a manifest list, this machine's.
    pub fn load(&self, descriptor: &Descriptor) -> Result<Image> {
        self.image(descriptor, &self.index()?)
    }

    fn image(&self, entry: &Descriptor, index: &Index) -> Result<Image> {
        let (descriptor, manifest) = self.manifest(entry)?;
        let id = manifest.config.digest;
        let config = ImageConfig::parse(&self.read(&manifest.config, CONFIG_LIMIT)?)?;
        if config.rootfs.diff_ids.len() != manifest.layers.len() {
            let message =
                format!("invalid image {id}: its manifest and its config differ in their number of layers");
            return Err(Error::new(ErrorKind::InvalidDocument, message));
        }
        let same = |other: &&Descriptor| {
            other.digest == entry.digest || self.manifest(other).is_ok_and(|(_, m)| m.config.digest == id)
        };
        let mut names: Vec<_> = index.manifests.iter().filter(same).filter_map(names::name_of).collect();
        names.sort_by_key(|name| (name.digest.is_some(), name.to_string()));
        Ok(Image { id, descriptor, manifest, config, names })
    }

    /// The manifest behind an entry, through a manifest list if it points to one.
    fn manifest(&self, entry: &Descriptor) -> Result<(Descriptor, Manifest)> {
        let mut descriptor = Descriptor { annotations: Default::default(), ..entry.clone() };
        for _ in 0..2 {
            let bytes = self.read(&descriptor, MANIFEST_LIMIT)?;
            match Document::parse(&bytes, Some(&descriptor.media_type))? {
                Document::Manifest(manifest) => return Ok((descriptor, manifest)),
                Document::Index(index) => descriptor = Platform::host().select(&index.manifests)?.clone(),
            }
        }
        let message = format!("{}: a manifest list within a manifest list", entry.digest);
        Err(Error::new(ErrorKind::InvalidDocument, message))
    }

    fn by_id_prefix(&self, hex: &str, index: &Index) -> Result<Option<Image>> {
        if hex.is_empty() || hex.len() > 64 || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Ok(None);
        }
        let mut found: Option<(Digest, &Descriptor)> = None;
        for entry in &index.manifests {
            let Ok((_, manifest)) = self.manifest(entry) else {
                continue;
            };
            let id = manifest.config.digest;
            match found {
                // Two images begin like that: Docker says that there is none.
                Some((other, _)) if id.hex().starts_with(hex) && other != id => return Ok(None),
                None if id.hex().starts_with(hex) => found = Some((id, entry)),
                _ => (),
            }
        }
        found.map(|(_, entry)| self.image(entry, index)).transpose()
    }

    /// A whole small blob, checked against its descriptor.
    pub fn read(&self, descriptor: &Descriptor, limit: u64) -> Result<Vec<u8>> {
        if descriptor.size > limit {
            let message = format!("{} is larger than {limit} bytes", descriptor.digest);
            return Err(Error::new(ErrorKind::InvalidDocument, message));
        }
        let mut bytes = Vec::with_capacity(descriptor.size as usize);
        let file = self.blob(&descriptor.digest)?;
        file.take(limit + 1).read_to_end(&mut bytes).map_err(|e| Error::system("read()", e))?;
        if Digest::of(&bytes) != descriptor.digest {
            let message = format!("{} is damaged: its content has another digest", descriptor.digest);
            return Err(Error::new(ErrorKind::DigestMismatch, message));
        }
        Ok(bytes)
    }

    /// A blob, to be streamed.
    pub fn blob(&self, digest: &Digest) -> Result<File> {
        let path = self.blob_path(digest);
        File::open(&path).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => {
                Error::new(ErrorKind::NotFound, format!("blob {digest} is not in the store"))
            }
            _ => Error::system(format!("open({path:?})"), e),
        })
    }

    /// Whether the store has the content, in its whole length.
    pub fn has(&self, descriptor: &Descriptor) -> bool {
        fs::metadata(self.blob_path(&descriptor.digest)).is_ok_and(|m| m.len() == descriptor.size)
    }

    /// Stores a small document durably.
    pub fn put(&self, media_type: &str, content: &[u8]) -> Result<Descriptor> {
        let descriptor = Descriptor::of(media_type, content);
        if !self.has(&descriptor) {
            self.replace_file(&self.blob_path(&descriptor.digest), content)?;
        }
        Ok(descriptor)
    }

    fn blob_path(&self, digest: &Digest) -> PathBuf {
        self.dir.join("blobs/sha256").join(digest.hex())
    }
}

/// Puts an image together out of a config and layers that are in the store, as an OCI manifest.
impl Store {
    /// Stores `config` and a manifest over `layers`, and returns the manifest's descriptor, ready for [`Store::tag`].
    pub fn compose(&self, config: &ImageConfig, layers: Vec<Descriptor>) -> Result<Descriptor> {
        let config = self.put_json(media::OCI_CONFIG, config)?;
        self.put_json(media::OCI_MANIFEST, &Manifest::new(config, layers))
    }

    fn put_json(&self, media_type: &str, document: &impl serde::Serialize) -> Result<Descriptor> {
        let json = serde_json::to_vec(document)
            .map_err(|e| Error::new(ErrorKind::InvalidDocument, e.to_string()))?;
        self.put(media_type, &json)
    }
}

#[cfg(test)]
mod tests;
