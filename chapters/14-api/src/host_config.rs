//! What a client asks of the host for a container.

use crate::{Labels, PortMap};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What depends on the host (`HostConfig`, with `Resources`).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct HostConfig {
    /// `Binds`
    pub binds: Option<Vec<String>>,
    /// `ContainerIDFile`
    #[serde(rename = "ContainerIDFile")]
    pub container_id_file: String,
    /// `LogConfig`
    pub log_config: LogConfig,
    /// `NetworkMode`
    pub network_mode: String,
    /// `PortBindings`
    pub port_bindings: Option<PortMap>,
    /// `RestartPolicy`
    pub restart_policy: RestartPolicy,
    /// `AutoRemove`
    pub auto_remove: bool,
    /// `VolumeDriver`
    pub volume_driver: String,
    /// `VolumesFrom`
    pub volumes_from: Option<Vec<String>>,
    /// `ConsoleSize`
    pub console_size: Option<[u16; 2]>,
    /// `Annotations`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotations: Option<Labels>,
    /// `CapAdd`
    pub cap_add: Option<Vec<String>>,
    /// `CapDrop`
    pub cap_drop: Option<Vec<String>>,
    /// `CgroupnsMode`
    pub cgroupns_mode: String,
    /// `Dns`
    pub dns: Option<Vec<String>>,
    /// `DnsOptions`
    pub dns_options: Option<Vec<String>>,
    /// `DnsSearch`
    pub dns_search: Option<Vec<String>>,
    /// `ExtraHosts`
    pub extra_hosts: Option<Vec<String>>,
    /// `GroupAdd`
    pub group_add: Option<Vec<String>>,
    /// `IpcMode`
    pub ipc_mode: String,
    /// `Cgroup`
    pub cgroup: String,
    /// `Links`
    pub links: Option<Vec<String>>,
    /// `OomScoreAdj`
    pub oom_score_adj: i64,
    /// `PidMode`
    pub pid_mode: String,
    /// `Privileged`
    pub privileged: bool,
    /// `PublishAllPorts`
    pub publish_all_ports: bool,
    /// `ReadonlyRootfs`
    pub readonly_rootfs: bool,
    /// `SecurityOpt`
    pub security_opt: Option<Vec<String>>,
    /// `StorageOpt`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_opt: Option<Labels>,
    /// `Tmpfs`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tmpfs: Option<Labels>,
    /// `UTSMode`
    #[serde(rename = "UTSMode")]
    pub uts_mode: String,
    /// `UsernsMode`
    pub userns_mode: String,
    /// `ShmSize`
    pub shm_size: i64,
    /// `Sysctls`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sysctls: Option<Labels>,
    /// `Runtime`
    pub runtime: String,
    /// `Isolation`
    pub isolation: String,
    /// `CpuShares`
    pub cpu_shares: i64,
    /// `Memory`
    pub memory: i64,
    /// `NanoCpus`
    pub nano_cpus: i64,
    /// `CgroupParent`
    pub cgroup_parent: String,
    /// `BlkioWeight`
    pub blkio_weight: u16,
    /// `BlkioWeightDevice`
    pub blkio_weight_device: Option<Value>,
    /// `BlkioDeviceReadBps`
    pub blkio_device_read_bps: Option<Value>,
    /// `BlkioDeviceWriteBps`
    pub blkio_device_write_bps: Option<Value>,
    /// `BlkioDeviceReadIOps`
    #[serde(rename = "BlkioDeviceReadIOps")]
    pub blkio_device_read_iops: Option<Value>,
    /// `BlkioDeviceWriteIOps`
    #[serde(rename = "BlkioDeviceWriteIOps")]
    pub blkio_device_write_iops: Option<Value>,
    /// `CpuPeriod`
    pub cpu_period: i64,
    /// `CpuQuota`
    pub cpu_quota: i64,
    /// `CpuRealtimePeriod`
    pub cpu_realtime_period: i64,
    /// `CpuRealtimeRuntime`
    pub cpu_realtime_runtime: i64,
    /// `CpusetCpus`
    pub cpuset_cpus: String,
    /// `CpusetMems`
    pub cpuset_mems: String,
    /// `Devices`
    pub devices: Option<Vec<DeviceMapping>>,
    /// `DeviceCgroupRules`
    pub device_cgroup_rules: Option<Vec<String>>,
    /// `DeviceRequests`
    pub device_requests: Option<Value>,
    /// `KernelMemory`
    pub kernel_memory: i64,
    /// `KernelMemoryTCP`
    #[serde(rename = "KernelMemoryTCP")]
    pub kernel_memory_tcp: i64,
    /// `MemoryReservation`
    pub memory_reservation: i64,
    /// `MemorySwap`
    pub memory_swap: i64,
    /// `MemorySwappiness`
    pub memory_swappiness: Option<i64>,
    /// `OomKillDisable`
    pub oom_kill_disable: Option<bool>,
    /// `PidsLimit`
    pub pids_limit: Option<i64>,
    /// `Ulimits`
    pub ulimits: Option<Vec<Ulimit>>,
    /// `CpuCount`
    pub cpu_count: i64,
    /// `CpuPercent`
    pub cpu_percent: i64,
    /// `IOMaximumIOps`
    #[serde(rename = "IOMaximumIOps")]
    pub io_maximum_iops: u64,
    /// `IOMaximumBandwidth`
    #[serde(rename = "IOMaximumBandwidth")]
    pub io_maximum_bandwidth: u64,
    /// `Mounts`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mounts: Option<Vec<Mount>>,
    /// `MaskedPaths`
    pub masked_paths: Option<Vec<String>>,
    /// `ReadonlyPaths`
    pub readonly_paths: Option<Vec<String>>,
    /// `Init`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub init: Option<bool>,
}

