//! Containers in a list, and the small answers about them.

use crate::{EndpointSettings, Labels, MountPoint};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One of `GET /containers/json`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ContainerSummary {
    /// `Id`
    pub id: String,
    /// `Names`
    pub names: Vec<String>,
    /// `Image`
    pub image: String,
    /// `ImageID`
    #[serde(rename = "ImageID")]
    pub image_id: String,
    /// `Command`
    pub command: String,
    /// `Created`
    pub created: i64,
    /// `Ports`
    pub ports: Vec<Port>,
    /// `SizeRw`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_rw: Option<i64>,
    /// `SizeRootFs`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_root_fs: Option<i64>,
    /// `Labels`
    pub labels: Option<Labels>,
    /// `State`
    pub state: String,
    /// `Status`
    pub status: String,
    /// `HostConfig`
    pub host_config: SummaryHostConfig,
    /// `NetworkSettings`
    pub network_settings: SummaryNetworkSettings,
    /// `Mounts`
    pub mounts: Vec<MountPoint>,
}

/// A port that is open or published.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Port {
    /// `IP`
    #[serde(rename = "IP", skip_serializing_if = "String::is_empty")]
    pub ip: String,
    /// `PrivatePort`
    pub private_port: u16,
    /// `PublicPort`
    #[serde(skip_serializing_if = "is_zero")]
    pub public_port: u16,
    /// `Type`
    #[serde(rename = "Type")]
    pub kind: String,
}

/// What a list says of the host's side.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct SummaryHostConfig {
    /// `NetworkMode`
    pub network_mode: String,
    /// `Annotations`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotations: Option<Labels>,
}

/// What a list says of networks.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct SummaryNetworkSettings {
    /// `Networks`
    pub networks: BTreeMap<String, EndpointSettings>,
}

/// What `POST /containers/{id}/wait` answers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ContainerWaitResponse {
    /// `StatusCode`
    pub status_code: i64,
    /// `Error`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<WaitError>,
}

/// Why a wait failed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct WaitError {
    /// `Message`
    pub message: String,
}

/// What `GET /containers/{id}/top` answers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ContainerTopResponse {
    /// `Titles`
    pub titles: Vec<String>,
    /// `Processes`
    pub processes: Vec<Vec<String>>,
}

fn is_zero(number: &u16) -> bool {
    *number == 0
}
