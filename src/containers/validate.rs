//! What a create may ask for: Docker's checks in Docker's words, and a refusal by name of whatever is not done yet.

use serde_json::Value;

use super::{flag_names, log_options, processors, signals};
use crate::error::{Error, ErrorKind, Result};
use crate::spec::{self, Facts, binds};

/// Docker's least memory for a container, in bytes.
const LEAST_MEMORY: i64 = 6 << 20;

/// Checks what a client asks for, before anything is made.
pub fn validate(request: &api::ContainerCreateRequest, facts: &Facts) -> Result<()> {
    let (config, host) = (&request.config, &request.host_config);
    check_config(config, host)?;
    check_features(host)?;
    check_limits(host, facts)?;
    check_privileges(host, facts)?;
    check_mounts(host)?;
    check_network(request)?;
    log_options::parse(&host.log_config).map(drop)
}

pub fn invalid<T>(message: impl Into<String>) -> Result<T> {
    Err(Error::new(ErrorKind::InvalidParameter, message))
}

fn check_config(config: &api::ContainerConfig, host: &api::HostConfig) -> Result<()> {
    if host.uts_mode == "host" && !config.hostname.is_empty() {
        return invalid("conflicting options: hostname and the UTS mode");
    }
    if !config.working_dir.is_empty() && !config.working_dir.starts_with('/') {
        let folder = &config.working_dir;
        return invalid(format!(
            "the working directory '{folder}' is invalid, it needs to be an absolute path"
        ));
    }
    if let Some(variable) = config.env.iter().flatten().find(|v| v.is_empty() || v.starts_with('=')) {
        return invalid(format!("invalid environment variable: {variable}"));
    }
    if let Some(signal) = config.stop_signal.as_deref().filter(|signal| !signal.is_empty()) {
        signals::parse(signal)?;
    }
    let tests = config.healthcheck.iter().filter_map(|check| check.test.as_ref()?.first());
    match tests.map(String::as_str).next() {
        None | Some("" | "NONE") => Ok(()),
        Some(_) => Err(Error::not_supported("--health-cmd (Healthcheck)")),
    }
}

/// Clients send every field they know, mostly with a value that asks for nothing.
pub fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) => false,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(elements) => elements.iter().all(says_nothing),
        Value::Object(fields) => fields.values().all(says_nothing),
    }
}

/// The fields of `HostConfig` that are honoured, or checked one by one below. Every other one is refused unless it asks for
/// nothing, whatever fields the API may still get.
pub const HONOURED: [&str; 56] = [
    "Annotations",
    "AutoRemove",
    "Binds",
    "BlkioDeviceReadBps",
    "BlkioDeviceReadIOps",
    "BlkioDeviceWriteBps",
    "BlkioDeviceWriteIOps",
    "BlkioWeight",
    "BlkioWeightDevice",
    "CapAdd",
    "CapDrop",
    "CgroupParent",
    "CgroupnsMode",
    "ConsoleSize",
    "ContainerIDFile",
    "CpuPeriod",
    "CpuQuota",
    "CpuShares",
    "CpusetCpus",
    "CpusetMems",
    "DeviceCgroupRules",
    "Devices",
    "Dns",
    "DnsOptions",
    "DnsSearch",
    "ExtraHosts",
    "GroupAdd",
    "Init",
    "IpcMode",
    "Isolation",
    "LogConfig",
    "MaskedPaths",
    "Memory",
    "MemoryReservation",
    "MemorySwap",
    "MemorySwappiness",
    "Mounts",
    "NanoCpus",
    "NetworkMode",
    "OomKillDisable",
    "OomScoreAdj",
    "PidMode",
    "PidsLimit",
    "Privileged",
    "ReadonlyPaths",
    "ReadonlyRootfs",
    "RestartPolicy",
    "Runtime",
    "SecurityOpt",
    "ShmSize",
    "Sysctls",
    "Tmpfs",
    "UTSMode",
    "Ulimits",
    "UsernsMode",
    "VolumeDriver",
];

