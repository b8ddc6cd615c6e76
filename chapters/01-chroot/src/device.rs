//! Long tail: the device nodes of a root, as plain data.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A device node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Its path inside the root.
    pub path: PathBuf,
    /// Character, block or pipe.
    pub kind: DeviceKind,
    /// The driver.
    pub major: u64,
    /// Which of the driver's devices.
    pub minor: u64,
    /// Its permissions.
    pub mode: u32,
    /// Its owner.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
}

/// The kinds of special files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeviceKind {
    /// `c` or `u`
    Character,
    /// `b`
    Block,
    /// `p`
    Pipe,
}
