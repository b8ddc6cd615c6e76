//! The Docker Engine API on the wire: types without behaviour.
//!
//! The names of the fields and their meaning are the contract's (Docker Engine API v1.50); what is said here is only what
//! the contract leaves open. As in Docker's own types, a number, text or switch that was not sent is zero, empty or off,
//! and a list or map that was not sent is `null`, which is not the same as an empty one.
#![forbid(unsafe_code)]

mod container;
mod exec;
mod host_config;
mod image;
mod inspect;
mod message;
mod network;
mod summary;
mod system;
mod version;

pub use container::*;
pub use exec::*;
pub use host_config::*;
pub use image::*;
pub use inspect::*;
pub use message::*;
pub use network::*;
pub use summary::*;
pub use system::*;
pub use version::*;

use std::collections::BTreeMap;

/// A map from text to text, as labels are.
pub type Labels = BTreeMap<String, String>;

/// A set as Go writes it: `{"80/tcp": {}}`.
pub type Set = BTreeMap<String, Empty>;

/// `{}`
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Empty {}
