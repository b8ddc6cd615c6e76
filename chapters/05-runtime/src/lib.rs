//! The OCI runtime: create, start, state, exec, kill, delete.
//!
//! [`plan`](plan::plan) turns an OCI spec into plain data for the chapters below; [`create()`] carries it out: a cgroup, one clone3, and
//! in the child the root, the terminal, the privileges. The child then waits, and [`Created::start`] lets it execute its command.
#![forbid(unsafe_code)]

mod authors;
#[cfg(target_os = "linux")]
mod child;
#[cfg(target_os = "linux")]
mod clock;
#[cfg(target_os = "linux")]
mod command;
#[cfg(target_os = "linux")]
mod confinement;
#[cfg(target_os = "linux")]
mod copies;
#[cfg(target_os = "linux")]
mod create;
#[cfg(target_os = "linux")]
mod created;
mod default_spec;
mod document;
mod error;
#[cfg(target_os = "linux")]
mod exec;
#[cfg(target_os = "linux")]
mod gate;
#[cfg(target_os = "linux")]
mod hooks;
mod identity;
#[cfg(target_os = "linux")]
mod joined;
#[cfg(target_os = "linux")]
mod listener;
#[cfg(target_os = "linux")]
mod net_devices;
#[cfg(target_os = "linux")]
pub mod netlink;
#[cfg(target_os = "linux")]
pub mod oci;
pub mod plan;
#[cfg(target_os = "linux")]
mod protect;
pub mod signals;
#[cfg(target_os = "linux")]
mod terminal;
mod words;

pub use authors::AUTHORS;
#[cfg(target_os = "linux")]
pub use clock::now;
#[cfg(target_os = "linux")]
pub use create::{Stdio, create};
#[cfg(target_os = "linux")]
pub use created::{Created, destroy, open_cgroup};
pub use default_spec::default_spec;
pub use document::{spec_from_json, spec_to_json};
pub use error::{Error, ErrorKind, Result};
#[cfg(target_os = "linux")]
pub use exec::{Addition, exec};
pub use identity::Identity;
pub use plan::Bundle;
#[cfg(target_os = "linux")]
pub use protect::own_executable;
#[cfg(target_os = "linux")]
pub use terminal::{receive as receive_terminal, set_terminal_size};
