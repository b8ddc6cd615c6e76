//! Limits, statistics, freeze and kill for a group of processes.
//!
//! [`Layout::detect`] finds the hierarchies; [`plan()`] says which file gets which value; [`Cgroup`] is a container's group.
//! cgroup v2 is the main line; hosts that bind controllers to v1 are served by one translating module.
#![forbid(unsafe_code)]

mod authors;
mod device_program;
mod devices;
mod disks;
mod further;
mod layout;
mod limits;
mod more;
mod plan;
pub mod systemd;
mod v1;
mod v1_devices;
mod v1_view;
mod view;

#[cfg(target_os = "linux")]
mod attached;
#[cfg(target_os = "linux")]
mod cgroup;
#[cfg(target_os = "linux")]
mod create;
#[cfg(target_os = "linux")]
mod delegation;
#[cfg(target_os = "linux")]
mod error;
#[cfg(target_os = "linux")]
mod files;
#[cfg(target_os = "linux")]
mod freezer;
#[cfg(target_os = "linux")]
mod pressure;
#[cfg(target_os = "linux")]
mod shortage;
#[cfg(target_os = "linux")]
mod statistics;
#[cfg(target_os = "linux")]
mod tree;
#[cfg(target_os = "linux")]
mod update;
#[cfg(target_os = "linux")]
mod v1_groups;

pub use authors::AUTHORS;
pub use device_program::device_program;
pub use devices::{DeviceRule, default_device_rules};
pub use disks::{DeviceValue, DiskLimits};
pub use further::{FurtherLimits, RdmaLimit};
pub use layout::{Hierarchy, Layout};
pub use limits::Limits;
pub use plan::{Op, plan, warnings};
pub use view::view;

#[cfg(target_os = "linux")]
pub use cgroup::Cgroup;
#[cfg(target_os = "linux")]
pub use error::{Error, ErrorKind, Result};
#[cfg(target_os = "linux")]
pub use pressure::{Lost, Pressure};
#[cfg(target_os = "linux")]
pub use shortage::OomWatch;
#[cfg(target_os = "linux")]
pub use statistics::{CpuStatistics, DiskCount, Gauge, Statistics};
