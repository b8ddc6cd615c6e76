//! The Docker Engine API on the wire: types without behaviour.
//!
//! Fields have the names of the contract (Docker Engine API v1.50) in Rust's spelling, and its meaning; only what the contract
//! leaves open is said here. They come in the order in which dockerd writes them, since `docker inspect` shows that order.
//!
//! Go decides what is `null`, empty or left out, and so these types do as Go's: a text, number or switch that is not said is empty,
//! zero or off; a list or map that is not said is `null` (here `None`), which is not the same as an empty one; and a field with
//! `skip_serializing_if` is left out when it says nothing.
#![forbid(unsafe_code)]

mod config;
mod create;
mod exec;
mod host_config;
mod image;
mod inspect;
mod message;
mod mount;
mod network;
mod request;
mod summary;
mod system;
mod version;

pub use config::*;
pub use create::*;
pub use exec::*;
pub use host_config::*;
pub use image::*;
pub use inspect::*;
pub use message::*;
pub use mount::*;
pub use network::*;
pub use request::*;
pub use summary::*;
pub use system::*;
pub use version::*;

use std::collections::BTreeMap;

/// A map from text to text, as labels are.
pub type Labels = BTreeMap<String, String>;

/// A set as Go writes it: `{"80/tcp": {}}`.
pub type Set = BTreeMap<String, Empty>;

/// `{}`, the only value of Go's sets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Empty {}

impl<'de> serde::Deserialize<'de> for Empty {
    /// Whatever is said, `null` too: only the key counts.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde::de::IgnoredAny::deserialize(deserializer).map(|_| Empty {})
    }
}

fn is_zero<T: Default + PartialEq>(number: &T) -> bool {
    *number == T::default()
}

fn is_false(switch: &bool) -> bool {
    !switch
}
