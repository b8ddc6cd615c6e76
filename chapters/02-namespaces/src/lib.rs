//! A process in namespaces of its own: clone3, id maps, rootless.
//!
//! [`spawn()`] takes a plan and a closure: one clone3 makes the process, the parent writes its id maps and moves it into its
//! cgroups, and then the child runs the closure, which never returns: it ends in execve(2), or in a [`Failure`] that travels
//! back to the parent.
#![forbid(unsafe_code)]

mod authors;
mod failure;
mod maps;
mod names;
mod plan;

#[cfg(target_os = "linux")]
mod clocks;
#[cfg(target_os = "linux")]
mod error;
#[cfg(target_os = "linux")]
mod everything;
#[cfg(target_os = "linux")]
mod inner;
#[cfg(target_os = "linux")]
mod joining;
#[cfg(target_os = "linux")]
mod knobs;
#[cfg(target_os = "linux")]
mod loopback;
#[cfg(target_os = "linux")]
mod owners;
#[cfg(target_os = "linux")]
mod ranges;
#[cfg(target_os = "linux")]
mod spawn;
#[cfg(target_os = "linux")]
mod subordinate;
#[cfg(target_os = "linux")]
mod usher;

pub use authors::AUTHORS;
pub use failure::{Failure, FailureKind};
pub use maps::{IdMap, map_text};
pub use plan::{Join, Namespaces, SpawnPlan, TimeOffset};

#[cfg(target_os = "linux")]
pub use error::{Error, ErrorKind, Result};
#[cfg(target_os = "linux")]
pub use everything::{
    everything_new, exit_code_of, exit_code_of_failure, failed_command, fresh_proc, fresh_sys,
};
#[cfg(target_os = "linux")]
pub use joining::enter_user_namespace;
#[cfg(target_os = "linux")]
pub use loopback::bring_loopback_up;
#[cfg(target_os = "linux")]
pub use owners::user_namespace;
#[cfg(target_os = "linux")]
pub use ranges::own_maps;
#[cfg(target_os = "linux")]
pub use spawn::{Child, spawn};
