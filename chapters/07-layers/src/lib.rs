//! Layers: tar in and out, whiteouts, snapshots for overlayfs.
#![forbid(unsafe_code)]
