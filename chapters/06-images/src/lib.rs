//! Images: names, digests, manifests, configs, and the store that keeps them as an OCI image layout.
//!
//! Read in this order: [`Reference`] (what a user types), [`Digest`] (what a registry promises), [`Document`] (a manifest,
//! or an index of them by [`Platform`]), [`ImageConfig`] (how to run it), [`Store`] (where all of that lies on disk).
#![forbid(unsafe_code)]

mod config;
mod descriptor;
mod digest;
mod error;
mod manifest;
mod platform;
mod reference;
#[cfg(target_os = "linux")]
mod store;

pub use config::{Empty, History, ImageConfig, RootFs, RunConfig};
pub use descriptor::{Descriptor, media};
pub use digest::{Digest, Hasher};
pub use error::{Error, ErrorKind, Result};
pub use manifest::{CONFIG_LIMIT, Document, Index, MANIFEST_LIMIT, Manifest};
pub use platform::Platform;
pub use reference::Reference;
#[cfg(target_os = "linux")]
pub use store::{Image, Ingest, Store, Writer};
