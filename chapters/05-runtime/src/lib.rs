//! The OCI runtime: create, start, state, exec, kill, delete.
#![forbid(unsafe_code)]

#[cfg(target_os = "linux")]
mod command;
#[cfg(target_os = "linux")]
mod create;
#[cfg(target_os = "linux")]
mod created;
mod error;
#[cfg(target_os = "linux")]
mod gate;
mod identity;

#[cfg(target_os = "linux")]
pub use create::{Bundle, Stdio, create, destroy, exec, own_executable, set_terminal_size};
#[cfg(target_os = "linux")]
pub use created::Created;
pub use error::{Error, ErrorKind, Result};
pub use identity::Identity;
