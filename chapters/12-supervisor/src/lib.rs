//! One small process per container: stdio, pty, logs, attach, exit status; the container's states.
#![forbid(unsafe_code)]

pub mod detach_keys;
pub mod json_log;
mod messages;
pub mod states;

#[cfg(target_os = "linux")]
mod clients;
#[cfg(target_os = "linux")]
mod connection;
#[cfg(target_os = "linux")]
mod container;
#[cfg(target_os = "linux")]
mod files;
#[cfg(target_os = "linux")]
mod init;
#[cfg(target_os = "linux")]
mod input;
#[cfg(target_os = "linux")]
mod log_file;
#[cfg(target_os = "linux")]
mod other_runtime;
#[cfg(target_os = "linux")]
mod output;
#[cfg(target_os = "linux")]
mod packets;
#[cfg(target_os = "linux")]
mod process;
#[cfg(target_os = "linux")]
mod supervise;

#[cfg(target_os = "linux")]
pub use connection::{Connection, Error, LaunchError, connect, destroy, launch, read_exit};
#[cfg(target_os = "linux")]
pub use container::bundle;
#[cfg(target_os = "linux")]
pub use init::{INIT_PATH, init};
pub use messages::*;
pub use runtime::Identity;
#[cfg(target_os = "linux")]
pub use supervise::supervise;
