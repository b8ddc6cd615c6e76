//! Making a container: what is sent, what is answered.

use crate::{ContainerConfig, HostConfig, NetworkingConfig};
use serde::{Deserialize, Serialize};

/// The body of `POST /containers/create`: a [`ContainerConfig`] with two more fields.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ContainerCreateRequest {
    /// What does not depend on the host.
    #[serde(flatten)]
    pub config: ContainerConfig,
    /// What depends on it.
    pub host_config: HostConfig,
    /// Which networks to join, and as whom.
    pub networking_config: Option<NetworkingConfig>,
}

/// What it answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ContainerCreateResponse {
    /// 64 hexadecimal digits.
    pub id: String,
    /// What the user should know.
    pub warnings: Vec<String>,
}
