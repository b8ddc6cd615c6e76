//! System calls that nix and rustix lack, each in a small typed wrapper: the only unsafe code.
//!
//! A wrapper is as thin as its soundness allows: it takes typed arguments, makes one call, and returns an
//! [`SysError`] that prints the call as strace would.
#![cfg(target_os = "linux")]
#![deny(clippy::undocumented_unsafe_blocks)]

mod bpf;
mod capabilities;
mod clone;
mod command;
mod descriptors;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod entry;
mod error;
mod exit;
mod heap;
mod keyring;
mod link;
mod mount;
mod mount_ids;
mod namespace_kind;
mod pidfd;
mod root;
mod scheduling;
mod seccomp;
mod seccomp_listener;
mod signals;
mod threads;

pub use bpf::attach_device_program;
pub use capabilities::{
    CapabilityWords, capget, capset, clear_ambient_set, drop_from_bounding_set, is_in_bounding_set,
    raise_ambient,
};
pub use clone::{CloneArgs, Cloned, clone3};
pub use command::begin_afresh;
pub use descriptors::{close_from, close_on_exec_from};
pub use error::{AsErrno, Result, Strace, SysError};
pub use exit::exit_now;
pub use heap::{limit_arenas, trim_heap};
pub use keyring::join_session_keyring;
pub use link::set_link_up;
pub use mount::{MountAttributes, mount_setattr};
pub use mount_ids::map_mount_ids;
pub use namespace_kind::namespace_kind;
pub use pidfd::pidfd_send_signal;
pub use root::is_root;
pub use scheduling::{SchedulingAttributes, set_io_priority, set_memory_policy, set_scheduling};
pub use seccomp::{Instruction, load_seccomp_filter};
pub use seccomp_listener::load_seccomp_filter_with_listener;
pub use signals::default_signals;
pub use threads::thread_count;
