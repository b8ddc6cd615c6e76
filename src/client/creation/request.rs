//! From flags to the body of `POST /containers/create`: pure, and snapshot-tested.
//!
//! A field that no flag asks for is not sent, so that the daemon's default holds.

use super::flags::{Flags, Health, Network};
use super::mounts::{Volume, volume};
use super::values::{Rate, pairs_from_file, security_option};
use crate::client::failure::{Error, Result};
use serde_json::{Map, Value, json};

/// An object that only takes what is not empty.
#[derive(Default)]
struct Fields(Map<String, Value>);

impl Fields {
    /// Adds a field unless its value is the absence of one.
    fn set(&mut self, name: &str, value: impl Into<Value>) {
        let value = value.into();
        let empty = match &value {
            Value::Null | Value::Bool(false) => true,
            Value::Array(items) => items.is_empty(),
            Value::Object(fields) => fields.is_empty(),
            _ => false,
        };
        if !empty {
            self.0.insert(name.to_string(), value);
        }
    }
}

/// The body for one image and its command line.
pub fn build(flags: &Flags, image: &str, command: &[String]) -> Result<Value> {
    let mut config = process(flags, image, command)?;
    let volumes: Vec<Volume> = flags.storage.volume.iter().map(|text| volume(text)).collect();
    let anonymous = volumes.iter().filter_map(|volume| match volume {
        Volume::Anonymous(target) => Some((target.clone(), json!({}))),
        Volume::Bind(_) => None,
    });
    config.set("Volumes", anonymous.collect::<Map<_, _>>());
    let mut host = container(flags, &volumes)?;
    namespaces(&mut host, flags)?;
    limits(&mut host, flags)?;
    host_network(&mut host, &flags.network);
    if flags.container.rm && flags.container.restart["Name"] != "no" {
        return Err(Error::usage(
            "conflicting options: cannot specify both --restart and --rm",
        ));
    }
    config.set("HostConfig", host.0);
    config.set("NetworkingConfig", endpoints(&flags.network));
    Ok(config.0.into())
}

fn process(flags: &Flags, image: &str, command: &[String]) -> Result<Fields> {
    let process = &flags.process;
    let mut config = Fields::default();
    let attached = |name: &str| process.attach.iter().any(|stream| stream == name);
    let stdin = process.interactive || attached("stdin");
    config.set("Hostname", flags.network.hostname.clone());
    config.set("Domainname", flags.network.domainname.clone());
    config.set("User", process.user.clone());
    config.set("AttachStdin", stdin);
    config.set("AttachStdout", process.attach.is_empty() || attached("stdout"));
    config.set("AttachStderr", process.attach.is_empty() || attached("stderr"));
    config.set("Tty", process.tty);
    config.set("OpenStdin", process.interactive);
    config.set("StdinOnce", process.interactive && stdin);
    config.set("Env", environment(flags)?);
    config.set("Cmd", command.to_vec());
    config.set("Image", image);
    config.set("WorkingDir", process.workdir.clone());
    config.set(
        "Entrypoint",
        process
            .entrypoint
            .as_ref()
            .map(|entrypoint| vec![entrypoint.clone()]),
    );
    config.set("Labels", labels(flags)?);
    config.set("StopSignal", process.stop_signal.clone());
    config.set("StopTimeout", process.stop_timeout);
    config.set("Healthcheck", health(&flags.health)?);
    config.set("ExposedPorts", exposed(&flags.network));
    Ok(config)
}

fn environment(flags: &Flags) -> Result<Vec<String>> {
    let mut variables = Vec::new();
    for path in &flags.process.env_file {
        variables.extend(pairs_from_file(path, |name| std::env::var(name).ok())?);
    }
    variables.extend(flags.process.env.iter().cloned());
    Ok(variables)
}

fn labels(flags: &Flags) -> Result<Map<String, Value>> {
    let mut labels = Vec::new();
    for path in &flags.container.label_file {
        labels.extend(pairs_from_file(path, |_| None)?);
    }
    labels.extend(flags.container.label.iter().cloned());
    Ok(pairs(&labels))
}

