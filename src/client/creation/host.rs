//! The half of a create request that depends on the host: storage, namespaces, limits, networks.

use super::addresses;
use super::flags::{Container, Flags, Isolation, Limits, Network, Storage};
use super::mounts::Volume;
use super::request::{pairs, unless_empty};
use super::values::{check_mode, device, security_option};
use crate::client::failure::{Error, Result};
use api::{EndpointIpamConfig, EndpointSettings, HostConfig, Labels, LogConfig, NetworkingConfig, PortMap};

/// All of it.
pub fn config(flags: &Flags, volumes: &[Volume]) -> Result<HostConfig> {
    let container = &flags.container;
    let mut config = HostConfig {
        container_id_file: container.cidfile.clone().unwrap_or_default(),
        log_config: log(container)?,
        restart_policy: container.restart.clone(),
        auto_remove: container.rm,
        annotations: unless_empty(pairs(&container.annotation)),
        group_add: unless_empty(flags.process.group_add.clone()),
        runtime: container.runtime.clone().unwrap_or_default(),
        init: flags.process.init.then_some(true),
        ..HostConfig::default()
    };
    storage(&mut config, &flags.storage, volumes)?;
    network(&mut config, &flags.network)?;
    isolation(&mut config, &flags.isolation)?;
    limits(&mut config, &flags.limits)?;
    Ok(config)
}

fn log(container: &Container) -> Result<LogConfig> {
    let driver = container.log_driver.clone().unwrap_or_default();
    if driver == "none" && !container.log_opt.is_empty() {
        return Err(Error::usage("invalid logging opts for driver none"));
    }
    Ok(LogConfig { kind: driver, config: unless_empty(pairs(&container.log_opt)) })
}

fn storage(config: &mut HostConfig, storage: &Storage, volumes: &[Volume]) -> Result<()> {
    if storage.storage_opt.iter().any(|option| !option.contains('=')) {
        return Err(Error::usage("invalid storage option"));
    }
    let binds = volumes.iter().filter_map(|volume| match volume {
        Volume::Bind(bind) => Some(bind.clone()),
        Volume::Anonymous(_) => None,
    });
    let tmpfs = storage.tmpfs.iter().map(|text| text.split_once(':').unwrap_or((text, "")));
    let tmpfs: Labels = tmpfs.map(|(target, options)| (target.to_string(), options.to_string())).collect();
    config.binds = unless_empty(binds.collect());
    config.tmpfs = unless_empty(tmpfs);
    config.mounts = unless_empty(storage.mount.clone());
    config.readonly_rootfs = storage.read_only;
    config.shm_size = storage.shm_size.unwrap_or_default();
    config.storage_opt = unless_empty(pairs(&storage.storage_opt));
    config.volume_driver = storage.volume_driver.clone().unwrap_or_default();
    config.volumes_from = unless_empty(storage.volumes_from.clone());
    Ok(())
}

fn network(config: &mut HostConfig, network: &Network) -> Result<()> {
    let mut bindings = PortMap::new();
    for port in addresses::each(&network.publish, addresses::published)? {
        let hosts = bindings.entry(port.container).or_default();
        hosts.get_or_insert_default().push(port.host);
    }
    config.network_mode = network.network.first().cloned().unwrap_or("default".to_string());
    config.port_bindings = unless_empty(bindings);
    config.publish_all_ports = network.publish_all;
    config.extra_hosts = unless_empty(network.add_host.clone());
    config.dns = unless_empty(network.dns.clone());
    config.dns_options = unless_empty(network.dns_option.clone());
    config.dns_search = unless_empty(network.dns_search.clone());
    config.links = unless_empty(network.link.clone());
    Ok(())
}

