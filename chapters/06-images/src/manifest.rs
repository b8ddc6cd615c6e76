//! Manifests and indexes, Docker's and OCI's: one document is exactly one of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Descriptor, Error, ErrorKind, media};

/// A manifest larger than this many bytes is refused (the distribution spec asks for at least 4 MiB).
pub const MANIFEST_LIMIT: u64 = 4 << 20;
/// A config larger than this many bytes is refused.
pub const CONFIG_LIMIT: u64 = 8 << 20;

/// One image for one machine: a config and layers, lowest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// Always 2.
    pub schema_version: u32,
    /// What it says it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// The image's config; its digest is the image's id.
    pub config: Descriptor,
    /// The layers, lowest first, as they travel (compressed).
    pub layers: Vec<Descriptor>,
    /// Keys and values of whoever wrote it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// Manifests by machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    /// Always 2.
    pub schema_version: u32,
    /// What it says it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// One for each machine.
    pub manifests: Vec<Descriptor>,
    /// Keys and values of whoever wrote it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// What a registry answers when asked for a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Document {
    /// One image.
    Manifest(Manifest),
    /// A choice of images.
    Index(Index),
}

impl Manifest {
    /// An OCI manifest of these parts.
    pub fn new(config: Descriptor, layers: Vec<Descriptor>) -> Manifest {
        let media_type = Some(media::OCI_MANIFEST.into());
        Manifest { schema_version: 2, media_type, config, layers, annotations: BTreeMap::new() }
    }
}

/// The same image in OCI's words: config and layers, and so the image's id, stay what they are.
impl Manifest {
    /// Docker's media types replaced by OCI's.
    pub fn to_oci(&self) -> Manifest {
        let renamed = |part: &Descriptor| {
            let media_type = match part.media_type.as_str() {
                media::DOCKER_CONFIG => media::OCI_CONFIG,
                media::DOCKER_LAYER => media::OCI_LAYER,
                media::DOCKER_LAYER_GZIP => media::OCI_LAYER_GZIP,
                other => other,
            };
            Descriptor { media_type: media_type.into(), ..part.clone() }
        };
        Manifest::new(renamed(&self.config), self.layers.iter().map(renamed).collect())
    }
}

/// The fields that tell the kinds apart.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shape {
    schema_version: u32,
    media_type: Option<String>,
    manifests: Option<serde_json::Value>,
    config: Option<serde_json::Value>,
    layers: Option<serde_json::Value>,
    fs_layers: Option<serde_json::Value>,
}

impl Document {
    /// Reads a document. `content_type` is the Content-Type header or the descriptor's media type, when there was one.
    ///
    /// A document that could be read as both kinds, or calls itself otherwise than its transport does, is refused: two readers
    /// could take one digest for two different images (CVE-2021-41190).
    pub fn parse(bytes: &[u8], content_type: Option<&str>) -> Result<Document, Error> {
        let invalid =
            |reason: &str| Error::new(ErrorKind::InvalidDocument, format!("invalid manifest: {reason}"));
        if bytes.len() as u64 > MANIFEST_LIMIT {
            return Err(invalid("larger than 4 MiB"));
        }
        let shape: Shape = serde_json::from_slice(bytes).map_err(|e| invalid(&e.to_string()))?;
        if shape.schema_version == 1 || shape.fs_layers.is_some() {
            let message = "Docker Image manifest version 2, schema 1 is not supported: \
                           rebuild the image, or copy it with `skopeo copy --format v2s2`";
            return Err(Error::new(ErrorKind::NotSupported, message));
        }
        let media_type = agreed_type(&shape, content_type).map_err(|reason| invalid(&reason))?;
        let parsed = match (shape.manifests.is_some(), shape.config.is_some() || shape.layers.is_some()) {
            (true, true) => return Err(invalid("it is both an index and a manifest (CVE-2021-41190)")),
            (true, false) => serde_json::from_slice(bytes).map(Document::Index),
            _ => serde_json::from_slice(bytes).map(Document::Manifest),
        };
        let document = parsed.map_err(|e| invalid(&e.to_string()))?;
        match media_type {
            Some(name) if !document.may_be_called(name) => Err(invalid(&format!("it is no {name}"))),
            _ => Ok(document),
        }
    }

    fn may_be_called(&self, media_type: &str) -> bool {
        match self {
            Document::Manifest(_) => [media::OCI_MANIFEST, media::DOCKER_MANIFEST].contains(&media_type),
            Document::Index(_) => [media::OCI_INDEX, media::DOCKER_INDEX].contains(&media_type),
        }
    }
}

/// The media type that document and transport agree on. Transports that say only "JSON" or "bytes" say nothing.
fn agreed_type<'a>(shape: &'a Shape, content_type: Option<&'a str>) -> Result<Option<&'a str>, String> {
    let inside = shape.media_type.as_deref().filter(|m| !m.is_empty());
    let outside = content_type
        .map(|m| m.split(';').next().unwrap_or_default().trim())
        .filter(|m| m.starts_with("application/vnd."));
    match (inside, outside) {
        (Some(inside), Some(outside)) if inside != outside => {
            Err(format!("it calls itself {inside} and was sent as {outside} (CVE-2021-41190)"))
        }
        (inside, outside) => Ok(inside.or(outside)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn verdict(text: &str, content_type: Option<&str>) -> String {
        match Document::parse(text.replace("HEX", HEX).as_bytes(), content_type) {
            Ok(Document::Manifest(m)) => format!("manifest of {} layers", m.layers.len()),
            Ok(Document::Index(i)) => format!("index of {}", i.manifests.len()),
            Err(refusal) => refusal.to_string(),
        }
    }

    #[test]
    fn tells_the_kinds_apart() {
        let config = r#""config":{"mediaType":"m","digest":"HEX","size":3}"#;
        let layers = r#""layers":[{"mediaType":"m","digest":"HEX","size":3}]"#;
        let manifests = r#""manifests":[{"mediaType":"m","digest":"HEX","size":3}]"#;
        let named = |kind: &str, rest: &str| format!(r#"{{"schemaVersion":2,"mediaType":"{kind}",{rest}}}"#);
        let both = format!("{config},{layers}");
        let verdicts = [
            verdict(&named(media::OCI_MANIFEST, &both), Some(media::OCI_MANIFEST)),
            verdict(&named(media::DOCKER_MANIFEST, &both), Some("application/json; charset=utf-8")),
            verdict(&format!(r#"{{"schemaVersion":2,{manifests}}}"#), Some(media::OCI_INDEX)),
            verdict(&format!(r#"{{"schemaVersion":2,{manifests},{both}}}"#), None),
            verdict(&named(media::OCI_INDEX, &both), None),
            verdict(&named(media::OCI_MANIFEST, &both), Some(media::DOCKER_MANIFEST)),
            verdict(r#"{"schemaVersion":1,"fsLayers":[]}"#, None),
            verdict(r#"{"schemaVersion":2}"#, None),
            verdict("<html>", None),
        ];
        insta::assert_snapshot!(verdicts.join("\n"));
    }

    #[test]
    fn refuses_a_large_one() {
        let large = " ".repeat(MANIFEST_LIMIT as usize + 1);
        assert_eq!(verdict(&large, None), "invalid manifest: larger than 4 MiB");
    }
}