fn check_features(host: &api::HostConfig) -> Result<()> {
    let fields = serde_json::to_value(host).map_err(Error::system)?;
    let fields = fields.as_object().into_iter().flatten();
    if let Some((name, _)) =
        fields.filter(|(name, _)| !HONOURED.contains(&name.as_str())).find(|(_, value)| !says_nothing(value))
    {
        return Err(flag_names::not_supported(name));
    }
    let is_known = ["", "none", "private", "shareable", "host"].contains(&host.ipc_mode.as_str());
    if !is_known && !host.ipc_mode.starts_with("container:") {
        return invalid(format!("Invalid IPC mode: {}", host.ipc_mode));
    }
    check_namespaces(host)?;
    let one_of = |value: &str, harmless: &[&str]| value.is_empty() || harmless.contains(&value);
    let checks = [
        ("RestartPolicy", one_of(&host.restart_policy.name, &["no"])),
        ("VolumeDriver", one_of(&host.volume_driver, &["local"])),
        ("UsernsMode", one_of(&host.userns_mode, &["host"])),
        ("CgroupnsMode", one_of(&host.cgroupns_mode, &["private", "host"])),
    ];
    match checks.iter().find(|(_, harmless)| !harmless) {
        None => Ok(()),
        Some((name, _)) => Err(flag_names::not_supported(name)),
    }
}

fn check_namespaces(host: &api::HostConfig) -> Result<()> {
    let is_pid_mode = match host.pid_mode.strip_prefix("container:") {
        Some(other) => !other.is_empty(),
        None => ["", "host"].contains(&host.pid_mode.as_str()),
    };
    if !is_pid_mode {
        return invalid(format!("Invalid PID mode: {}", host.pid_mode));
    }
    if !["", "default"].contains(&host.isolation.as_str()) {
        return invalid(format!("Invalid isolation: \"{}\" - linux only supports 'default'", host.isolation));
    }
    if !["", "host"].contains(&host.uts_mode.as_str()) {
        return invalid(format!("Invalid UTS mode: {}", host.uts_mode));
    }
    Ok(())
}

/// Without a cgroup nothing can be limited, and a limit that does not hold is worse than none.
fn check_cgroup(host: &api::HostConfig, facts: &Facts) -> Result<()> {
    let limits = [
        ("Memory", host.memory != 0),
        ("MemoryReservation", host.memory_reservation != 0),
        ("MemorySwap", host.memory_swap != 0),
        ("NanoCpus", host.nano_cpus != 0),
        ("CpuShares", host.cpu_shares != 0),
        ("CpuPeriod", host.cpu_period != 0),
        ("CpuQuota", host.cpu_quota != 0),
        ("CpusetCpus", !host.cpuset_cpus.is_empty()),
        ("CpusetMems", !host.cpuset_mems.is_empty()),
        ("PidsLimit", host.pids_limit.is_some_and(|limit| limit > 0)),
        ("CgroupParent", !host.cgroup_parent.is_empty()),
        ("MemorySwappiness", host.memory_swappiness.is_some_and(|value| value != -1)),
        ("OomKillDisable", host.oom_kill_disable == Some(true)),
        ("BlkioWeight", host.blkio_weight != 0),
        ("BlkioWeightDevice", is_asked(&host.blkio_weight_device)),
        ("BlkioDeviceReadBps", is_asked(&host.blkio_device_read_bps)),
        ("BlkioDeviceWriteBps", is_asked(&host.blkio_device_write_bps)),
        ("BlkioDeviceReadIOps", is_asked(&host.blkio_device_read_iops)),
        ("BlkioDeviceWriteIOps", is_asked(&host.blkio_device_write_iops)),
    ];
    match limits.iter().find(|(_, asked)| *asked && facts.cgroup_parent.is_none()) {
        None => Ok(()),
        Some((name, _)) => Err(flag_names::without_cgroup(name)),
    }
}

