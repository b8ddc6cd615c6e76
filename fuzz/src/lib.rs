//! What holds of the chapters' plans whatever they are given. Each law is a function of bytes: cargo-fuzz searches for those that
//! break it, and the tests try random ones and the corpus that is kept.
#![forbid(unsafe_code)]

mod bytes;
mod config;
mod filters;
mod id_maps;
mod mounts;

pub use bytes::Bytes;

/// A law: it panics where it does not hold.
pub type Law = fn(&[u8]);

/// All of them, by the names of their fuzz targets and of their folders in the corpus.
pub const LAWS: &[(&str, Law)] =
    &[("config", config::law), ("filters", filters::law), ("id_maps", id_maps::law), ("mounts", mounts::law)];
