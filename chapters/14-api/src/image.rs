//! Images.

use crate::{ContainerConfig, Labels};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One of `GET /images/json`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ImageSummary {
    /// `Id`
    pub id: String,
    /// `ParentId`
    pub parent_id: String,
    /// `RepoTags`
    pub repo_tags: Option<Vec<String>>,
    /// `RepoDigests`
    pub repo_digests: Option<Vec<String>>,
    /// `Created`
    pub created: i64,
    /// `Size`
    pub size: i64,
    /// `VirtualSize`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub virtual_size: Option<i64>,
    /// `SharedSize`
    pub shared_size: i64,
    /// `Labels`
    pub labels: Option<Labels>,
    /// `Containers`
    pub containers: i64,
}

/// What `GET /images/{name}/json` answers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ImageInspect {
    /// `Id`
    pub id: String,
    /// `RepoTags`
    pub repo_tags: Option<Vec<String>>,
    /// `RepoDigests`
    pub repo_digests: Option<Vec<String>>,
    /// `Parent`
    pub parent: String,
    /// `Comment`
    pub comment: String,
    /// `Created`
    pub created: String,
    /// `Container`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// `ContainerConfig`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container_config: Option<ContainerConfig>,
    /// `DockerVersion`
    pub docker_version: String,
    /// `Author`
    pub author: String,
    /// `Config`
    pub config: ContainerConfig,
    /// `Architecture`
    pub architecture: String,
    /// `Variant`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// `Os`
    pub os: String,
    /// `Size`
    pub size: i64,
    /// `VirtualSize`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub virtual_size: Option<i64>,
    /// `GraphDriver`
    pub graph_driver: crate::GraphDriver,
    /// `RootFS`
    #[serde(rename = "RootFS")]
    pub rootfs: RootFs,
    /// `Metadata`
    pub metadata: ImageMetadata,
    /// `Manifests`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manifests: Option<Value>,
}

/// An image's layers by their diff IDs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct RootFs {
    /// `Type`
    #[serde(rename = "Type")]
    pub kind: String,
    /// `Layers`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layers: Option<Vec<String>>,
}

/// What this engine knows of an image besides its content.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ImageMetadata {
    /// `LastTagTime`
    pub last_tag_time: String,
}

/// One of `GET /images/{name}/history`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ImageHistoryItem {
    /// `Id`
    pub id: String,
    /// `Created`
    pub created: i64,
    /// `CreatedBy`
    pub created_by: String,
    /// `Tags`
    pub tags: Option<Vec<String>>,
    /// `Size`
    pub size: i64,
    /// `Comment`
    pub comment: String,
}

/// One of `DELETE /images/{name}`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ImageDeleteItem {
    /// `Untagged`
    #[serde(skip_serializing_if = "String::is_empty")]
    pub untagged: String,
    /// `Deleted`
    #[serde(skip_serializing_if = "String::is_empty")]
    pub deleted: String,
}
