//! What the process may do: the spec's user, capabilities, limits and filter as chapter 04 takes them.

use super::confinement::confinement;
use super::scheduling::{io_priority, memory_policy, personality, scheduler};
use crate::{Error, Result};
use oci_spec::runtime::{Linux, LinuxCapabilities, LinuxSeccomp, PosixRlimit, Process};
use privileges::{CapSet, Capabilities, Plan, Rlimit, Scheduling, seccomp};

/// runc's: whatever the daemon's own is.
const UMASK: u32 = 0o022;

/// What chapter 04 shall leave it with. `keyring` is the name of the container's session keyring.
pub fn privileges(process: &Process, filter: Option<&LinuxSeccomp>, keyring: &str) -> Result<Plan> {
    let user = process.user();
    let confined = process.apparmor_profile().is_some() || process.selinux_label().is_some();
    Ok(Plan {
        capabilities: Some(capabilities(process.capabilities())?),
        no_new_privs: process.no_new_privileges().unwrap_or_default(),
        seccomp: filter.map(program).transpose()?,
        rlimits: process.rlimits().iter().flatten().map(rlimit).collect(),
        uid: user.uid(),
        gid: user.gid(),
        additional_gids: Some(user.additional_gids().clone().unwrap_or_default()),
        umask: Some(user.umask().unwrap_or(UMASK)),
        oom_score_adj: process.oom_score_adj(),
        keyring: Some(keyring.to_string()),
        scheduling: scheduling(process)?,
        confinement: confined.then(|| confinement(process)).transpose()?.flatten(),
    })
}

fn rlimit(limit: &PosixRlimit) -> Rlimit {
    Rlimit { kind: word(&limit.typ()), soft: limit.soft(), hard: limit.hard() }
}

/// When it runs, and in which order it reads from disks: what it says nothing of is as it is.
pub fn scheduling(process: &Process) -> Result<Scheduling> {
    Ok(Scheduling {
        scheduler: process.scheduler().as_ref().map(scheduler).transpose()?,
        io_priority: process.io_priority().as_ref().map(io_priority).transpose()?,
        ..Scheduling::default()
    })
}

/// What holds for the whole container.
pub fn add_container(scheduling: &mut Scheduling, linux: &Linux) -> Result<()> {
    scheduling.personality = linux.personality().as_ref().map(personality).transpose()?;
    scheduling.memory_policy = linux.memory_policy().as_ref().map(memory_policy).transpose()?;
    Ok(())
}

fn program(filter: &LinuxSeccomp) -> Result<seccomp::Program> {
    Ok(seccomp::compile(&seccomp::profile(filter).map_err(Error::invalid)?))
}

/// A file that names none gives none.
pub fn capabilities(sets: &Option<LinuxCapabilities>) -> Result<Capabilities> {
    let Some(sets) = sets else { return Ok(Capabilities::default()) };
    let set = |set: &Option<oci_spec::runtime::Capabilities>| {
        CapSet::from_names(set.iter().flatten().map(word)).map_err(Error::invalid)
    };
    let (permitted, inheritable) = (set(sets.permitted())?, set(sets.inheritable())?);
    // Ambient ones that are not in both the kernel would not raise (capabilities(7)). runc's own files named them all the same.
    let raised = CapSet(set(sets.ambient())?.0 & permitted.0 & inheritable.0);
    Ok(Capabilities {
        bounding: set(sets.bounding())?,
        effective: set(sets.effective())?,
        permitted,
        inheritable,
        ambient: raised,
    })
}

/// The word that stands for a value in JSON.
pub fn word(value: &impl serde::Serialize) -> String {
    let json = serde_json::to_value(value).unwrap_or_default();
    json.as_str().unwrap_or_default().to_string()
}