/// Docker's client sends some lists empty.
fn is_asked<T>(list: &Option<Vec<T>>) -> bool {
    list.as_ref().is_some_and(|list| !list.is_empty())
}

/// What the kernel does only for root.
fn check_rootless(host: &api::HostConfig, facts: &Facts) -> Result<()> {
    let needs_root = [
        ("Devices", is_asked(&host.devices)),
        ("DeviceCgroupRules", is_asked(&host.device_cgroup_rules)),
        ("PidMode", host.pid_mode.starts_with("container:")),
        ("IpcMode", host.ipc_mode.starts_with("container:")),
    ];
    match needs_root.iter().find(|(_, asked)| *asked && facts.rootless.is_some()) {
        None => Ok(()),
        Some((name, _)) => Err(flag_names::only_for_root(name)),
    }
}

fn check_limits(host: &api::HostConfig, facts: &Facts) -> Result<()> {
    check_rootless(host, facts)?;
    check_cgroup(host, facts)?;
    let (memory, swap, reservation) = (host.memory, host.memory_swap, host.memory_reservation);
    if memory != 0 && memory < LEAST_MEMORY {
        return invalid("Minimum memory limit allowed is 6MB");
    }
    if memory > 0 && swap > 0 && swap < memory {
        return invalid("Minimum memoryswap limit should be larger than memory limit, see usage");
    }
    if memory == 0 && swap > 0 {
        return invalid("You should always set the Memory limit when using Memoryswap limit, see usage");
    }
    if reservation != 0 && reservation < LEAST_MEMORY {
        return invalid("Minimum memory reservation allowed is 6MB");
    }
    if memory > 0 && memory < reservation {
        return invalid("Minimum memory limit can not be less than memory reservation limit, see usage");
    }
    if host.shm_size < 0 {
        return invalid("SHM size can not be less than 0");
    }
    if !(-1000..=1000).contains(&host.oom_score_adj) {
        let score = host.oom_score_adj;
        return invalid(format!("Invalid value {score}, range for oom score adj is [-1000, 1000]"));
    }
    processors::check(host, facts)
}

fn check_privileges(host: &api::HostConfig, facts: &Facts) -> Result<()> {
    let list = |list: &Option<Vec<String>>| list.clone().unwrap_or_default();
    spec::capability_names(&list(&host.cap_add), &list(&host.cap_drop))?;
    for rule in host.device_cgroup_rules.iter().flatten() {
        spec::devices::parse_rule(rule)?;
    }
    for ulimit in host.ulimits.iter().flatten() {
        spec::rlimit_kind(&ulimit.name)?;
        if ulimit.hard != -1 && (ulimit.soft == -1 || ulimit.soft > ulimit.hard) {
            return invalid(format!(
                "ulimit soft limit must be less than or equal to hard limit: {} > {}",
                ulimit.soft, ulimit.hard
            ));
        }
    }
    list(&host.security_opt).iter().try_for_each(|option| check_security_option(option, facts))
}

fn check_security_option(option: &str, facts: &Facts) -> Result<()> {
    if spec::is_no_new_privileges(option).is_some() {
        return Ok(());
    }
    let (name, value) = match option.split_once(['=', ':']) {
        Some(pair) => pair,
        None => return invalid(format!("invalid --security-opt 1: \"{option}\"")),
    };
    match (name, value) {
        // A profile of one's own is read when the container starts, as Docker does.
        ("seccomp", _) => Ok(()),
        ("apparmor", _) if facts.apparmor => Ok(()),
        // Where no such module confines anybody, these ask for what holds anyway.
        ("apparmor", "" | spec::UNCONFINED) | ("label", "disable") => Ok(()),
        ("apparmor", _) => {
            refused(option, "AppArmor is not enabled here, or apparmor_parser is not installed")
        }
        ("label", _) => refused(
            option,
            "this engine gives containers no labels of SELinux: leave it out, or say label=disable",
        ),
        _ => invalid(format!("invalid --security-opt 2: \"{option}\"")),
    }
}

