//! What a request names of the machine, looked up before the spec is made: device nodes, disks, another container's namespace.

use std::path::PathBuf;

/// Looked up by [`crate::containers`]; the spec itself is made without looking at anything.
#[derive(Debug, Default)]
pub struct Machine {
    /// The device nodes that the container gets besides Docker's own.
    pub devices: Vec<Node>,
    /// The disks whose use is bounded or weighed.
    pub disks: Disks,
    /// The PID namespace that is joined, as a path below /proc.
    pub pid_namespace: Option<PathBuf>,
    /// The process whose IPC namespace is joined, with its /dev/shm.
    pub shares_ipc_with: Option<i32>,
}

/// A device node of the host, and where the container has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its path in the container.
    pub path: String,
    /// A block device; else a character device.
    pub is_block: bool,
    /// The driver.
    pub major: u32,
    /// Which of the driver's devices.
    pub minor: u32,
    /// Its permissions.
    pub mode: u32,
    /// Its owner and group.
    pub owner: (u32, u32),
    /// What may be done with it: any of `r`, `w` and `m` (mknod).
    pub access: String,
}

/// A disk's number, and a weight, or a bound a second.
pub type Disk = (u32, u32, u64);

/// The disks of a container's limits, by what is limited.
#[derive(Debug, Default)]
pub struct Disks {
    /// Shares, from 10 to 1000.
    pub weights: Vec<Disk>,
    /// Bytes read a second.
    pub read_bytes: Vec<Disk>,
    /// Bytes written a second.
    pub write_bytes: Vec<Disk>,
    /// Reads a second.
    pub read_operations: Vec<Disk>,
    /// Writes a second.
    pub write_operations: Vec<Disk>,
}
