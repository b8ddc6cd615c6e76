//! Limits, statistics, freeze and kill for a group of processes.
//!
//! [`Layout::detect`] finds the hierarchies; [`plan`] says which file gets which value; [`Cgroup`] is a container's group.
//! cgroup v2 is the main line; hosts that bind controllers to v1 are served by one translating module.
#![forbid(unsafe_code)]

mod devices;
mod layout;
mod limits;
mod plan;
mod v1;
mod view;

#[cfg(target_os = "linux")]
mod cgroup;
#[cfg(target_os = "linux")]
mod error;
#[cfg(target_os = "linux")]
mod files;

pub use devices::{DeviceRule, device_program};
pub use layout::{Hierarchy, Layout};
pub use limits::Limits;
pub use plan::{Op, plan};
pub use view::view;

#[cfg(target_os = "linux")]
pub use cgroup::Cgroup;
#[cfg(target_os = "linux")]
pub use error::{Error, ErrorKind, Result};
