//! Long tail: what AppArmor or SELinux shall hold to is refused where the kernel has none, before anything is made.

use crate::{Error, ErrorKind, Result};
use oci_spec::runtime::{Process, Spec};

/// What a kernel with AppArmor is told when it boots.
const APPARMOR: &str = "apparmor is not enabled on this system: boot it with apparmor=1 security=apparmor";

/// The same of SELinux.
const SELINUX: &str =
    "selinux is not enabled on this system: boot it with selinux=1 security=selinux, and load a policy";

/// The fields of a spec that its modules must be there for.
pub fn check_host(spec: &Spec) -> Result<()> {
    spec.process().as_ref().map_or(Ok(()), check_process)?;
    let label = spec.linux().as_ref().and_then(|linux| linux.mount_label().as_deref());
    check("linux.mountLabel", label, privileges::has_selinux, SELINUX)
}

/// Those of a process that is added to a container.
pub fn check_process(process: &Process) -> Result<()> {
    // Without AppArmor nothing is confined anyway.
    let profile = process.apparmor_profile().as_deref().filter(|profile| *profile != "unconfined");
    check("process.apparmorProfile", profile, privileges::has_apparmor, APPARMOR)?;
    check("process.selinuxLabel", process.selinux_label().as_deref(), privileges::has_selinux, SELINUX)
}

fn check(path: &str, value: Option<&str>, is_there: fn() -> bool, remedy: &str) -> Result<()> {
    match value.filter(|value| !value.is_empty()) {
        Some(value) if !is_there() => {
            let why = format!("{path} {value:?}: {remedy}, or leave the field out");
            Err(Error::new(ErrorKind::NotSupported, why))
        }
        _ => Ok(()),
    }
}
