//! The values of flags of `run` and `create`: what each looks like, and what Docker says when it does not.

use crate::client::failure::{Error, ErrorKind, Result, errno_text};
use crate::client::units::parse_bytes;
use serde_json::{Value, json};

type Parsed<T> = std::result::Result<T, String>;

/// `stdin`, `STDOUT`, … -> lower case.
pub fn stream(text: &str) -> Parsed<String> {
    match text.to_lowercase() {
        name if matches!(name.as_str(), "stdin" | "stdout" | "stderr") => Ok(name),
        _ => Err("valid streams are STDIN, STDOUT and STDERR".into()),
    }
}

/// `NAME=value`, or `NAME` to take the value of our own environment. A name that we lack stays as it is: it removes the
/// image's variable.
pub fn variable(text: &str) -> Parsed<String> {
    match text.split_once('=') {
        Some(("", _)) => Err(format!("invalid environment variable: {text}")),
        None if text.is_empty() => Err(format!("invalid environment variable: {text}")),
        Some(_) => Ok(text.to_string()),
        None => Ok(std::env::var(text).map_or(text.to_string(), |value| format!("{text}={value}"))),
    }
}

/// `name=value`, or `name` alone.
pub fn label(text: &str) -> Parsed<String> {
    let name = text
        .split('=')
        .next()
        .unwrap_or_default()
        .trim_start_matches([' ', '\t']);
    match name {
        "" => Err(format!("invalid label '{text}': empty name")),
        name if name.contains([' ', '\t']) => Err(format!("label '{name}' contains whitespaces")),
        _ => Ok(text.to_string()),
    }
}

/// The lines `NAME=value` of a file. `lookup` gives values to names that stand alone; without one they are left out.
pub fn pairs_from_file(path: &str, lookup: impl Fn(&str) -> Option<String>) -> Result<Vec<String>> {
    let bytes = std::fs::read(path).map_err(|error| Error::file("open", path, &error))?;
    let invalid = |what: String| Error::new(ErrorKind::Local, format!("invalid env file ({path}): {what}"));
    let text = String::from_utf8(bytes).map_err(|error| invalid(format!("invalid utf8 bytes: {error}")))?;
    let mut pairs = Vec::new();
    for line in text.trim_start_matches('\u{feff}').lines() {
        let line = line.trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, value) = line
            .split_once('=')
            .map_or((line, None), |(name, value)| (name, Some(value)));
        if name.is_empty() {
            return Err(invalid(format!("no variable name on line '{line}'")));
        }
        if name.contains([' ', '\t']) {
            return Err(invalid(format!("variable '{name}' contains whitespaces")));
        }
        match value {
            Some(_) => pairs.push(line.to_string()),
            None => pairs.extend(lookup(name).map(|value| format!("{name}={value}"))),
        }
    }
    Ok(pairs)
}

/// `on-failure:3` -> name and count.
pub fn restart_policy(text: &str) -> Parsed<Value> {
    let (name, count) = text.split_once(':').unwrap_or((text, ""));
    if name.is_empty() && text.contains(':') {
        return Err("invalid restart policy format: no policy provided before colon".into());
    }
    let bad = "invalid restart policy format: maximum retry count must be an integer";
    let count: i64 = if count.is_empty() {
        0
    } else {
        count.parse().map_err(|_| bad)?
    };
    Ok(json!({"Name": name, "MaximumRetryCount": count}))
}

/// `name:address`, `name=address`, `name:[address]`, `name:host-gateway` -> `name:address`.
pub fn extra_host(text: &str) -> Parsed<String> {
    let pair = text.split_once('=').or_else(|| text.split_once(':'));
    let (name, address) = pair.ok_or_else(|| format!("bad format for add-host: {text:?}"))?;
    if name.is_empty() || name.contains(':') {
        return Err(format!("bad format for add-host: {text:?}"));
    }
    let address = address
        .strip_prefix('[')
        .and_then(|inner| inner.strip_suffix(']'))
        .unwrap_or(address);
    if address != "host-gateway" && address.parse::<std::net::IpAddr>().is_err() {
        return Err(format!("invalid IP address in add-host: {address:?}"));
    }
    Ok(format!("{name}:{address}"))
}

