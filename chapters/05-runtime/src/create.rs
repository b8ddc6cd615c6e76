//! Makes a container's first process.

use crate::{Created, Result};
use oci_spec::runtime::{Process, Spec};
use std::os::fd::OwnedFd;

/// What becomes the process's descriptors 0, 1 and 2.
#[derive(Debug)]
pub enum Stdio {
    /// Three files, pipes or whatever.
    Files([OwnedFd; 3]),
    /// A pseudo-terminal made in the container's own devpts.
    Terminal {
        /// Columns and rows.
        size: Option<(u16, u16)>,
        /// Where its master is sent instead of to [`Created::terminal`].
        console_socket: Option<OwnedFd>,
    },
}

/// A spec, and what it does not say.
#[derive(Debug)]
pub struct Bundle {
    /// The OCI spec.
    pub spec: Spec,
    /// What its root is made of.
    pub root: chroot::Root,
    /// The cgroup to make, below the cgroup mount points; None: no cgroup at all.
    pub cgroup: Option<String>,
}

/// Makes it.
pub fn create(_bundle: &Bundle, _stdio: Stdio) -> Result<Created> {
    todo!()
}

/// One more process in a container that runs.
pub fn exec(
    _target: crate::Identity,
    _cgroup: Option<&str>,
    _process: &Process,
    _stdio: Stdio,
) -> Result<Created> {
    todo!()
}

/// Ends every process and removes the cgroup.
pub fn destroy(_process: crate::Identity, _cgroup: Option<&str>) -> Result<()> {
    todo!()
}

/// The executable that containers' processes begin as, safe from being written by them (CVE-2019-5736).
pub fn own_executable() -> Result<std::path::PathBuf> {
    Ok("/proc/self/exe".into())
}

/// Columns and rows of a terminal.
pub fn set_terminal_size(_master: &OwnedFd, _size: (u16, u16)) -> Result<()> {
    todo!()
}
