//! The engine itself.

use crate::Labels;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// What `GET /info` answers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct SystemInfo {
    /// `ID`
    #[serde(rename = "ID")]
    pub id: String,
    /// `Containers`
    pub containers: i64,
    /// `ContainersRunning`
    pub containers_running: i64,
    /// `ContainersPaused`
    pub containers_paused: i64,
    /// `ContainersStopped`
    pub containers_stopped: i64,
    /// `Images`
    pub images: i64,
    /// `Driver`
    pub driver: String,
    /// `DriverStatus`
    pub driver_status: Vec<[String; 2]>,
    /// `SystemStatus`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system_status: Option<Value>,
    /// `Plugins`
    pub plugins: Plugins,
    /// `MemoryLimit`
    pub memory_limit: bool,
    /// `SwapLimit`
    pub swap_limit: bool,
    /// `KernelMemory`
    pub kernel_memory: bool,
    /// `KernelMemoryTCP`
    #[serde(rename = "KernelMemoryTCP")]
    pub kernel_memory_tcp: bool,
    /// `CpuCfsPeriod`
    pub cpu_cfs_period: bool,
    /// `CpuCfsQuota`
    pub cpu_cfs_quota: bool,
    /// `CPUShares`
    #[serde(rename = "CPUShares")]
    pub cpu_shares: bool,
    /// `CPUSet`
    #[serde(rename = "CPUSet")]
    pub cpu_set: bool,
    /// `PidsLimit`
    pub pids_limit: bool,
    /// `IPv4Forwarding`
    #[serde(rename = "IPv4Forwarding")]
    pub ipv4_forwarding: bool,
    /// `BridgeNfIptables`
    pub bridge_nf_iptables: bool,
    /// `BridgeNfIp6tables`
    pub bridge_nf_ip6tables: bool,
    /// `Debug`
    pub debug: bool,
    /// `NFd`
    pub n_fd: i64,
    /// `OomKillDisable`
    pub oom_kill_disable: bool,
    /// `NGoroutines`
    pub n_goroutines: i64,
    /// `SystemTime`
    pub system_time: String,
    /// `LoggingDriver`
    pub logging_driver: String,
    /// `CgroupDriver`
    pub cgroup_driver: String,
    /// `CgroupVersion`
    pub cgroup_version: String,
    /// `NEventsListener`
    pub n_events_listener: i64,
    /// `KernelVersion`
    pub kernel_version: String,
    /// `OperatingSystem`
    pub operating_system: String,
    /// `OSVersion`
    #[serde(rename = "OSVersion")]
    pub os_version: String,
    /// `OSType`
    #[serde(rename = "OSType")]
    pub os_type: String,
    /// `Architecture`
    pub architecture: String,
    /// `IndexServerAddress`
    pub index_server_address: String,
    /// `RegistryConfig`
    pub registry_config: RegistryConfig,
    /// `NCPU`
    #[serde(rename = "NCPU")]
    pub ncpu: i64,
    /// `MemTotal`
    pub mem_total: i64,
    /// `GenericResources`
    pub generic_resources: Option<Value>,
    /// `DockerRootDir`
    pub docker_root_dir: String,
    /// `HttpProxy`
    pub http_proxy: String,
    /// `HttpsProxy`
    pub https_proxy: String,
    /// `NoProxy`
    pub no_proxy: String,
    /// `Name`
    pub name: String,
    /// `Labels`
    pub labels: Vec<String>,
    /// `ExperimentalBuild`
    pub experimental_build: bool,
    /// `ServerVersion`
    pub server_version: String,
    /// `Runtimes`
    pub runtimes: BTreeMap<String, RuntimeInfo>,
    /// `DefaultRuntime`
    pub default_runtime: String,
    /// `Swarm`
    pub swarm: Value,
    /// `LiveRestoreEnabled`
    pub live_restore_enabled: bool,
    /// `Isolation`
    pub isolation: String,
    /// `InitBinary`
    pub init_binary: String,
    /// `ContainerdCommit`
    pub containerd_commit: Commit,
    /// `RuncCommit`
    pub runc_commit: Commit,
    /// `InitCommit`
    pub init_commit: Commit,
    /// `SecurityOptions`
    pub security_options: Vec<String>,
    /// `Warnings`
    pub warnings: Option<Vec<String>>,
}

/// What kinds of drivers there are.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Plugins {
    /// `Volume`
    pub volume: Option<Vec<String>>,
    /// `Network`
    pub network: Option<Vec<String>>,
    /// `Authorization`
    pub authorization: Option<Vec<String>>,
    /// `Log`
    pub log: Option<Vec<String>>,
}

/// How registries are reached.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct RegistryConfig {
    /// `InsecureRegistryCIDRs`
    #[serde(rename = "InsecureRegistryCIDRs")]
    pub insecure_registry_cidrs: Option<Vec<String>>,
    /// `IndexConfigs`
    pub index_configs: BTreeMap<String, Value>,
    /// `Mirrors`
    pub mirrors: Option<Vec<String>>,
}

/// A component's version.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Commit {
    /// `ID`
    #[serde(rename = "ID")]
    pub id: String,
    /// `Expected`
    pub expected: String,
}

/// What `GET /version` answers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct SystemVersion {
    /// `Platform`
    pub platform: PlatformName,
    /// `Components`
    pub components: Vec<ComponentVersion>,
    /// `Version`
    pub version: String,
    /// `ApiVersion`
    pub api_version: String,
    /// `MinAPIVersion`
    #[serde(rename = "MinAPIVersion")]
    pub min_api_version: String,
    /// `GitCommit`
    pub git_commit: String,
    /// `GoVersion`
    #[serde(skip_serializing_if = "String::is_empty")]
    pub go_version: String,
    /// `Os`
    pub os: String,
    /// `Arch`
    pub arch: String,
    /// `KernelVersion`
    pub kernel_version: String,
    /// `Experimental`
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub experimental: bool,
    /// `BuildTime`
    #[serde(skip_serializing_if = "String::is_empty")]
    pub build_time: String,
}

/// The product.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct PlatformName {
    /// `Name`
    pub name: String,
}

/// One of its parts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ComponentVersion {
    /// `Name`
    pub name: String,
    /// `Version`
    pub version: String,
    /// `Details`
    pub details: Option<Labels>,
}

/// A runtime that containers may be run by.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RuntimeInfo {
    /// Its program.
    pub path: String,
}