/// dockerd accepts these, and does nothing.
fn refused(option: &str, why: &str) -> Result<()> {
    let message = format!("--security-opt {option} (HostConfig.SecurityOpt): {why}");
    Err(Error::new(ErrorKind::NotSupported, message))
}

fn check_mounts(host: &api::HostConfig) -> Result<()> {
    let mut destinations: Vec<String> = Vec::new();
    for text in host.binds.iter().flatten() {
        destinations.push(binds::parse(text)?.destination);
    }
    for mount in host.mounts.iter().flatten() {
        check_mount(mount)?;
        destinations.push(binds::clean(&mount.target));
    }
    for destination in host.tmpfs.iter().flatten().map(|(destination, _)| binds::clean(destination)) {
        binds::check_place(&destination).map_err(|why| Error::new(ErrorKind::InvalidParameter, why))?;
        destinations.push(destination);
    }
    destinations.sort();
    match destinations.windows(2).find(|pair| pair[0] == pair[1]) {
        None => Ok(()),
        Some(pair) => invalid(format!("Duplicate mount point: {}", pair[0])),
    }
}

fn check_mount(mount: &api::Mount) -> Result<()> {
    let wrong = |why: String| invalid(format!("invalid mount config for type \"{}\": {why}", mount.kind));
    if mount.target.is_empty() {
        return wrong("field Target must not be empty".to_owned());
    }
    if !mount.target.starts_with('/') {
        return wrong(format!("invalid mount path: '{}' mount path must be absolute", mount.target));
    }
    match mount.kind.as_str() {
        "bind" => {
            let options = mount.bind_options.clone().unwrap_or_default();
            // What is forced is what is done anyway: every kernel that we run on can.
            if options.read_only_non_recursive && options.read_only_force_recursive {
                let why = "BindOptions.ReadOnlyNonRecursive and BindOptions.ReadOnlyForceRecursive contradict each other";
                return wrong(why.to_owned());
            }
            if !mount.source.starts_with('/') {
                return wrong(format!("invalid mount path: '{}' mount path must be absolute", mount.source));
            }
            if !options.create_mountpoint && !std::path::Path::new(&mount.source).exists() {
                return wrong(format!("bind source path does not exist: {}", mount.source));
            }
            Ok(())
        }
        "tmpfs" => {
            let options = mount.tmpfs_options.clone().unwrap_or_default();
            if options.options.is_some_and(|options| !options.is_empty()) {
                return Err(Error::not_supported(
                    "--mount with options of a tmpfs (HostConfig.Mounts.TmpfsOptions.Options)",
                ));
            }
            if mount.source.is_empty() {
                Ok(())
            } else {
                wrong("field Source must not be specified".to_owned())
            }
        }
        "volume" | "image" | "npipe" | "cluster" => {
            Err(Error::not_supported(format!("--mount type={} (HostConfig.Mounts)", mount.kind)))
        }
        _ => wrong("mount type unknown".to_owned()),
    }
}

fn check_network(request: &api::ContainerCreateRequest) -> Result<()> {
    let mode = request.host_config.network_mode.as_str();
    match mode {
        "" | "default" | "bridge" | "none" | "host" => {}
        mode if mode.starts_with("container:") => {
            return Err(Error::not_supported("--network container: (HostConfig.NetworkMode)"));
        }
        // Docker looks for the network when the container starts, and so do we.
        _ => {}
    }
    let endpoints =
        request.networking_config.iter().flat_map(|config| config.endpoints_config.iter().flatten());
    for (name, settings) in endpoints {
        if !says_nothing(&serde_json::to_value(settings).map_err(Error::system)?) {
            return Err(Error::not_supported(format!("NetworkingConfig.EndpointsConfig of {name}")));
        }
    }
    Ok(())
}