/// An IP address.
pub fn address(text: &str) -> Parsed<String> {
    let parsed = text.trim().parse::<std::net::IpAddr>();
    parsed
        .map(|address| address.to_string())
        .map_err(|_| format!("IP address is not correctly formatted: {text}"))
}

/// A namespace mode: empty, `host`, `private`, or `container:x` for pids.
pub fn one_of(flag: &'static str, name: &'static str) -> impl Fn(&str) -> Parsed<String> + Clone {
    move |text| {
        let known = match text {
            "" | "host" => true,
            "private" => flag == "cgroupns" || flag == "pid",
            other => {
                flag == "pid"
                    && other
                        .strip_prefix("container:")
                        .is_some_and(|name| !name.is_empty())
            }
        };
        if known {
            Ok(text.to_string())
        } else {
            Err(format!("--{flag}: invalid {name} mode"))
        }
    }
}

/// `/dev/x[:/dev/y][:rwm]`.
pub fn device(text: &str) -> Parsed<Value> {
    let is_mode = |part: &str| {
        let distinct = part
            .chars()
            .all(|letter| "rwm".contains(letter) && part.matches(letter).count() == 1);
        !part.is_empty() && distinct
    };
    let bad = || format!("bad format for path: {text}");
    let (source, target, mode) = match text.split(':').collect::<Vec<_>>()[..] {
        [source] => (source, source, "rwm"),
        [source, mode] if is_mode(mode) => (source, source, mode),
        [source, target] => (source, target, "rwm"),
        [source, target, mode] if is_mode(mode) => (source, target, mode),
        [_, _, mode] => return Err(format!("bad mode specified: {mode}")),
        _ => return Err(bad()),
    };
    if source.is_empty() {
        return Err(bad());
    }
    if !target.starts_with('/') {
        return Err(format!("{target} is not an absolute path"));
    }
    Ok(json!({"PathOnHost": source, "PathInContainer": target, "CgroupPermissions": mode}))
}

/// `name=value` of a namespaced kernel setting.
pub fn sysctl(text: &str) -> Parsed<String> {
    let ipc = [
        "msgmax",
        "msgmnb",
        "msgmni",
        "sem",
        "shmall",
        "shmmax",
        "shmmni",
        "shm_rmid_forced",
    ];
    let allowed = text.split_once('=').is_some_and(|(name, _)| {
        let is_ipc = name
            .strip_prefix("kernel.")
            .is_some_and(|rest| ipc.contains(&rest));
        is_ipc || name.starts_with("net.") || name.starts_with("fs.mqueue.")
    });
    if allowed {
        Ok(text.to_string())
    } else {
        Err(format!("sysctl '{text}' is not allowed"))
    }
}

/// `nofile=1024:2048`.
pub fn ulimit(text: &str) -> Parsed<Value> {
    const NAMES: [&str; 16] = [
        "as",
        "core",
        "cpu",
        "data",
        "fsize",
        "locks",
        "memlock",
        "msgqueue",
        "nice",
        "nofile",
        "nproc",
        "rss",
        "rtprio",
        "rttime",
        "sigpending",
        "stack",
    ];
    let bad = || format!("invalid ulimit argument: {text}");
    let (name, limits) = text.split_once('=').ok_or_else(bad)?;
    if !NAMES.contains(&name) {
        return Err(format!("invalid ulimit type: {name}"));
    }
    let number = |digits: &str| {
        digits
            .parse::<i64>()
            .map_err(|_| format!("strconv.ParseInt: parsing {digits:?}: invalid syntax"))
    };
    let (soft, hard) = match limits.split_once(':') {
        Some((soft, hard)) => (number(soft)?, number(hard)?),
        None => (number(limits)?, number(limits)?),
    };
    if hard != -1 && (soft == -1 || soft > hard) {
        return Err(format!(
            "ulimit soft limit must be less than or equal to hard limit: {soft} > {hard}"
        ));
    }
    Ok(json!({"Name": name, "Hard": hard, "Soft": soft}))
}

/// A limit on a device: bytes or operations a second.
#[derive(Clone, Debug)]
pub struct Rate {
    /// The device.
    pub path: String,
    /// How much a second.
    pub rate: i64,
}

