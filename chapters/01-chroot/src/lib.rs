//! A root of its own: the mount plan, and pivot_root.
//!
//! A pure function turns what a container's root shall be ([`RootSpec`]) into a list of steps ([`MountOp`]); [`apply()`] carries
//! them out, in order, in a process that has a mount namespace of its own. A container's root is mounted nowhere else, so
//! nothing of it is left when its last process ends.
#![forbid(unsafe_code)]

mod device;
mod mount;
mod options;
mod plan;
mod root;

#[cfg(target_os = "linux")]
mod apply;
#[cfg(target_os = "linux")]
mod borrowed;
#[cfg(target_os = "linux")]
mod built_in;
#[cfg(target_os = "linux")]
mod elsewhere;
#[cfg(target_os = "linux")]
mod error;
#[cfg(target_os = "linux")]
mod from_within;
#[cfg(target_os = "linux")]
mod halfway;
#[cfg(target_os = "linux")]
pub mod hello;
#[cfg(target_os = "linux")]
mod inside;
#[cfg(target_os = "linux")]
mod kernels;
#[cfg(target_os = "linux")]
mod labels;
#[cfg(target_os = "linux")]
mod links;
#[cfg(target_os = "linux")]
mod masks;
#[cfg(target_os = "linux")]
mod nodes;
#[cfg(target_os = "linux")]
mod overlay;
#[cfg(target_os = "linux")]
mod present;
#[cfg(target_os = "linux")]
mod proc_files;
#[cfg(target_os = "linux")]
mod procfs;
#[cfg(target_os = "linux")]
mod read_only;
#[cfg(target_os = "linux")]
mod shared;
#[cfg(target_os = "linux")]
mod trees;

pub use device::{Device, DeviceKind};
pub use mount::{Attributes, Mount, MountOptions, Propagation, What};
pub use options::{option_words, parse_options};
pub use plan::{MountOp, RootSpec, plan};
pub use root::Root;

#[cfg(target_os = "linux")]
pub use apply::apply;
#[cfg(target_os = "linux")]
pub use borrowed::borrow_namespaces;
#[cfg(target_os = "linux")]
pub use built_in::{built_in_root, built_in_rootfs, root_and_command};
#[cfg(target_os = "linux")]
pub use elsewhere::copy_seen_by;
#[cfg(target_os = "linux")]
pub use error::{Error, ErrorKind, Result};
#[cfg(target_os = "linux")]
pub use from_within::bind_console;
#[cfg(target_os = "linux")]
pub use halfway::{apply_with, detached_copy, set_root_propagation};
#[cfg(target_os = "linux")]
pub use inside::{Inside, open_inside};
#[cfg(target_os = "linux")]
pub use proc_files::{ProcFile, read_proc, write_proc};
