//! A root of its own: the mount plan, and pivot_root.
#![forbid(unsafe_code)]

mod root;

pub use root::Root;