/// `/dev/sda:1mb`.
pub fn byte_rate(text: &str) -> Parsed<Rate> {
    rate(
        text,
        |rate| parse_bytes(rate).ok(),
        "[<unit>]",
        " Unit is optional and can be kb, mb, or gb",
    )
}

/// `/dev/sda:100`.
pub fn operation_rate(text: &str) -> Parsed<Rate> {
    rate(text, |rate| rate.parse::<u32>().ok().map(i64::from), "", "")
}

fn rate(text: &str, parse: impl Fn(&str) -> Option<i64>, unit: &str, more: &str) -> Parsed<Rate> {
    let pair = text.split_once(':').filter(|(path, _)| !path.is_empty());
    let (path, rate) = pair.ok_or_else(|| format!("bad format: {text}"))?;
    if !path.starts_with("/dev/") {
        return Err(format!("bad format for device path: {text}"));
    }
    let shape = format!("<device-path>:<number>{unit}. Number must be a positive integer.{more}");
    let bad = || {
        format!("invalid rate for device: {text}. The correct format is {shape}")
            .trim_end_matches('.')
            .to_string()
    };
    Ok(Rate {
        path: path.to_string(),
        rate: parse(rate).ok_or_else(bad)?,
    })
}

/// A size, or -1 for no limit.
pub fn swap(text: &str) -> Parsed<i64> {
    if text == "-1" { Ok(-1) } else { parse_bytes(text) }
}

/// A published port.
#[derive(Clone, Debug)]
pub struct Published {
    /// `80/tcp`
    pub container: String,
    /// `{"HostIp":…,"HostPort":…}`
    pub host: Value,
}

/// `[[address:]port:]port[/protocol]`, either port a range.
pub fn published(text: &str) -> Parsed<Vec<Published>> {
    let (ports, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let (host, container) = ports.rsplit_once(':').unwrap_or(("", ports));
    let (address, port) = host.rsplit_once(':').unwrap_or(("", host));
    let address = address.trim_start_matches('[').trim_end_matches(']');
    if !address.is_empty() {
        address
            .parse::<std::net::IpAddr>()
            .map_err(|_| format!("invalid IP address: {address}"))?;
    }
    let protocol = protocol.to_lowercase();
    if !matches!(protocol.as_str(), "tcp" | "udp" | "sctp") {
        return Err(format!("invalid proto: {protocol}"));
    }
    let inside = range(container).ok_or_else(|| format!("invalid containerPort: {container}"))?;
    let outside: Vec<String> = match port {
        "" => inside.clone().map(|_| String::new()).collect(),
        // Any free port of the range will do for a single port inside.
        port if inside.len() == 1 && range(port).is_some() => vec![port.to_string()],
        port => range(port)
            .ok_or_else(|| format!("invalid hostPort: {port}"))?
            .map(|port| port.to_string())
            .collect(),
    };
    if inside.len() != outside.len() {
        return Err(format!(
            "invalid ranges specified for container and host Ports: {container} and {port}"
        ));
    }
    let published = |(port, host): (u16, String)| Published {
        container: format!("{port}/{protocol}"),
        host: json!({"HostIp": address, "HostPort": host}),
    };
    Ok(inside.zip(outside).map(published).collect())
}

/// `80` or `80-90`, upwards.
fn range(text: &str) -> Option<std::ops::RangeInclusive<u16>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let range = first.parse().ok()?..=last.parse().ok()?;
    (!range.is_empty()).then_some(range)
}

/// A network's name; of the long form `name=x,…` only the name is understood.
pub fn network(text: &str) -> Parsed<String> {
    if !text.contains('=') {
        return Ok(text.to_string());
    }
    match text
        .split(',')
        .map(|field| field.split_once('='))
        .collect::<Vec<_>>()[..]
    {
        [Some(("name", name))] => Ok(name.to_string()),
        _ => Err("options of a network are not supported yet".into()),
    }
}

