//! One container, whole.

use crate::{ContainerConfig, HostConfig, NetworkSettings};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// What `GET /containers/{id}/json` answers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ContainerInspectResponse {
    /// `Id`
    pub id: String,
    /// `Created`
    pub created: String,
    /// `Path`
    pub path: String,
    /// `Args`
    pub args: Vec<String>,
    /// `State`
    pub state: ContainerState,
    /// `Image`
    pub image: String,
    /// `ResolvConfPath`
    pub resolv_conf_path: String,
    /// `HostnamePath`
    pub hostname_path: String,
    /// `HostsPath`
    pub hosts_path: String,
    /// `LogPath`
    pub log_path: String,
    /// `Name`
    pub name: String,
    /// `RestartCount`
    pub restart_count: i64,
    /// `Driver`
    pub driver: String,
    /// `Platform`
    pub platform: String,
    /// `MountLabel`
    pub mount_label: String,
    /// `ProcessLabel`
    pub process_label: String,
    /// `AppArmorProfile`
    pub app_armor_profile: String,
    /// `ExecIDs`
    #[serde(rename = "ExecIDs")]
    pub exec_ids: Option<Vec<String>>,
    /// `HostConfig`
    pub host_config: HostConfig,
    /// `GraphDriver`
    pub graph_driver: GraphDriver,
    /// `SizeRw`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_rw: Option<i64>,
    /// `SizeRootFs`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_root_fs: Option<i64>,
    /// `Mounts`
    pub mounts: Vec<MountPoint>,
    /// `Config`
    pub config: ContainerConfig,
    /// `NetworkSettings`
    pub network_settings: NetworkSettings,
    /// `ImageManifestDescriptor`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_manifest_descriptor: Option<Value>,
}

/// How it is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ContainerState {
    /// `Status`
    pub status: String,
    /// `Running`
    pub running: bool,
    /// `Paused`
    pub paused: bool,
    /// `Restarting`
    pub restarting: bool,
    /// `OOMKilled`
    #[serde(rename = "OOMKilled")]
    pub oom_killed: bool,
    /// `Dead`
    pub dead: bool,
    /// `Pid`
    pub pid: i64,
    /// `ExitCode`
    pub exit_code: i64,
    /// `Error`
    pub error: String,
    /// `StartedAt`
    pub started_at: String,
    /// `FinishedAt`
    pub finished_at: String,
    /// `Health`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health: Option<Value>,
}

/// Where its layers lie.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct GraphDriver {
    /// `Name`
    pub name: String,
    /// `Data`
    pub data: Option<BTreeMap<String, String>>,
}

/// Something of the host, or a volume, in it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct MountPoint {
    /// `Type`
    #[serde(rename = "Type", skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// `Name`
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// `Source`
    pub source: String,
    /// `Destination`
    pub destination: String,
    /// `Driver`
    #[serde(skip_serializing_if = "String::is_empty")]
    pub driver: String,
    /// `Mode`
    pub mode: String,
    /// `RW`
    #[serde(rename = "RW")]
    pub rw: bool,
    /// `Propagation`
    pub propagation: String,
}
