//! Layers: tar in and out, whiteouts, snapshots for overlayfs.
//!
//! A layer travels as a tar, mostly gzipped. [`unpack()`] turns it into a folder that overlayfs takes as a lower layer; [`Snapshots`]
//! keeps those folders by chain id. [`Ingestion`] does all of it in one pass over a stream: the blob into the store, both digests, the
//! files. [`load`], [`save`], [`import()`] and [`hello()`] are the ways in and out that need no registry.
#![forbid(unsafe_code)]

mod chain;
mod compression;
mod entry;
mod error;
mod instructions;
mod members;
mod progress;
mod sparse;

pub use chain::chain_ids;
pub use error::{Error, ErrorKind, Result};
pub use progress::{Progress, Sink};

#[cfg(target_os = "linux")]
mod on_linux {
    pub use crate::archive::{load, save};
    pub use crate::attributes::Ownership;
    pub use crate::ensure::{ensure_unpacked, in_parallel};
    pub use crate::hello::{HELLO_LABEL, hello};
    pub use crate::import::{Import, import};
    pub use crate::ingest::{Expected, Ingested, Ingestion, Stage};
    pub use crate::pack::pack;
    pub use crate::snapshots::{Hold, Snapshots, WriteEarly};
    pub use crate::unpack::unpack;
}
#[cfg(target_os = "linux")]
pub use on_linux::*;

#[cfg(target_os = "linux")]
mod archive;
#[cfg(target_os = "linux")]
mod attributes;
#[cfg(target_os = "linux")]
mod ensure;
#[cfg(target_os = "linux")]
mod fence;
#[cfg(target_os = "linux")]
mod hello;
#[cfg(target_os = "linux")]
mod import;
#[cfg(target_os = "linux")]
mod ingest;
#[cfg(target_os = "linux")]
mod pack;
#[cfg(target_os = "linux")]
mod remove;
#[cfg(target_os = "linux")]
mod snapshots;
#[cfg(target_os = "linux")]
mod stream;
#[cfg(target_os = "linux")]
mod unpack;