/// `a=b` -> `{"a":"b"}`; a name alone gets an empty value.
fn pairs(texts: &[String]) -> Map<String, Value> {
    let pair = |text: &String| {
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        (name.to_string(), Value::from(value))
    };
    texts.iter().map(pair).collect()
}

fn health(flags: &Health) -> Result<Value> {
    let times = [
        ("Interval", "--health-interval", flags.health_interval),
        ("Timeout", "--health-timeout", flags.health_timeout),
        ("StartPeriod", "--health-start-period", flags.health_start_period),
        (
            "StartInterval",
            "--health-start-interval",
            flags.health_start_interval,
        ),
        ("Retries", "--health-retries", flags.health_retries),
    ];
    let mut check = Fields::default();
    check.set(
        "Test",
        flags
            .health_cmd
            .as_ref()
            .map(|command| vec!["CMD-SHELL", command]),
    );
    for (field, flag, value) in times {
        if value.is_some_and(|value| value < 0) {
            return Err(Error::usage(format!("{flag} cannot be negative")));
        }
        check.set(field, value.filter(|value| *value != 0));
    }
    match (flags.no_healthcheck, check.0.is_empty()) {
        (true, false) => Err(Error::usage("--no-healthcheck conflicts with --health-* options")),
        (true, true) => Ok(json!({"Test": ["NONE"]})),
        (false, _) => Ok(check.0.into()),
    }
}

fn exposed(network: &Network) -> Map<String, Value> {
    let published = network
        .publish
        .iter()
        .flatten()
        .map(|port| port.container.clone());
    published
        .chain(network.expose.iter().flatten().cloned())
        .map(|port| (port, json!({})))
        .collect()
}

fn container(flags: &Flags, volumes: &[Volume]) -> Result<Fields> {
    let (container, storage) = (&flags.container, &flags.storage);
    let mut host = Fields::default();
    let binds = volumes.iter().filter_map(|volume| match volume {
        Volume::Bind(bind) => Some(bind.clone()),
        Volume::Anonymous(_) => None,
    });
    host.set("Binds", binds.collect::<Vec<_>>());
    host.set("ContainerIDFile", container.cidfile.clone());
    host.set("AutoRemove", container.rm);
    host.set("RestartPolicy", container.restart.clone());
    host.set("Annotations", pairs(&container.annotation));
    host.set("Runtime", container.runtime.clone());
    if container.log_driver.is_some() || !container.log_opt.is_empty() {
        let driver = container.log_driver.clone().unwrap_or_default();
        if driver == "none" && !container.log_opt.is_empty() {
            return Err(Error::usage("invalid logging opts for driver none"));
        }
        host.set(
            "LogConfig",
            json!({"Type": driver, "Config": pairs(&container.log_opt)}),
        );
    }
    let tmpfs = storage
        .tmpfs
        .iter()
        .map(|text| text.split_once(':').unwrap_or((text, "")));
    host.set(
        "Tmpfs",
        tmpfs
            .map(|(target, options)| (target.to_string(), options.into()))
            .collect::<Map<_, _>>(),
    );
    host.set(
        "Mounts",
        storage
            .mount
            .iter()
            .map(|mount| mount.0.clone())
            .collect::<Vec<_>>(),
    );
    host.set("ReadonlyRootfs", storage.read_only);
    host.set("ShmSize", storage.shm_size);
    if storage.storage_opt.iter().any(|option| !option.contains('=')) {
        return Err(Error::usage("invalid storage option"));
    }
    host.set("StorageOpt", pairs(&storage.storage_opt));
    host.set("VolumeDriver", storage.volume_driver.clone());
    host.set("VolumesFrom", storage.volumes_from.clone());
    host.set("GroupAdd", flags.process.group_add.clone());
    host.set("Init", flags.process.init);
    Ok(host)
}

