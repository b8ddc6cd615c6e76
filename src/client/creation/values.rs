//! The values of flags of `run` and `create`: what each looks like, and what Docker says when it does not.

use crate::client::failure::{Error, ErrorKind, Result, errno_text};
use crate::client::units::parse_bytes;
use api::{DeviceMapping, RestartPolicy, ThrottleDevice, Ulimit, WeightDevice};
use serde_json::Value;

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
    let name = text.split('=').next().unwrap_or_default().trim_start_matches([' ', '\t']);
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
        let (name, value) = line.split_once('=').map_or((line, None), |(name, value)| (name, Some(value)));
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
pub fn restart_policy(text: &str) -> Parsed<RestartPolicy> {
    let (name, count) = text.split_once(':').unwrap_or((text, ""));
    if name.is_empty() && text.contains(':') {
        return Err("invalid restart policy format: no policy provided before colon".into());
    }
    let bad = "invalid restart policy format: maximum retry count must be an integer";
    let count: i64 = if count.is_empty() { 0 } else { count.parse().map_err(|_| bad)? };
    Ok(RestartPolicy { name: name.to_string(), maximum_retry_count: count })
}

/// Refuses a namespace that is neither the container's own nor the host's; docker checks these once all flags are read.
pub fn check_mode(flag: &str, name: &str, mode: Option<&str>) -> Result<()> {
    let known = match mode.unwrap_or_default() {
        "" | "host" => true,
        "private" => flag == "cgroupns",
        other => flag == "pid" && other.strip_prefix("container:").is_some_and(|name| !name.is_empty()),
    };
    if known { Ok(()) } else { Err(Error::usage(format!("--{flag}: invalid {name} mode"))) }
}

