//! What a process may do: capabilities, seccomp, no_new_privs, rlimits.
//!
//! [`apply()`] takes a [`Plan`] and gives privileges away in an order in which the kernel lets it be done. Docker's
//! defaults are data: [`default_seccomp`], [`masked_paths`], [`readonly_paths`].
#![forbid(unsafe_code)]

mod authors;
mod capability;
mod default_apparmor;
mod defaults;
mod hidden_paths;
mod plan;
pub mod seccomp;
pub mod user;

#[cfg(target_os = "linux")]
mod apply;
#[cfg(target_os = "linux")]
mod confinement;
#[cfg(target_os = "linux")]
mod error;
#[cfg(target_os = "linux")]
mod host_proc;
#[cfg(target_os = "linux")]
mod rlimits;
#[cfg(target_os = "linux")]
mod scheduling;

pub use authors::AUTHORS;
pub use capability::{CapSet, Capabilities, all_capabilities};
pub use default_apparmor::{DEFAULT_APPARMOR, default_apparmor};
pub use defaults::{default_capabilities, default_profile};
pub use hidden_paths::{masked_paths, readonly_paths};
pub use plan::{Confinement, Plan, Rlimit, Scheduler, Scheduling};
pub use seccomp::default_seccomp;

#[cfg(target_os = "linux")]
pub use apply::{apply, apply_and_hand_over};
#[cfg(target_os = "linux")]
pub use confinement::{ConfinementFiles, has_apparmor, has_selinux};
#[cfg(target_os = "linux")]
pub use error::{Error, ErrorKind, Result};
#[cfg(target_os = "linux")]
pub use host_proc::write_host_proc;
#[cfg(target_os = "linux")]
pub use scheduling::set_processors;