fn namespaces(host: &mut Fields, flags: &Flags) -> Result<()> {
    let isolation = &flags.isolation;
    host.set("CapAdd", isolation.cap_add.clone());
    host.set("CapDrop", isolation.cap_drop.clone());
    host.set("CgroupParent", isolation.cgroup_parent.clone());
    host.set("CgroupnsMode", isolation.cgroupns.clone());
    host.set("Devices", isolation.device.clone());
    host.set("DeviceCgroupRules", isolation.device_cgroup_rule.clone());
    host.set("IpcMode", isolation.ipc.clone());
    host.set("PidMode", isolation.pid.clone());
    host.set("Privileged", isolation.privileged);
    host.set("Sysctls", pairs(&isolation.sysctl));
    host.set("UsernsMode", isolation.userns.clone());
    host.set("UTSMode", isolation.uts.clone());
    let mut options = isolation
        .security_opt
        .iter()
        .map(|text| security_option(text))
        .collect::<Result<Vec<_>>>()?;
    if options.iter().any(|option| option == "systempaths=unconfined") {
        options.retain(|option| option != "systempaths=unconfined");
        // Empty lists, not absent ones: absent means the default paths.
        host.0.insert("MaskedPaths".into(), json!([]));
        host.0.insert("ReadonlyPaths".into(), json!([]));
    }
    host.set("SecurityOpt", options);
    Ok(())
}

fn limits(host: &mut Fields, flags: &Flags) -> Result<()> {
    let limits = &flags.limits;
    if let Some(value) = limits
        .memory_swappiness
        .filter(|value| !(-1..=100).contains(value))
    {
        return Err(Error::usage(format!(
            "invalid value: {value}. Valid memory swappiness range is 0-100"
        )));
    }
    let numbers = [
        ("Memory", limits.memory),
        ("MemoryReservation", limits.memory_reservation),
        ("MemorySwap", limits.memory_swap),
        (
            "MemorySwappiness",
            limits.memory_swappiness.filter(|value| *value >= 0),
        ),
        ("NanoCpus", limits.cpus),
        ("CpuShares", limits.cpu_shares),
        ("CpuPeriod", limits.cpu_period),
        ("CpuQuota", limits.cpu_quota),
        ("CpuRealtimePeriod", limits.cpu_rt_period),
        ("CpuRealtimeRuntime", limits.cpu_rt_runtime),
        ("OomScoreAdj", limits.oom_score_adj),
        ("PidsLimit", limits.pids_limit),
        ("BlkioWeight", limits.blkio_weight),
    ];
    for (name, value) in numbers {
        // Zero is what Docker's flags default to.
        host.set(
            name,
            value.filter(|value| *value != 0 || name == "MemorySwappiness"),
        );
    }
    host.set("OomKillDisable", limits.oom_kill_disable);
    host.set("CpusetCpus", limits.cpuset_cpus.clone());
    host.set("CpusetMems", limits.cpuset_mems.clone());
    let rates = |rates: &[Rate]| -> Vec<Value> {
        rates
            .iter()
            .map(|rate| json!({"Path": rate.path, "Rate": rate.rate}))
            .collect()
    };
    host.set("BlkioDeviceReadBps", rates(&limits.device_read_bps));
    host.set("BlkioDeviceWriteBps", rates(&limits.device_write_bps));
    host.set("BlkioDeviceReadIOps", rates(&limits.device_read_iops));
    host.set("BlkioDeviceWriteIOps", rates(&limits.device_write_iops));
    host.set("Ulimits", limits.ulimit.clone());
    Ok(())
}

fn host_network(host: &mut Fields, network: &Network) {
    host.set(
        "NetworkMode",
        network
            .network
            .first()
            .map(|name| name.as_str())
            .unwrap_or("default"),
    );
    host.set("ExtraHosts", network.add_host.clone());
    host.set("Dns", network.dns.clone());
    host.set("DnsOptions", network.dns_option.clone());
    host.set("DnsSearch", network.dns_search.clone());
    host.set("Links", network.link.clone());
    host.set("PublishAllPorts", network.publish_all);
    let mut bindings: Map<String, Value> = Map::new();
    for port in network.publish.iter().flatten() {
        let hosts = bindings.entry(&port.container).or_insert_with(|| json!([]));
        hosts
            .as_array_mut()
            .into_iter()
            .for_each(|hosts| hosts.push(port.host.clone()));
    }
    host.set("PortBindings", bindings);
}