/// Where output goes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct LogConfig {
    /// `Type`
    #[serde(rename = "Type")]
    pub kind: String,
    /// `Config`
    pub config: Option<Labels>,
}

/// Whether a container that ended starts again.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct RestartPolicy {
    /// `Name`
    pub name: String,
    /// `MaximumRetryCount`
    pub maximum_retry_count: i64,
}

/// A device of the host, in the container.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct DeviceMapping {
    /// `PathOnHost`
    pub path_on_host: String,
    /// `PathInContainer`
    pub path_in_container: String,
    /// `CgroupPermissions`
    pub cgroup_permissions: String,
}

/// One resource limit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Ulimit {
    /// `Name`
    pub name: String,
    /// `Hard`
    pub hard: i64,
    /// `Soft`
    pub soft: i64,
}

/// One of `--mount`'s.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Mount {
    /// `Type`
    #[serde(rename = "Type", skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// `Source`
    #[serde(skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// `Target`
    #[serde(skip_serializing_if = "String::is_empty")]
    pub target: String,
    /// `ReadOnly`
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub read_only: bool,
    /// `Consistency`
    #[serde(skip_serializing_if = "String::is_empty")]
    pub consistency: String,
    /// `BindOptions`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bind_options: Option<BindOptions>,
    /// `VolumeOptions`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume_options: Option<Value>,
    /// `ImageOptions`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_options: Option<Value>,
    /// `TmpfsOptions`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tmpfs_options: Option<TmpfsOptions>,
}

/// Options of a bind.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct BindOptions {
    /// `Propagation`
    #[serde(skip_serializing_if = "String::is_empty")]
    pub propagation: String,
    /// `NonRecursive`
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub non_recursive: bool,
    /// `CreateMountpoint`
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub create_mountpoint: bool,
    /// `ReadOnlyNonRecursive`
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub read_only_non_recursive: bool,
    /// `ReadOnlyForceRecursive`
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub read_only_force_recursive: bool,
}

/// Options of a tmpfs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct TmpfsOptions {
    /// `SizeBytes`
    pub size_bytes: i64,
    /// `Mode`
    pub mode: u32,
    /// `Options`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub options: Option<Value>,
}