fn isolation(config: &mut HostConfig, isolation: &Isolation) -> Result<()> {
    check_mode("pid", "PID", isolation.pid.as_deref())?;
    check_mode("uts", "UTS", isolation.uts.as_deref())?;
    check_mode("userns", "USER", isolation.userns.as_deref())?;
    check_mode("cgroupns", "CGROUP", isolation.cgroupns.as_deref())?;
    let options = isolation.security_opt.iter().map(|text| security_option(text));
    let mut options = options.collect::<Result<Vec<_>>>()?;
    if options.iter().any(|option| option == "systempaths=unconfined") {
        options.retain(|option| option != "systempaths=unconfined");
        // Empty lists, not absent ones: absent means the default paths.
        config.masked_paths = Some(Vec::new());
        config.readonly_paths = Some(Vec::new());
    }
    config.security_opt = unless_empty(options);
    config.cap_add = unless_empty(isolation.cap_add.clone());
    config.cap_drop = unless_empty(isolation.cap_drop.clone());
    config.cgroup_parent = isolation.cgroup_parent.clone().unwrap_or_default();
    config.cgroupns_mode = isolation.cgroupns.clone().unwrap_or_default();
    config.devices = unless_empty(addresses::each(&isolation.device, |text| Ok(vec![device(text)?]))?);
    config.device_cgroup_rules = unless_empty(isolation.device_cgroup_rule.clone());
    config.isolation = isolation.isolation.clone().unwrap_or_default();
    config.ipc_mode = isolation.ipc.clone().unwrap_or_default();
    config.pid_mode = isolation.pid.clone().unwrap_or_default();
    config.privileged = isolation.privileged;
    config.sysctls = unless_empty(pairs(&isolation.sysctl));
    config.userns_mode = isolation.userns.clone().unwrap_or_default();
    config.uts_mode = isolation.uts.clone().unwrap_or_default();
    Ok(())
}

fn limits(config: &mut HostConfig, limits: &Limits) -> Result<()> {
    if let Some(value) = limits.memory_swappiness.filter(|value| !(-1..=100).contains(value)) {
        let range = "Valid memory swappiness range is 0-100";
        return Err(Error::usage(format!("invalid value: {value}. {range}")));
    }
    config.memory = limits.memory.unwrap_or_default();
    config.memory_reservation = limits.memory_reservation.unwrap_or_default();
    config.memory_swap = limits.memory_swap.unwrap_or_default();
    config.memory_swappiness = limits.memory_swappiness.filter(|value| *value >= 0);
    config.nano_cpus = limits.cpus.unwrap_or_default();
    config.cpu_shares = limits.cpu_shares.unwrap_or_default();
    config.cpu_period = limits.cpu_period.unwrap_or_default();
    config.cpu_quota = limits.cpu_quota.unwrap_or_default();
    config.cpu_realtime_period = limits.cpu_rt_period.unwrap_or_default();
    config.cpu_realtime_runtime = limits.cpu_rt_runtime.unwrap_or_default();
    config.cpuset_cpus = limits.cpuset_cpus.clone().unwrap_or_default();
    config.cpuset_mems = limits.cpuset_mems.clone().unwrap_or_default();
    config.oom_kill_disable = limits.oom_kill_disable.then_some(true);
    config.oom_score_adj = limits.oom_score_adj.unwrap_or_default();
    config.pids_limit = limits.pids_limit.filter(|limit| *limit != 0);
    config.blkio_weight_device = unless_empty(limits.blkio_weight_device.clone());
    config.blkio_weight = limits.blkio_weight.unwrap_or_default();
    config.blkio_device_read_bps = unless_empty(limits.device_read_bps.clone());
    config.blkio_device_write_bps = unless_empty(limits.device_write_bps.clone());
    config.blkio_device_read_iops = unless_empty(limits.device_read_iops.clone());
    config.blkio_device_write_iops = unless_empty(limits.device_write_iops.clone());
    config.ulimits = unless_empty(limits.ulimit.clone());
    Ok(())
}

/// Addresses and aliases in the first network, and the names of the others; `NetworkMode` names the first.
pub fn networking(network: &Network) -> Option<NetworkingConfig> {
    let addresses = EndpointIpamConfig {
        ipv4_address: network.ip.clone().unwrap_or_default(),
        ipv6_address: network.ip6.clone().unwrap_or_default(),
        link_local_ips: None,
    };
    let first = EndpointSettings {
        ipam_config: unless_empty(addresses),
        aliases: unless_empty(network.network_alias.clone()),
        mac_address: network.mac_address.clone().unwrap_or_default(),
        ..EndpointSettings::default()
    };
    let name = network.network.first().map_or("default", String::as_str);
    let first = unless_empty(first).map(|first| (name.to_string(), Some(first)));
    let others = network.network.iter().skip(1).map(|name| (name.clone(), Some(EndpointSettings::default())));
    let endpoints = unless_empty(first.into_iter().chain(others).collect());
    endpoints.map(|endpoints| NetworkingConfig { endpoints_config: Some(endpoints) })
}
