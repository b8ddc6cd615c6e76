//! The index: which name means which manifest. Every change is one read, change, write under a lock on the layout's folder.

use std::collections::BTreeMap;
use std::fs::{self, File};

use super::Store;
use crate::{Descriptor, Digest, Error, ErrorKind, Index, Reference, Result, media};

/// The name of an index entry, if it has one that parses.
pub(super) fn name_of(entry: &Descriptor) -> Option<Reference> {
    Reference::parse(entry.annotations.get(media::REF_NAME)?).ok()
}

/// The entry that a reference means. A digest decides, whatever tag stands next to it.
pub(super) fn find<'a>(index: &'a Index, reference: &Reference) -> Option<&'a Descriptor> {
    let same_repository =
        |name: &Reference| (&name.domain, &name.path) == (&reference.domain, &reference.path);
    index.manifests.iter().find(|entry| {
        name_of(entry).is_some_and(|name| {
            same_repository(&name)
                && match reference.digest {
                    Some(digest) => {
                        name.digest == Some(digest) || (name.digest.is_none() && entry.digest == digest)
                    }
                    None => name.digest.is_none() && name.tag == reference.tag,
                }
        })
    })
}

impl Store {
    /// Lets `name` mean `manifest`, which is in the store. Whatever the name meant before keeps its other names, or becomes a
    /// dangling image.
    ///
    /// Who reads the layout (skopeo) looks for names at OCI manifests only: a tag of a Docker manifest is put on the same
    /// manifest in OCI's words. A name with a digest stays with the manifest that has this digest.
    pub fn tag(&self, name: &Reference, manifest: &Descriptor) -> Result<()> {
        let ingest = self.ingest();
        let converted;
        let manifest = match name.digest {
            None if manifest.media_type == media::DOCKER_MANIFEST => {
                converted = self.convert(manifest)?;
                &converted
            }
            _ => manifest,
        };
        self.point(name, manifest)?;
        drop(ingest);
        Ok(())
    }

    fn convert(&self, manifest: &Descriptor) -> Result<Descriptor> {
        let (_, parsed) = self.manifest(manifest)?;
        self.put_json(media::OCI_MANIFEST, &parsed.to_oci())
    }

    fn point(&self, name: &Reference, manifest: &Descriptor) -> Result<()> {
        self.change_index(|index| {
            drop_name(index, name);
            let annotations = BTreeMap::from([(media::REF_NAME.to_string(), name.to_string())]);
            index.manifests.retain(|entry| !(entry.digest == manifest.digest && name_of(entry).is_none()));
            index.manifests.push(Descriptor { annotations, ..manifest.clone() });
        })
    }

    /// Keeps `manifest` without a name: the result of a load or an import that named nothing.
    pub fn keep_unnamed(&self, manifest: &Descriptor) -> Result<()> {
        self.change_index(|index| {
            if !index.manifests.iter().any(|entry| entry.digest == manifest.digest) {
                index.manifests.push(Descriptor { annotations: BTreeMap::new(), ..manifest.clone() });
            }
        })
    }

    /// Takes a name away. Whatever had it stays, as a dangling image if it was the last one.
    pub fn untag(&self, name: &Reference) -> Result<()> {
        let found = self.change_index(|index| drop_name(index, name))?;
        if found {
            return Ok(());
        }
        Err(Error::new(ErrorKind::NotFound, format!("No such image: {}", name.familiar())))
    }

    /// Removes an image with all its names, and all blobs that no other image needs.
    pub fn remove(&self, id: &Digest) -> Result<()> {
        self.change_index(|index| {
            index
                .manifests
                .retain(|e| !self.manifest(e).is_ok_and(|(_, manifest)| manifest.config.digest == *id));
        })?;
        self.collect()
    }

    pub(super) fn index(&self) -> Result<Index> {
        let path = self.dir.join("index.json");
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(empty_index()),
            Err(e) => return Err(Error::system(format!("open({path:?})"), e)),
        };
        serde_json::from_slice(&bytes)
            .map_err(|e| Error::new(ErrorKind::InvalidDocument, format!("{}: {e}", path.display())))
    }

    fn change_index<T>(&self, change: impl FnOnce(&mut Index) -> T) -> Result<T> {
        let folder = File::open(&self.dir).map_err(|e| Error::system(format!("open({:?})", self.dir), e))?;
        folder.lock().map_err(|e| Error::system(format!("flock({:?}, LOCK_EX)", self.dir), e))?;
        let mut index = self.index()?;
        let result = change(&mut index);
        let json =
            serde_json::to_vec(&index).map_err(|e| Error::new(ErrorKind::InvalidDocument, e.to_string()))?;
        self.replace_file(&self.dir.join("index.json"), &json)?;
        Ok(result)
    }
}

/// Takes a name off its entry; the entry itself stays if it is its manifest's last.
fn drop_name(index: &mut Index, name: &Reference) -> bool {
    let Some(place) = index.manifests.iter().position(|entry| name_of(entry).as_ref() == Some(name)) else {
        return false;
    };
    let mut entry = index.manifests.remove(place);
    if !index.manifests.iter().any(|other| other.digest == entry.digest) {
        entry.annotations.remove(media::REF_NAME);
        index.manifests.insert(place, entry);
    }
    true
}

fn empty_index() -> Index {
    let media_type = Some(media::OCI_INDEX.into());
    Index { schema_version: 2, media_type, manifests: Vec::new(), annotations: BTreeMap::new() }
}
