//! `docker save`: each blob once, whatever number of images has it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};

use images::{Descriptor, Digest, Image, Index, Reference, Store, media};
use tar::Builder;

use super::{CONTAINERD_NAME, DockerManifest};
use crate::pack::plain_header;
use crate::{Error, ErrorKind, Result};

/// Writes the images of these names. A name without a tag means all tags of its repository; an id brings no name along.
pub fn save(store: &Store, names: &[String], archive: impl Write) -> Result<()> {
    let chosen = choose(store, names)?;
    let mut tar = Builder::new(archive);
    let mut written = BTreeSet::new();
    for (image, _) in &chosen {
        let parts = [&image.manifest.config, &image.descriptor];
        for part in image.manifest.layers.iter().chain(parts) {
            if written.insert(part.digest) {
                let blob = store.blob(&part.digest)?;
                append(&mut tar, &blob_path(&part.digest), part.size, blob.take(part.size))?;
            }
        }
    }
    append_json(&mut tar, "index.json", &index(&chosen))?;
    append_json(&mut tar, "manifest.json", &docker_manifests(&chosen))?;
    append(&mut tar, "oci-layout", 30, &br#"{"imageLayoutVersion":"1.0.0"}"#[..])?;
    append_json(&mut tar, "repositories", &repositories(&chosen))?;
    tar.finish()?;
    Ok(())
}

/// Each image once, with the names that were asked for.
fn choose(store: &Store, names: &[String]) -> Result<Vec<(Image, Vec<Reference>)>> {
    let mut chosen: Vec<(Image, Vec<Reference>)> = Vec::new();
    let mut add = |image: Image, name: Option<Reference>| {
        let place = chosen.iter().position(|(known, _)| known.id == image.id).unwrap_or_else(|| {
            chosen.push((image, Vec::new()));
            chosen.len() - 1
        });
        chosen[place].1.extend(name);
    };
    for text in names {
        let repository = Reference::parse(text).ok().filter(|name| name.familiar_name() == *text);
        let of_repository: Vec<(Image, Reference)> = match repository {
            Some(repository) => tags_of(store, &repository)?,
            None => Vec::new(),
        };
        if of_repository.is_empty() {
            let image = store.resolve(text)?;
            let name = Reference::parse(text)
                .ok()
                .filter(|name| image.names.contains(name) && name.digest.is_none());
            add(image, name);
        }
        of_repository.into_iter().for_each(|(image, name)| add(image, Some(name)));
    }
    Ok(chosen)
}

fn tags_of(store: &Store, repository: &Reference) -> Result<Vec<(Image, Reference)>> {
    let mut found = Vec::new();
    for image in store.images()? {
        for name in &image.names {
            let same = (&name.domain, &name.path) == (&repository.domain, &repository.path);
            if same && name.digest.is_none() {
                found.push((image.clone(), name.clone()));
            }
        }
    }
    Ok(found)
}

fn index(chosen: &[(Image, Vec<Reference>)]) -> Index {
    let entry = |image: &Image, name: Option<&Reference>| {
        let mut entry = Descriptor { platform: Some(image.config.platform()), ..image.descriptor.clone() };
        if let Some(name) = name {
            entry.annotations.insert(CONTAINERD_NAME.into(), name.to_string());
            entry.annotations.insert(media::REF_NAME.into(), name.tag.clone().unwrap_or_default());
        }
        entry
    };
    let manifests = chosen.iter().flat_map(|(image, names)| match names.is_empty() {
        true => vec![entry(image, None)],
        false => names.iter().map(|name| entry(image, Some(name))).collect(),
    });
    let media_type = Some(media::OCI_INDEX.into());
    Index { schema_version: 2, media_type, manifests: manifests.collect(), annotations: BTreeMap::new() }
}

fn docker_manifests(chosen: &[(Image, Vec<Reference>)]) -> Vec<DockerManifest> {
    let manifest = |(image, names): &(Image, Vec<Reference>)| DockerManifest {
        config: blob_path(&image.manifest.config.digest),
        repo_tags: (!names.is_empty()).then(|| names.iter().map(Reference::familiar).collect()),
        layers: image.manifest.layers.iter().map(|layer| blob_path(&layer.digest)).collect(),
    };
    chosen.iter().map(manifest).collect()
}

/// Name -> tag -> top layer, for the oldest readers.
fn repositories(chosen: &[(Image, Vec<Reference>)]) -> BTreeMap<String, BTreeMap<String, String>> {
    let mut repositories: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for (image, names) in chosen {
        let top = image.manifest.layers.last().map(|layer| layer.digest.hex()).unwrap_or_default();
        for name in names {
            let tag = name.tag.clone().unwrap_or_default();
            repositories.entry(name.familiar_name()).or_default().insert(tag, top.clone());
        }
    }
    repositories
}

fn blob_path(digest: &Digest) -> String {
    format!("blobs/sha256/{}", digest.hex())
}

fn append_json(tar: &mut Builder<impl Write>, path: &str, document: &impl serde::Serialize) -> Result<()> {
    let json = serde_json::to_vec(document).map_err(|e| Error::new(ErrorKind::System, e.to_string()))?;
    append(tar, path, json.len() as u64, &json[..])
}

fn append(tar: &mut Builder<impl Write>, path: &str, size: u64, content: impl Read) -> Result<()> {
    let mut header = plain_header(0o644, size);
    header.set_path(path)?;
    header.set_cksum();
    Ok(tar.append(&header, content)?)
}
