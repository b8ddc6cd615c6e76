//! Long tail: `update`, other limits for a container that is there.

use super::freezing::cgroup;
use super::store::{Status, Store};
use crate::document::from_json;
use crate::plan::limits;
use crate::{Error, ErrorKind, Result, created};
use cgroups::{Cgroup, systemd};
use clap::Args;
use kernel::Strace;
use oci_spec::runtime::{LinuxResources, Spec};
use serde_json::{Map, Value, json};
use std::io::Read;

#[derive(Args)]
pub struct Update {
    /// The container
    id: String,
    /// A file with linux.resources, what is absent or zero stays; `-` is standard input; other options are ignored then
    #[arg(short, long, value_name = "FILE")]
    resources: Option<String>,
    /// The share of the disks, 10 to 1000
    #[arg(long, value_name = "N")]
    blkio_weight: Option<u16>,
    /// Microseconds
    #[arg(long, value_name = "N")]
    cpu_period: Option<u64>,
    /// Microseconds of each period; -1 is no limit
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    cpu_quota: Option<i64>,
    /// The share of the processors
    #[arg(long, value_name = "N")]
    cpu_share: Option<u64>,
    /// Microseconds of a period of real-time processes; cgroup v1
    #[arg(long, value_name = "N")]
    cpu_rt_period: Option<u64>,
    /// Microseconds of each that they have; -1 is no limit; cgroup v1
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    cpu_rt_runtime: Option<i64>,
    /// Processors, as 0-1,3
    #[arg(long, value_name = "LIST")]
    cpuset_cpus: Option<String>,
    /// Nodes of memory
    #[arg(long, value_name = "LIST")]
    cpuset_mems: Option<String>,
    /// Bytes, or 64M, 1g; -1 is no limit
    #[arg(long, value_name = "BYTES", allow_hyphen_values = true, value_parser = bytes)]
    memory: Option<i64>,
    /// Bytes that are spared when memory is short
    #[arg(long, value_name = "BYTES", allow_hyphen_values = true, value_parser = bytes)]
    memory_reservation: Option<i64>,
    /// Bytes of memory and swap together; -1 is no limit
    #[arg(long, value_name = "BYTES", allow_hyphen_values = true, value_parser = bytes)]
    memory_swap: Option<i64>,
    /// Processes and threads; -1 is no limit
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    pids_limit: Option<i64>,
    /// Not supported
    #[arg(long, value_name = "SCHEMA")]
    l3_cache_schema: Option<String>,
    /// Not supported
    #[arg(long, value_name = "SCHEMA")]
    mem_bw_schema: Option<String>,
}

impl Update {
    pub fn run(&self, store: &Store) -> Result<u8> {
        for (flag, value) in
            [("--l3-cache-schema", &self.l3_cache_schema), ("--mem-bw-schema", &self.mem_bw_schema)]
        {
            if value.is_some() {
                let why = "write the line to the schemata file of the container's group in /sys/fs/resctrl";
                return Err(Error::new(ErrorKind::NotSupported, format!("{flag} is not supported: {why}")));
            }
        }
        let entry = store.open(&self.id)?;
        if matches!(entry.status(), Status::Stopped | Status::Creating) {
            return Err(Error::new(ErrorKind::Conflict, format!("container {} is not running", self.id)));
        }
        let group = cgroup(&entry, "update")?;
        let old = entry.spec()?;
        let new = changed(&old, self.changes()?)?;
        let (old_limits, new_limits) = (limits_of(&old)?, limits_of(&new)?);
        check_usage(&new, &group)?;
        let path = entry.record.cgroup.as_deref().unwrap_or_default();
        let layout = created::hierarchies(path)?;
        let set = |limits| match &entry.record.unit {
            Some(unit) => systemd::update(unit, path, limits),
            None => group.update(&layout, limits),
        };
        if let Err(error) = set(&new_limits) {
            let _ = set(&old_limits);
            return Err(error.into());
        }
        entry.write_spec(&new)?;
        Ok(0)
    }

    /// What is said of linux.resources.
    fn changes(&self) -> Result<Value> {
        if let Some(path) = &self.resources {
            let mut json = Vec::new();
            if path == "-" {
                std::io::stdin().read_to_end(&mut json).strace(|| "read(0)".into())?;
            } else {
                json = std::fs::read(path).strace(|| format!("read({path:?})"))?;
            }
            let resources: LinuxResources =
                from_json(&json).map_err(|error| Error::invalid(format!("--resources {path:?}: {error}")))?;
            return serde_json::to_value(resources).map_err(Error::system);
        }
        // No limit of memory, and one of both: the kernel would refuse it.
        let swap = self.memory_swap.or_else(|| self.memory.filter(|bytes| *bytes == -1));
        Ok(json!({
            "memory": {"limit": self.memory, "reservation": self.memory_reservation, "swap": swap},
            "cpu": {
                "shares": self.cpu_share,
                "quota": self.cpu_quota,
                "period": self.cpu_period,
                "realtimeRuntime": self.cpu_rt_runtime,
                "realtimePeriod": self.cpu_rt_period,
                "cpus": self.cpuset_cpus,
                "mems": self.cpuset_mems,
            },
            "blockIO": {"weight": self.blkio_weight},
            "pids": self.pids_limit.map(|limit| json!({"limit": limit})),
        }))
    }
}

