//! Pull from a registry: the OCI distribution protocol as a state machine, and what drives it.
//!
//! [`begin`] and [`step`] are the protocol, without input or output. [`pull()`] is the way of an image: names, manifest, config, then
//! its layers in parallel, each streamed into the store and unpacked at once (`layers::Ingestion`).
#![forbid(unsafe_code)]

mod challenge;
mod endpoint;
mod error;
mod protocol;
mod url;

pub use error::{Error, ErrorKind, Result};
pub use layers::{Progress, Sink};
pub use protocol::{Action, Credentials, Reply, Request, Session, State, Want, begin, step};

#[cfg(target_os = "linux")]
mod blob;
#[cfg(target_os = "linux")]
mod client;
#[cfg(target_os = "linux")]
mod layer;
#[cfg(target_os = "linux")]
mod pull;
#[cfg(target_os = "linux")]
mod resolver;

#[cfg(target_os = "linux")]
pub use pull::{Pull, Pulled, pull};
