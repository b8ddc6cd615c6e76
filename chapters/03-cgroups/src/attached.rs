//! Long tail: the rules for devices, given to the kernel as a program.

use crate::{Cgroup, DeviceRule, Error, Result, device_program};
use nix::errno::Errno;

/// Attaches the program to a group of v2.
pub fn attach(cgroup: &Cgroup, rules: &[DeviceRule]) -> Result<()> {
    let Some(group) = cgroup.unified_fd() else {
        return Ok(());
    };
    match kernel::attach_device_program(group, &device_program(rules)) {
        // An ordinary user may load no program, and makes no device and opens none that is not theirs anyway.
        Err(error) if error.errno() == Errno::EPERM && !kernel::is_root() => Ok(()),
        attached => attached.map_err(|error| Error::call("device rules", error)),
    }
}
