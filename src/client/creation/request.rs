//! From flags to the body of `POST /containers/create`: pure, and snapshot-tested.

use super::addresses;
use super::flags::{Flags, Health};
use super::host;
use super::mounts::{Volume, volume};
use super::values::pairs_from_file;
use crate::client::failure::{Error, Result};
use api::{ContainerConfig, ContainerCreateRequest, Empty, HealthConfig, Labels, Set};

/// The body for one image and its command line.
pub fn build(flags: &Flags, image: &str, command: &[String]) -> Result<ContainerCreateRequest> {
    if flags.container.rm && !matches!(flags.container.restart.name.as_str(), "" | "no") {
        return Err(Error::usage("conflicting options: cannot specify both --restart and --rm"));
    }
    let volumes: Vec<Volume> = flags.storage.volume.iter().map(|text| volume(text)).collect();
    Ok(ContainerCreateRequest {
        config: config(flags, image, command, &volumes)?,
        host_config: host::config(flags, &volumes)?,
        networking_config: host::networking(&flags.network),
    })
}

/// None for an empty list, so that the daemon's or the image's own holds.
pub fn unless_empty<T: Default + PartialEq>(value: T) -> Option<T> {
    (value != T::default()).then_some(value)
}

/// `a=b` -> a to b; a name alone gets an empty value.
pub fn pairs<'a>(texts: impl IntoIterator<Item = &'a String>) -> Labels {
    let pair = |text: &String| {
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        (name.to_string(), value.to_string())
    };
    texts.into_iter().map(pair).collect()
}

fn config(flags: &Flags, image: &str, command: &[String], volumes: &[Volume]) -> Result<ContainerConfig> {
    let process = &flags.process;
    let attached = |name: &str| process.attach.iter().any(|stream| stream == name);
    let stdin = process.interactive || attached("stdin");
    Ok(ContainerConfig {
        hostname: flags.network.hostname.clone().unwrap_or_default(),
        domainname: flags.network.domainname.clone().unwrap_or_default(),
        user: process.user.clone().unwrap_or_default(),
        attach_stdin: stdin,
        attach_stdout: process.attach.is_empty() || attached("stdout"),
        attach_stderr: process.attach.is_empty() || attached("stderr"),
        exposed_ports: unless_empty(exposed(flags)?),
        tty: process.tty,
        open_stdin: process.interactive,
        // A container that is talked to ends its input with the one who talks.
        stdin_once: process.interactive && stdin,
        env: unless_empty(environment(flags)?),
        cmd: unless_empty(command.to_vec()),
        healthcheck: health(&flags.health)?,
        image: image.to_string(),
        volumes: unless_empty(anonymous(volumes)),
        working_dir: process.workdir.clone().unwrap_or_default(),
        // One empty word resets the image's entrypoint.
        entrypoint: process.entrypoint.clone().map(|entrypoint| vec![entrypoint]),
        labels: unless_empty(labels(flags)?),
        stop_signal: process.stop_signal.clone(),
        stop_timeout: process.stop_timeout,
        ..ContainerConfig::default()
    })
}

fn anonymous(volumes: &[Volume]) -> Set {
    let anonymous = volumes.iter().filter_map(|volume| match volume {
        Volume::Anonymous(target) => Some((target.clone(), Empty {})),
        Volume::Bind(_) => None,
    });
    anonymous.collect()
}

fn exposed(flags: &Flags) -> Result<Set> {
    let published = addresses::each(&flags.network.publish, addresses::published)?;
    let exposed = addresses::each(&flags.network.expose, addresses::exposed)?;
    let ports = published.into_iter().map(|port| port.container).chain(exposed);
    Ok(ports.map(|port| (port, Empty {})).collect())
}

fn environment(flags: &Flags) -> Result<Vec<String>> {
    let mut variables = Vec::new();
    for path in &flags.process.env_file {
        variables.extend(pairs_from_file(path, |name| std::env::var(name).ok())?);
    }
    variables.extend(flags.process.env.iter().cloned());
    Ok(variables)
}

fn labels(flags: &Flags) -> Result<Labels> {
    let mut labels = Vec::new();
    for path in &flags.container.label_file {
        labels.extend(pairs_from_file(path, |_| None)?);
    }
    Ok(pairs(labels.iter().chain(&flags.container.label)))
}

fn health(flags: &Health) -> Result<Option<HealthConfig>> {
    let number = |flag: &str, value: Option<i64>| match value.unwrap_or(0) {
        value if value < 0 => Err(Error::usage(format!("{flag} cannot be negative"))),
        value => Ok(value),
    };
    let check = HealthConfig {
        test: flags.health_cmd.clone().map(|command| vec!["CMD-SHELL".to_string(), command]),
        interval: number("--health-interval", flags.health_interval)?,
        timeout: number("--health-timeout", flags.health_timeout)?,
        start_period: number("--health-start-period", flags.health_start_period)?,
        start_interval: number("--health-start-interval", flags.health_start_interval)?,
        retries: number("--health-retries", flags.health_retries)?,
    };
    match (flags.no_healthcheck, unless_empty(check)) {
        (true, Some(_)) => Err(Error::usage("--no-healthcheck conflicts with --health-* options")),
        (true, None) => {
            Ok(Some(HealthConfig { test: Some(vec!["NONE".to_string()]), ..HealthConfig::default() }))
        }
        (false, check) => Ok(check),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::flags::docker_habits;
    use clap::{Args, FromArgMatches};
    use serde_json::Value;

    /// The body without what says nothing.
    fn body(line: &[&str]) -> String {
        let command = docker_habits(Flags::augment_args(clap::Command::new("run").disable_help_flag(true)));
        let parsed = command.try_get_matches_from(std::iter::once(&"run").chain(line));
        let flags = Flags::from_arg_matches(&parsed.unwrap()).unwrap();
        match build(&flags, "busybox", &["sh".into(), "-c".into()]) {
            Ok(body) => {
                let mut body = serde_json::to_value(body).unwrap();
                drop_empty(&mut body);
                serde_json::to_string_pretty(&body).unwrap()
            }
            Err(error) => error.to_string(),
        }
    }

    fn drop_empty(value: &mut Value) {
        let nothing = [serde_json::json!(0), false.into(), Value::Null];
        if let Value::Object(fields) = value {
            fields.retain(|name, value| {
                // A label may be empty; every other text that is says nothing.
                let said = *value != "" || name.len() == 1;
                said && !nothing.contains(value) && *value != serde_json::json!([0, 0])
            });
            fields.values_mut().for_each(drop_empty);
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
            "1",
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
