//! Images.

use serde::{Deserialize, Serialize};

use crate::{ContainerConfig, GraphDriver, Texts};

/// One line of `GET /images/json`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs, reason = "the words of `docker images`")]
pub struct ImageSummary {
    pub id: String,
    pub parent_id: String,
    pub repo_tags: Vec<String>,
    pub repo_digests: Vec<String>,
    /// Seconds since 1970.
    pub created: i64,
    /// Bytes.
    pub size: i64,
    /// Bytes, or -1 for: not counted.
    pub shared_size: i64,
    /// What `size` was called before version 1.44 of the API.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub virtual_size: Option<i64>,
    pub labels: Option<Texts>,
    /// How many, or -1 for: not counted.
    pub containers: i64,
}

/// `GET /images/{name}/json`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs, reason = "the words of `docker inspect`")]
pub struct ImageInspect {
    pub id: String,
    pub repo_tags: Vec<String>,
    pub repo_digests: Vec<String>,
    pub parent: String,
    pub comment: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    pub docker_version: String,
    pub author: String,
    pub config: ContainerConfig,
    pub architecture: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    pub os: String,
    /// Bytes.
    pub size: i64,
    /// What `size` was called before version 1.44 of the API.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub virtual_size: Option<i64>,
    pub graph_driver: GraphDriver,
    #[serde(rename = "RootFS")]
    pub root_fs: ImageRootFs,
    pub metadata: ImageMetadata,
}

/// An image's layers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ImageRootFs {
    /// `layers`.
    #[serde(rename = "Type")]
    pub kind: String,
    /// By the digest of their uncompressed tar, the lowest first.
    pub layers: Vec<String>,
}

/// What only this engine knows of an image.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ImageMetadata {
    /// When it was given its last name.
    pub last_tag_time: String,
}

/// One line of `GET /images/{name}/history`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs, reason = "the words of `docker history`")]
pub struct ImageHistoryItem {
    pub id: String,
    /// Seconds since 1970.
    pub created: i64,
    pub created_by: String,
    pub tags: Option<Vec<String>>,
    /// Bytes.
    pub size: i64,
    pub comment: String,
}

/// One line of `DELETE /images/{name}`: exactly one field is there.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ImageDeleteItem {
    /// A name that is no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub untagged: Option<String>,
    /// A digest that is no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted: Option<String>,
}
