//! Layers: tar in and out, whiteouts, snapshots for overlayfs.
//!
//! A layer travels as a tar, mostly gzipped. It is unpacked once, by [`unpack`], into a folder that overlayfs takes as a lower
//! layer; [`Snapshots`] keeps those folders by chain id. [`ingest_layer`] does all of it in one pass over the stream: the blob into
//! the store, both digests, the files. [`load`], [`save`], [`import`] and [`hello`] are the ways in and out that need no registry.
#![forbid(unsafe_code)]

mod chain;
mod error;
mod progress;

pub use chain::chain_ids;
pub use error::{Error, ErrorKind, Result};
pub use progress::{Progress, Sink};

#[cfg(target_os = "linux")]
mod signatures;
#[cfg(target_os = "linux")]
pub use signatures::*;
