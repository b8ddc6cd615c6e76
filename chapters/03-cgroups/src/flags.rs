//! Stage: the flags of the chapter's binary, as docker's, and what they ask for.

use cgroups::{Layout, Limits};
use chroot::{Attributes, Mount, MountOptions};
use namespaces::{Failure, FailureKind, SpawnPlan};
use std::ffi::OsString;
use std::path::Path;

/// Chapter 03: runs a command in a root, in namespaces, and in a cgroup of its own.
///
/// What it may use is limited, whatever it does; at its end it is said whether memory ran out. /sys/fs/cgroup shows its own
/// group. As an ordinary user this needs a cgroup that was delegated: systemd-run --user --scope -p Delegate=yes cgroups …
#[derive(clap::Parser)]
#[command(name = "cgroups", override_usage = "cgroups [OPTIONS] [ROOTFS] [COMMAND [ARGUMENT]...]")]
pub struct Arguments {
    /// Bytes of memory, as 64m; swap may be as much again
    #[arg(long, short, value_name = "BYTES")]
    memory: Option<String>,
    /// Processes and threads
    #[arg(long, value_name = "COUNT")]
    pids: Option<i64>,
    /// How many processors' time, as 0.5
    #[arg(long, value_name = "NUMBER")]
    cpus: Option<f64>,
    /// Share of the processors when they are contended, relative to 1024
    #[arg(long, value_name = "SHARE")]
    cpu_shares: Option<u64>,
    /// Which processors, as 0-1,3
    #[arg(long, value_name = "LIST")]
    cpuset: Option<String>,
    /// Lets it use only the devices that every container may use
    #[arg(long)]
    deny_devices: bool,
    /// A folder with a root file system (the built-in one if it is left out), then the command (/hello)
    #[arg(trailing_var_arg = true, value_name = "ROOTFS, COMMAND, ARGUMENT")]
    pub words: Vec<OsString>,
}

/// Microseconds of the period that `--cpus` is a share of.
const PERIOD: u64 = 100_000;

impl Arguments {
    /// What the flags limit.
    pub fn limits(&self) -> Result<Limits, Failure> {
        let invalid = |error| Failure::new(FailureKind::Invalid, error);
        let memory = self.memory.as_deref().map(bytes).transpose().map_err(invalid)?;
        let devices = if self.deny_devices { cgroups::default_device_rules() } else { Vec::new() };
        Ok(Limits {
            memory,
            memory_swap: memory.map(|bytes| bytes.saturating_mul(2)),
            pids: self.pids,
            cpu_quota: self.cpus.map(|cpus| (cpus * PERIOD as f64) as i64),
            cpu_period: self.cpus.map(|_| PERIOD),
            cpu_shares: self.cpu_shares,
            cpuset_cpus: self.cpuset.clone(),
            devices,
            ..Limits::default()
        })
    }

    /// Chapter 02's, all new.
    pub fn namespaces(&self) -> SpawnPlan {
        SpawnPlan { hostname: Some("coracle".into()), ..namespaces::everything_new(Vec::new()) }
    }

    /// A fresh /proc and /sys, and the container's groups.
    pub fn mounts(&self, layout: &Layout, group: &str) -> Vec<Mount> {
        let read_only = Attributes { set: Attributes::RDONLY, clear: 0 };
        let options = MountOptions { attributes: read_only, ..MountOptions::default() };
        let groups = cgroups::view(layout, Some(group), Path::new("/sys/fs/cgroup"), options);
        [vec![namespaces::fresh_proc(), namespaces::fresh_sys()], groups].concat()
    }
}

/// `64m` is 64 times 1024 times 1024.
fn bytes(text: &str) -> Result<i64, String> {
    let units = [("k", 10), ("m", 20), ("g", 30), ("t", 40)];
    let lower = text.to_ascii_lowercase();
    let unit = units.iter().find_map(|(unit, shift)| Some((lower.strip_suffix(unit)?, *shift)));
    let (number, shift) = unit.unwrap_or((lower.as_str(), 0));
    let number: Option<i64> = number.parse().ok();
    number
        .and_then(|number| number.checked_mul(1 << shift))
        .ok_or_else(|| format!("{text}: not a number of bytes"))
}
