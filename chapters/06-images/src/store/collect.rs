//! Which blobs are still needed: everything that a manifest of the index reaches. The rest goes, unless an image is just coming in.

use std::collections::BTreeSet;
use std::fs;
use std::sync::PoisonError;

use super::Store;
use crate::{Descriptor, Digest, Document, Error, MANIFEST_LIMIT, Result};

/// The state behind [`Ingest`].
#[derive(Debug, Default)]
pub(super) struct Ingests {
    active: usize,
    /// A collection was asked for while something came in: the last ingest makes up for it.
    owed: bool,
}

/// As long as one lives, no blob is collected. A pull holds one from its first blob until its image has a name.
#[derive(Debug)]
pub struct Ingest<'a> {
    store: &'a Store,
}

impl Store {
    /// Announces that blobs come in before an image names them.
    pub fn ingest(&self) -> Ingest<'_> {
        self.ingests.lock().unwrap_or_else(PoisonError::into_inner).active += 1;
        Ingest { store: self }
    }

    /// Removes blobs that no image needs; while something is coming in, that is put off until it is done.
    pub fn collect(&self) -> Result<()> {
        let mut ingests = self.ingests.lock().unwrap_or_else(PoisonError::into_inner);
        ingests.owed = ingests.active > 0;
        if ingests.owed { Ok(()) } else { self.remove_unreached() }
    }

    /// Removes one blob, unless an image needs it: it turned out to be good for nothing.
    pub fn discard(&self, digest: &Digest) -> Result<()> {
        let _ingests = self.ingests.lock().unwrap_or_else(PoisonError::into_inner);
        if self.reached()?.contains(digest) {
            return Ok(());
        }
        let path = self.blob_path(digest);
        fs::remove_file(&path).map_err(|e| Error::system(format!("unlink({path:?})"), e))
    }

    fn reached(&self) -> Result<BTreeSet<Digest>> {
        let mut reached = BTreeSet::new();
        for entry in &self.index()?.manifests {
            self.reach(entry, &mut reached)?;
        }
        Ok(reached)
    }

    /// A manifest that cannot be read ends the collection: what it needs is not known.
    fn remove_unreached(&self) -> Result<()> {
        let reached = self.reached()?;
        let folder = self.dir.join("blobs/sha256");
        let blobs = fs::read_dir(&folder).map_err(|e| Error::system(format!("open({folder:?})"), e))?;
        for blob in blobs.flatten() {
            let digest = blob.file_name().to_str().and_then(Digest::from_hex);
            if digest.is_some_and(|digest| !reached.contains(&digest)) {
                fs::remove_file(blob.path())
                    .map_err(|e| Error::system(format!("unlink({:?})", blob.path()), e))?;
            }
        }
        Ok(())
    }

    fn reach(&self, entry: &Descriptor, reached: &mut BTreeSet<Digest>) -> Result<()> {
        reached.insert(entry.digest);
        match Document::parse(&self.read(entry, MANIFEST_LIMIT)?, Some(&entry.media_type))? {
            Document::Manifest(manifest) => {
                reached.insert(manifest.config.digest);
                reached.extend(manifest.layers.iter().map(|layer| layer.digest));
            }
            // Of a list, only some machines' manifests need to be here.
            Document::Index(index) => {
                for manifest in index.manifests.iter().filter(|manifest| self.has(manifest)) {
                    self.reach(manifest, reached)?;
                }
            }
        }
        Ok(())
    }
}

impl Drop for Ingest<'_> {
    fn drop(&mut self) {
        let mut ingests = self.store.ingests.lock().unwrap_or_else(PoisonError::into_inner);
        ingests.active -= 1;
        if ingests.active == 0 && std::mem::take(&mut ingests.owed) {
            // Nobody to tell: what stays is collected the next time.
            let _ = self.store.remove_unreached();
        }
    }
}
