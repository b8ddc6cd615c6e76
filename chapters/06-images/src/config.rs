//! An image's config: how to run it, and which layers it is made of.
//!
//! Own types instead of oci-spec's, since Docker's images carry more (`Healthcheck`, `OnBuild`, `Shell`) and write `null`
//! where the specification knows only absence.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use crate::{Digest, Error, ErrorKind, Platform};

/// The document whose digest is the image's id (OCI image spec, `config.md`).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ImageConfig {
    /// When it was made, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// Who made it.
    #[serde(deserialize_with = "null_is_default", skip_serializing_if = "String::is_empty")]
    pub author: String,
    /// The processor, in Go's words.
    pub architecture: String,
    /// Its generation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// The operating system.
    pub os: String,
    /// A remark: what `import --message` said.
    #[serde(deserialize_with = "null_is_default", skip_serializing_if = "String::is_empty")]
    pub comment: String,
    /// The Docker that made it.
    #[serde(deserialize_with = "null_is_default", skip_serializing_if = "String::is_empty")]
    pub docker_version: String,
    /// How to run it.
    #[serde(deserialize_with = "null_is_default")]
    pub config: RunConfig,
    /// Its layers.
    pub rootfs: RootFs,
    /// How it was made, one entry a step.
    #[serde(deserialize_with = "null_is_default", skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<History>,
}

/// What a container of the image gets unless told otherwise. Names and meaning are Docker's.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
#[allow(missing_docs, reason = "the words of `docker run`")]
pub struct RunConfig {
    #[serde(deserialize_with = "null_is_default", skip_serializing_if = "String::is_empty")]
    pub user: String,
    #[serde(deserialize_with = "null_is_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub exposed_ports: BTreeMap<String, Empty>,
    #[serde(deserialize_with = "null_is_default", skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entrypoint: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cmd: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub healthcheck: Option<serde_json::Value>,
    #[serde(deserialize_with = "null_is_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub volumes: BTreeMap<String, Empty>,
    #[serde(deserialize_with = "null_is_default", skip_serializing_if = "String::is_empty")]
    pub working_dir: String,
    #[serde(deserialize_with = "null_is_default", skip_serializing_if = "Vec::is_empty")]
    pub on_build: Vec<String>,
    #[serde(deserialize_with = "null_is_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    #[serde(deserialize_with = "null_is_default", skip_serializing_if = "String::is_empty")]
    pub stop_signal: String,
    #[serde(deserialize_with = "null_is_default", skip_serializing_if = "Vec::is_empty")]
    pub shell: Vec<String>,
}

/// `{}`, the value of Go's sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Empty {}

/// The layers, lowest first, by the digest of their uncompressed tar.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RootFs {
    /// Always `layers`.
    #[serde(rename = "type")]
    pub kind: String,
    /// One for each layer of the manifest.
    #[serde(default, deserialize_with = "null_is_default")]
    pub diff_ids: Vec<Digest>,
}

impl Default for RootFs {
    fn default() -> RootFs {
        RootFs { kind: "layers".into(), diff_ids: Vec::new() }
    }
}

/// One step of an image's making.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct History {
    /// When, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// By which command.
    #[serde(deserialize_with = "null_is_default", skip_serializing_if = "String::is_empty")]
    pub created_by: String,
    /// By whom.
    #[serde(deserialize_with = "null_is_default", skip_serializing_if = "String::is_empty")]
    pub author: String,
    /// A remark.
    #[serde(deserialize_with = "null_is_default", skip_serializing_if = "String::is_empty")]
    pub comment: String,
    /// The step changed the config only.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub empty_layer: bool,
}

/// Go writes an empty list, map or struct pointer as `null`.
fn null_is_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

impl ImageConfig {
    /// Reads a config; refuses one whose layers are none.
    pub fn parse(bytes: &[u8]) -> Result<ImageConfig, Error> {
        let invalid = |reason: String| {
            Error::new(ErrorKind::InvalidDocument, format!("invalid image config: {reason}"))
        };
        let config: ImageConfig = serde_json::from_slice(bytes).map_err(|e| invalid(e.to_string()))?;
        if config.rootfs.kind != "layers" {
            return Err(invalid(format!("rootfs type \"{}\" is not \"layers\"", config.rootfs.kind)));
        }
        Ok(config)
    }

    /// The machine it is for.
    pub fn platform(&self) -> Platform {
        Platform {
            os: self.os.clone(),
            architecture: self.architecture.clone(),
            variant: self.variant.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_docker_writes() {
        let text = r#"{"architecture":"amd64","config":{"Hostname":"","User":"","AttachStdin":false,"Env":null,
            "Cmd":["sh"],"Image":"","Volumes":null,"ExposedPorts":{"80/tcp":{}},"WorkingDir":"","Entrypoint":null,"OnBuild":null,
            "Labels":null,"Healthcheck":{"Test":["NONE"]}},"created":"2026-01-01T00:00:00Z","os":"linux","history":null,
            "rootfs":{"type":"layers","diff_ids":null},"container_config":{"Cmd":["x"]}}"#;
        let config = ImageConfig::parse(text.as_bytes()).unwrap();
        assert_eq!(config.config.cmd, Some(vec!["sh".into()]));
        assert_eq!(config.config.exposed_ports.keys().collect::<Vec<_>>(), ["80/tcp"]);
        insta::assert_snapshot!(serde_json::to_string(&config).unwrap());
    }

    #[test]
    fn refuses_what_is_none() {
        let refusal = ImageConfig::parse(br#"{"rootfs":{"type":"windows"}}"#).unwrap_err();
        assert_eq!(refusal.to_string(), "invalid image config: rootfs type \"windows\" is not \"layers\"");
    }
}