/// Addresses and aliases by network; and every network but the first, which `NetworkMode` names.
fn endpoints(network: &Network) -> Value {
    let mut first = Fields::default();
    first.set("Aliases", network.network_alias.clone());
    first.set("MacAddress", network.mac_address.clone());
    let mut addresses = Fields::default();
    addresses.set("IPv4Address", network.ip.clone());
    addresses.set("IPv6Address", network.ip6.clone());
    first.set("IPAMConfig", addresses.0);
    let mut networks = Fields::default();
    let name = network.network.first().map_or("default", String::as_str);
    networks.set(name, first.0);
    for name in network.network.iter().skip(1) {
        networks.0.insert(name.clone(), json!({}));
    }
    let mut config = Fields::default();
    config.set("EndpointsConfig", networks.0);
    config.0.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::flags::docker_habits;
    use clap::{Args, FromArgMatches};

    fn body(line: &[&str]) -> String {
        let command = docker_habits(Flags::augment_args(
            clap::Command::new("run").disable_help_flag(true),
        ));
        let parsed = command.try_get_matches_from(std::iter::once(&"run").chain(line));
        let flags = Flags::from_arg_matches(&parsed.unwrap()).unwrap();
        match build(&flags, "busybox", &["sh".into(), "-c".into()]) {
            Ok(body) => serde_json::to_string_pretty(&body).unwrap(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn without_flags() {
        insta::assert_snapshot!(body(&[]));
    }

    #[test]
    fn process_and_container() {
        insta::assert_snapshot!(body(&[
            "-it",
            "-e",
            "A=1",
            "--env=B=",
            "-l",
            "a=b",
            "--label",
            "c",
            "-u",
            "1:2",
            "-w/tmp",
            "--entrypoint",
            "",
            "--hostname",
            "boat",
            "--name",
            "one",
            "--rm",
            "--stop-signal",
            "TERM",
            "--stop-timeout",
            "3",
            "--init",
            "--cidfile",
            "/tmp/x",
            "--log-driver",
            "json-file",
            "--log-opt",
            "max-size=1m",
        ]));
    }

    #[test]
    fn storage_network_and_isolation() {
        insta::assert_snapshot!(body(&[
            "-v",
            "/a:/b:ro",
            "-v",
            "/anonymous",
            "--mount",
            "type=tmpfs,target=/t",
            "--tmpfs",
            "/s:size=1m",
            "--read-only",
            "--net",
            "none",
            "--add-host",
            "a:1.2.3.4",
            "--dns",
            "1.1.1.1",
            "-p",
            "8080:80",
            "--expose",
            "90-91",
            "--network-alias",
            "x",
            "--ip",
            "10.0.0.2",
            "--cap-add",
            "NET_ADMIN",
            "--cap-drop=ALL",
            "--security-opt",
            "no-new-privileges",
            "--security-opt",
            "systempaths=unconfined",
            "--pid",
            "host",
            "--device",
            "/dev/fuse",
            "--sysctl",
            "net.core.somaxconn=1",
            "--privileged",
        ]));
    }

    #[test]
    fn limits() {
        insta::assert_snapshot!(body(&[
            "-m",
            "64m",
            "--memory-swap",
            "-1",
            "--cpus",
            "1.5",
            "-c",
            "512",
            "--pids-limit",
            "20",
            "--ulimit",
            "nofile=1024",
            "--shm-size",
            "1g",
            "--device-read-bps",
            "/dev/sda:1mb",
            "--oom-score-adj",
            "-500",
            "--memory-swappiness",
            "0",
            "--health-cmd",
            "true",
            "--health-interval",
            "5s",
        ]));
    }

    #[test]
    fn contradictions() {
        let lines: [&[&str]; 3] = [
            &["--rm", "--restart", "always"],
            &["--no-healthcheck", "--health-cmd", "x"],
            &["--memory-swappiness", "101"],
        ];
        insta::assert_snapshot!(lines.map(|line| body(line) + "\n").concat());
    }
}
