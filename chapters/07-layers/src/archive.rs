//! Images as files: `save` and `load`.
//!
//! What is written is an OCI image layout in a tar, with Docker's `manifest.json` beside it, as Docker itself writes it since 25:
//! older dockers and podman read the latter, skopeo reads either.

mod load;
mod save;

pub use load::load;
pub use save::save;

use serde::{Deserialize, Serialize};

/// An entry of `manifest.json`; paths are those of the archive.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DockerManifest {
    config: String,
    /// Go writes no tags as `null`.
    repo_tags: Option<Vec<String>>,
    layers: Vec<String>,
}

/// The name of an image in an index that containerd wrote.
const CONTAINERD_NAME: &str = "io.containerd.image.name";