/// `8000-8002/udp` -> each port.
pub fn exposed(text: &str) -> Parsed<Vec<String>> {
    let (ports, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let range = range(ports).ok_or_else(|| format!("invalid range format for --expose: {text}"))?;
    Ok(range
        .map(|port| format!("{port}/{}", protocol.to_lowercase()))
        .collect())
}

/// `--security-opt`: a seccomp profile's file is read here, since the daemon may not see it.
pub fn security_option(text: &str) -> Result<String> {
    if text == "no-new-privileges" {
        return Ok(text.to_string());
    }
    let pair = text.split_once('=').or_else(|| text.split_once(':'));
    let (name, value) = pair
        .filter(|(name, value)| !value.is_empty() || *name == "no-new-privileges")
        .ok_or_else(|| Error::usage(format!("Invalid --security-opt: {text:?}")))?;
    if name != "seccomp" || matches!(value, "unconfined" | "builtin") {
        return Ok(text.to_string());
    }
    let bytes = std::fs::read(value).map_err(|error| {
        let reason = format!("open {value}: {}", errno_text(&error));
        Error::usage(format!("opening seccomp profile ({value}) failed: {reason}"))
    })?;
    let profile: Value = serde_json::from_slice(&bytes).map_err(|error| {
        Error::usage(format!(
            "compacting json for seccomp profile ({value}) failed: {error}"
        ))
    })?;
    Ok(format!("seccomp={profile}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_in_dockers_words() {
        let refusals = [
            stream("stdfoo").unwrap_err(),
            variable("=x").unwrap_err(),
            label("a b=c").unwrap_err(),
            restart_policy("on-failure:x").unwrap_err(),
            extra_host("name").unwrap_err(),
            extra_host("name:nowhere").unwrap_err(),
            device("/dev/a:/dev/b:x").unwrap_err(),
            device("/dev/a:b").unwrap_err(),
            sysctl("vm.swappiness=1").unwrap_err(),
            ulimit("nofile").unwrap_err(),
            ulimit("nofoo=1").unwrap_err(),
            ulimit("nofile=2:1").unwrap_err(),
            byte_rate("/dev/sda:x").unwrap_err(),
            operation_rate("/dev/sda:-1").unwrap_err(),
            published("http").unwrap_err(),
            published("80/foo").unwrap_err(),
            published("1-2:1-3").unwrap_err(),
            network("name=a,ip=1.2.3.4").unwrap_err(),
            one_of("pid", "PID")("foo").unwrap_err(),
            security_option("seccomp=/nosuch").unwrap_err().to_string(),
            security_option("bogus").unwrap_err().to_string(),
        ];
        insta::assert_snapshot!(refusals.join("\n"));
    }

    #[test]
    fn values_are_normalized() {
        assert_eq!(extra_host("a=[::1]"), Ok("a:::1".into()));
        assert_eq!(device("/dev/a:r").unwrap()["CgroupPermissions"], "r");
        assert_eq!(
            ulimit("nofile=1:2").unwrap(),
            json!({"Name": "nofile", "Hard": 2, "Soft": 1})
        );
        assert_eq!(exposed("80-81").unwrap(), ["80/tcp", "81/tcp"]);
        let port = &published("[::1]:8080:80").unwrap()[0];
        assert_eq!(
            (port.container.as_str(), &port.host),
            ("80/tcp", &json!({"HostIp": "::1", "HostPort": "8080"}))
        );
        let ports = published("90-91:80-81/udp").unwrap();
        assert_eq!(
            ports
                .iter()
                .map(|port| port.container.as_str())
                .collect::<Vec<_>>(),
            ["80/udp", "81/udp"]
        );
    }

    #[test]
    fn a_file_of_variables() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("env");
        std::fs::write(&path, "\u{feff}# comment\n\n  A=1 \nB\nC\n").unwrap();
        let lookup = |name: &str| (name == "B").then(|| "ours".to_string());
        assert_eq!(
            pairs_from_file(path.to_str().unwrap(), lookup).unwrap(),
            ["A=1 ", "B=ours"]
        );
        std::fs::write(&path, "a b=c\n").unwrap();
        let error = pairs_from_file(path.to_str().unwrap(), |_| None)
            .unwrap_err()
            .to_string();
        assert!(error.ends_with("variable 'a b' contains whitespaces"), "{error}");
    }
}