/// `/dev/x[:/dev/y][:rwm]`.
pub fn device(text: &str) -> Parsed<DeviceMapping> {
    let is_mode = |part: &str| {
        let distinct = part.chars().all(|letter| "rwm".contains(letter) && part.matches(letter).count() == 1);
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
    Ok(DeviceMapping {
        path_on_host: source.to_string(),
        path_in_container: target.to_string(),
        cgroup_permissions: mode.to_string(),
    })
}

/// `c 10:200 rwm`, as the engine reads it; docker's client looks at it as well, and has words of its own.
pub fn device_rule(text: &str) -> Parsed<String> {
    let checked = crate::spec::devices::parse_rule(text);
    checked.map(|_| text.to_string()).map_err(|_| format!("invalid device cgroup format '{text}'"))
}

/// `name=value` of a namespaced kernel setting.
pub fn sysctl(text: &str) -> Parsed<String> {
    let ipc = ["msgmax", "msgmnb", "msgmni", "sem", "shmall", "shmmax", "shmmni", "shm_rmid_forced"];
    let allowed = text.split_once('=').is_some_and(|(name, _)| {
        let is_ipc = name.strip_prefix("kernel.").is_some_and(|rest| ipc.contains(&rest));
        is_ipc || name.starts_with("net.") || name.starts_with("fs.mqueue.")
    });
    if allowed { Ok(text.to_string()) } else { Err(format!("sysctl '{text}' is not allowed")) }
}

/// The limits of setrlimit(2), by Docker's names.
const ULIMITS: &str =
    "as core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack";

/// `nofile=1024:2048`.
pub fn ulimit(text: &str) -> Parsed<Ulimit> {
    let bad = || format!("invalid ulimit argument: {text}");
    let (name, limits) = text.split_once('=').ok_or_else(bad)?;
    if !ULIMITS.split(' ').any(|known| known == name) {
        return Err(format!("invalid ulimit type: {name}"));
    }
    let number = |digits: &str| {
        digits.parse::<i64>().map_err(|_| format!("strconv.ParseInt: parsing {digits:?}: invalid syntax"))
    };
    let (soft, hard) = match limits.split_once(':') {
        Some((soft, hard)) => (number(soft)?, number(hard)?),
        None => (number(limits)?, number(limits)?),
    };
    if hard != -1 && (soft == -1 || soft > hard) {
        return Err(format!("ulimit soft limit must be less than or equal to hard limit: {soft} > {hard}"));
    }
    Ok(Ulimit { name: name.to_string(), hard, soft })
}

/// `/dev/sda:1mb`.
pub fn byte_rate(text: &str) -> Parsed<ThrottleDevice> {
    rate(
        text,
        |rate| parse_bytes(rate).ok().and_then(|rate| u64::try_from(rate).ok()),
        "[<unit>]",
        " Unit is optional and can be kb, mb, or gb",
    )
}

/// `/dev/sda:100`.
pub fn operation_rate(text: &str) -> Parsed<ThrottleDevice> {
    rate(text, |rate| rate.parse().ok(), "", "")
}

fn rate(text: &str, parse: impl Fn(&str) -> Option<u64>, unit: &str, more: &str) -> Parsed<ThrottleDevice> {
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
    Ok(ThrottleDevice { path: path.to_string(), rate: parse(rate).ok_or_else(bad)? })
}

/// `/dev/sda:500`; 0 takes a weight back.
pub fn disk_weight(text: &str) -> Parsed<WeightDevice> {
    let pair = text.split_once(':').filter(|(path, _)| !path.is_empty());
    let (path, weight) = pair.ok_or_else(|| format!("bad format: {text}"))?;
    if !path.starts_with("/dev/") {
        return Err(format!("bad format for device path: {text}"));
    }
    let weight = weight.parse().ok().filter(|weight| *weight == 0 || (10..=1000).contains(weight));
    let weight = weight.ok_or_else(|| format!("invalid weight for device: {text}"))?;
    Ok(WeightDevice { path: path.to_string(), weight })
}

/// A size, or -1 for no limit.
pub fn swap(text: &str) -> Parsed<i64> {
    if text == "-1" { Ok(-1) } else { parse_bytes(text) }
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
        Error::usage(format!("compacting json for seccomp profile ({value}) failed: {error}"))
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
            device("/dev/a:/dev/b:x").unwrap_err(),
            device("/dev/a:b").unwrap_err(),
            sysctl("vm.swappiness=1").unwrap_err(),
            ulimit("nofile").unwrap_err(),
            ulimit("nofoo=1").unwrap_err(),
            ulimit("nofile=2:1").unwrap_err(),
            byte_rate("/dev/sda:x").unwrap_err(),
            operation_rate("/dev/sda:-1").unwrap_err(),
            disk_weight("/dev/sda:5").unwrap_err(),
            disk_weight("sda:500").unwrap_err(),
            check_mode("pid", "PID", Some("foo")).unwrap_err().to_string(),
            security_option("seccomp=/nosuch").unwrap_err().to_string(),
            security_option("bogus").unwrap_err().to_string(),
        ];
        insta::assert_snapshot!(refusals.join("\n"));
    }

    #[test]
    fn values_are_normalized() {
        assert_eq!(device("/dev/a:r").unwrap().cgroup_permissions, "r");
        let limit = ulimit("nofile=1:2").unwrap();
        assert_eq!((limit.name.as_str(), limit.soft, limit.hard), ("nofile", 1, 2));
        assert_eq!(byte_rate("/dev/a:1k").unwrap().rate, 1024);
    }

    #[test]
    fn a_file_of_variables() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("env");
        std::fs::write(&path, "\u{feff}# comment\n\n  A=1 \nB\nC\n").unwrap();
        let lookup = |name: &str| (name == "B").then(|| "ours".to_string());
        assert_eq!(pairs_from_file(path.to_str().unwrap(), lookup).unwrap(), ["A=1 ", "B=ours"]);
        std::fs::write(&path, "a b=c\n").unwrap();
        let error = pairs_from_file(path.to_str().unwrap(), |_| None).unwrap_err().to_string();
        assert!(error.ends_with("variable 'a b' contains whitespaces"), "{error}");
    }
}
