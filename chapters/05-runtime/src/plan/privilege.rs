//! What the process may do: the spec's user, capabilities, limits and filter as chapter 04 takes them.

use crate::Result;
use oci_spec::runtime::{LinuxSeccomp, Process};

/// x
pub fn privileges(
    process: &Process,
    _seccomp: Option<&LinuxSeccomp>,
) -> Result<crate::interim::privileges::Plan> {
    Ok(crate::interim::privileges::Plan {
        uid: process.user().uid(),
        gid: process.user().gid(),
    })
}
