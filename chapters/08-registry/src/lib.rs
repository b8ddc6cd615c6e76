//! Pull from a registry: the OCI distribution protocol as a state machine.
#![forbid(unsafe_code)]

mod error;
pub use error::{Error, ErrorKind, Result};
pub use layers::{Progress, Sink};

#[cfg(target_os = "linux")]
mod signatures;
#[cfg(target_os = "linux")]
pub use signatures::*;
