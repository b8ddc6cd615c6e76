//! Networks and a container's place in them.

use crate::Labels;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// `80/tcp` to where it is published; null where it is only exposed.
pub type PortMap = BTreeMap<String, Option<Vec<PortBinding>>>;

/// An address and port of the host.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct PortBinding {
    /// `HostIp`
    pub host_ip: String,
    /// `HostPort`
    pub host_port: String,
}

/// What a client asks of networks when it creates a container.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct NetworkingConfig {
    /// `EndpointsConfig`
    pub endpoints_config: Option<BTreeMap<String, Option<EndpointSettings>>>,
}

/// A container's place in one network.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct EndpointSettings {
    /// `IPAMConfig`
    #[serde(rename = "IPAMConfig")]
    pub ipam_config: Option<Value>,
    /// `Links`
    pub links: Option<Vec<String>>,
    /// `Aliases`
    pub aliases: Option<Vec<String>>,
    /// `MacAddress`
    pub mac_address: String,
    /// `DriverOpts`
    pub driver_opts: Option<Labels>,
    /// `NetworkID`
    #[serde(rename = "NetworkID")]
    pub network_id: String,
    /// `EndpointID`
    #[serde(rename = "EndpointID")]
    pub endpoint_id: String,
    /// `Gateway`
    pub gateway: String,
    /// `IPAddress`
    #[serde(rename = "IPAddress")]
    pub ip_address: String,
    /// `IPPrefixLen`
    #[serde(rename = "IPPrefixLen")]
    pub ip_prefix_len: i64,
    /// `IPv6Gateway`
    #[serde(rename = "IPv6Gateway")]
    pub ipv6_gateway: String,
    /// `GlobalIPv6Address`
    #[serde(rename = "GlobalIPv6Address")]
    pub global_ipv6_address: String,
    /// `GlobalIPv6PrefixLen`
    #[serde(rename = "GlobalIPv6PrefixLen")]
    pub global_ipv6_prefix_len: i64,
    /// `DNSNames`
    #[serde(rename = "DNSNames", skip_serializing_if = "Option::is_none")]
    pub dns_names: Option<Vec<String>>,
    /// `GwPriority`
    pub gw_priority: i64,
}

/// All of a container's places.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct NetworkSettings {
    /// `Bridge`
    pub bridge: String,
    /// `SandboxID`
    #[serde(rename = "SandboxID")]
    pub sandbox_id: String,
    /// `SandboxKey`
    pub sandbox_key: String,
    /// `HairpinMode`
    pub hairpin_mode: bool,
    /// `LinkLocalIPv6Address`
    #[serde(rename = "LinkLocalIPv6Address")]
    pub link_local_ipv6_address: String,
    /// `LinkLocalIPv6PrefixLen`
    #[serde(rename = "LinkLocalIPv6PrefixLen")]
    pub link_local_ipv6_prefix_len: i64,
    /// `SecondaryIPAddresses`
    #[serde(rename = "SecondaryIPAddresses")]
    pub secondary_ip_addresses: Option<Value>,
    /// `SecondaryIPv6Addresses`
    #[serde(rename = "SecondaryIPv6Addresses")]
    pub secondary_ipv6_addresses: Option<Value>,
    /// `EndpointID`
    #[serde(rename = "EndpointID")]
    pub endpoint_id: String,
    /// `Gateway`
    pub gateway: String,
    /// `GlobalIPv6Address`
    #[serde(rename = "GlobalIPv6Address")]
    pub global_ipv6_address: String,
    /// `GlobalIPv6PrefixLen`
    #[serde(rename = "GlobalIPv6PrefixLen")]
    pub global_ipv6_prefix_len: i64,
    /// `IPAddress`
    #[serde(rename = "IPAddress")]
    pub ip_address: String,
    /// `IPPrefixLen`
    #[serde(rename = "IPPrefixLen")]
    pub ip_prefix_len: i64,
    /// `IPv6Gateway`
    #[serde(rename = "IPv6Gateway")]
    pub ipv6_gateway: String,
    /// `MacAddress`
    pub mac_address: String,
    /// `Ports`
    pub ports: PortMap,
    /// `Networks`
    pub networks: BTreeMap<String, EndpointSettings>,
}