/// The same spec with other resources. Which devices may be used is not changed, as under runc.
fn changed(spec: &Spec, mut changes: Value) -> Result<Spec> {
    let mut linux = spec.linux().clone().unwrap_or_default();
    let mut resources = serde_json::to_value(linux.resources()).map_err(Error::system)?;
    let devices = changes.as_object_mut().and_then(|changes| changes.remove("devices"));
    if devices.is_some_and(|devices| devices != json!([]) && devices != resources["devices"]) {
        return Err(Error::not_supported("linux.resources.devices: another list in an update"));
    }
    lay_over(&mut resources, changes);
    let resources: LinuxResources = serde_json::from_value(resources).map_err(Error::system)?;
    linux.set_resources(Some(resources));
    let mut spec = spec.clone();
    spec.set_linux(Some(linux));
    Ok(spec)
}

/// What is absent, zero or empty in the changes stays as it is.
fn lay_over(old: &mut Value, changes: Value) {
    match changes {
        Value::Object(changes) => {
            if !old.is_object() {
                *old = Value::Object(Map::new());
            }
            for (name, change) in changes {
                lay_over(&mut old[name], change);
            }
        }
        change if [json!(null), json!(0), json!(""), json!([])].contains(&change) => {}
        change => *old = change,
    }
}

fn limits_of(spec: &Spec) -> Result<cgroups::Limits> {
    spec.linux().as_ref().map_or_else(|| Ok(cgroups::Limits::default()), limits)
}

/// `linux.resources.memory.checkBeforeUpdate`: rather no new limit than one that ends processes at once.
fn check_usage(spec: &Spec, group: &Cgroup) -> Result<()> {
    let resources = spec.linux().as_ref().and_then(|linux| linux.resources().as_ref());
    let Some(memory) = resources.and_then(|resources| resources.memory().as_ref()) else { return Ok(()) };
    let limit = memory.limit().and_then(|limit| u64::try_from(limit).ok()).filter(|limit| *limit > 0);
    let usage = group.statistics().memory.usage;
    match limit.filter(|limit| memory.check_before_update() == Some(true) && usage > *limit) {
        Some(limit) => Err(Error::new(
            ErrorKind::Conflict,
            format!(
                "linux.resources.memory.limit {limit}: {usage} bytes are in use, and checkBeforeUpdate is set"
            ),
        )),
        None => Ok(()),
    }
}

/// `1048576`, `64M`, `1.5g`, `64MiB`, `-1`: as runc reads them, in powers of 1024.
fn bytes(text: &str) -> Result<i64, String> {
    let wrong = || format!("{text:?} is no number of bytes, as 64M");
    if text == "-1" {
        return Ok(-1);
    }
    let lower = text.to_ascii_lowercase();
    let end = lower.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(lower.len());
    let (number, unit) = lower.split_at(end);
    let unit = unit.trim_start();
    let power = match unit.strip_suffix("ib").or_else(|| unit.strip_suffix('b')).unwrap_or(unit) {
        "" => 0,
        "k" => 1,
        "m" => 2,
        "g" => 3,
        "t" => 4,
        "p" => 5,
        _ => return Err(wrong()),
    };
    let number: f64 = number.parse().map_err(|_| wrong())?;
    Ok((number * 1024f64.powi(power)) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_as_runc_reads_them() {
        let read = ["1048576", "64M", "1.5g", "64MiB", "10 kb", "-1"].map(|text| bytes(text).unwrap());
        assert_eq!(read, [1 << 20, 64 << 20, 3 << 29, 64 << 20, 10 << 10, -1]);
        for wrong in ["", "M", "-2", "64X", "1e3", "0x10"] {
            assert!(bytes(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_not_said_stays() {
        let mut old = json!({"memory": {"limit": 1, "swap": 2}, "cpu": {"cpus": "0"}, "devices": [1]});
        lay_over(
            &mut old,
            json!({"memory": {"limit": 5, "swap": 0}, "cpu": {"cpus": "", "quota": -1}, "pids": null}),
        );
        let expected = json!({
            "memory": {"limit": 5, "swap": 2}, "cpu": {"cpus": "0", "quota": -1}, "devices": [1], "pids": null
        });
        assert_eq!(old, expected);
    }
}
