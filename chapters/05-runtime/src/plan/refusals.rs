//! What a spec may ask for and this runtime does not do yet. Nothing is accepted and ignored.

use crate::{Error, ErrorKind, Result};
use oci_spec::runtime::{Linux, Process, Spec};

/// Refuses the first field that is not supported, by its JSON path.
pub fn check(spec: &Spec) -> Result<()> {
    let of_spec = [
        ("solaris", spec.solaris().is_some()),
        ("windows", spec.windows().is_some()),
        ("vm", spec.vm().is_some()),
        ("zos", spec.zos().is_some()),
        ("uidMappings", spec.uid_mappings().is_some()),
        ("gidMappings", spec.gid_mappings().is_some()),
    ];
    refuse(&of_spec)?;
    spec.process().as_ref().map(check_process).transpose()?;
    spec.linux().as_ref().map(check_linux).transpose()?;
    Ok(())
}

/// The same for a process that is added to a container.
pub fn check_process(process: &Process) -> Result<()> {
    refuse(&[("process.commandLine", process.command_line().is_some())])
}

/// What can be done without us: the group must be there before the container is, and its process is moved as every other.
const NO_RESCTRL: &str = "linux.intelRdt is not supported: leave it out, and let a createRuntime hook write the state's pid to the tasks file \
    of a group that was made in /sys/fs/resctrl";

fn check_linux(linux: &Linux) -> Result<()> {
    if linux.intel_rdt().is_some() {
        return Err(Error::new(ErrorKind::NotSupported, NO_RESCTRL));
    }
    Ok(())
}

fn refuse(fields: &[(&str, bool)]) -> Result<()> {
    match fields.iter().find(|(_, is_present)| *is_present) {
        Some((path, _)) => Err(Error::not_supported(path)),
        None => Ok(()),
    }
}
