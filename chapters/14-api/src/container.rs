//! What a client asks a container to be.

use crate::{HostConfig, Labels, NetworkingConfig, Set};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What does not depend on the host (`ContainerConfig`).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ContainerConfig {
    /// `Hostname`
    pub hostname: String,
    /// `Domainname`
    pub domainname: String,
    /// `User`
    pub user: String,
    /// `AttachStdin`
    pub attach_stdin: bool,
    /// `AttachStdout`
    pub attach_stdout: bool,
    /// `AttachStderr`
    pub attach_stderr: bool,
    /// `ExposedPorts`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exposed_ports: Option<Set>,
    /// `Tty`
    pub tty: bool,
    /// `OpenStdin`
    pub open_stdin: bool,
    /// `StdinOnce`
    pub stdin_once: bool,
    /// `Env`
    pub env: Option<Vec<String>>,
    /// `Cmd`
    pub cmd: Option<Vec<String>>,
    /// `Healthcheck`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub healthcheck: Option<Value>,
    /// `ArgsEscaped`
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub args_escaped: bool,
    /// `Image`
    pub image: String,
    /// `Volumes`
    pub volumes: Option<Set>,
    /// `WorkingDir`
    pub working_dir: String,
    /// `Entrypoint`
    pub entrypoint: Option<Vec<String>>,
    /// `NetworkDisabled`
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub network_disabled: bool,
    /// `MacAddress`
    #[serde(skip_serializing_if = "String::is_empty")]
    pub mac_address: String,
    /// `OnBuild`
    pub on_build: Option<Vec<String>>,
    /// `Labels`
    pub labels: Option<Labels>,
    /// `StopSignal`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_signal: Option<String>,
    /// `StopTimeout`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_timeout: Option<i64>,
    /// `Shell`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shell: Option<Vec<String>>,
}

/// What `POST /containers/create` answers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ContainerCreateResponse {
    /// `Id`
    pub id: String,
    /// `Warnings`
    pub warnings: Vec<String>,
}

/// The body of `POST /containers/create`: a [`ContainerConfig`] with two more fields.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ContainerCreateRequest {
    /// What does not depend on the host.
    #[serde(flatten)]
    pub config: ContainerConfig,
    /// `HostConfig`
    pub host_config: HostConfig,
    /// `NetworkingConfig`
    pub networking_config: Option<NetworkingConfig>,
}
