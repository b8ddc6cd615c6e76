//! What the process may do: the spec's user, capabilities, limits and filter as chapter 04 takes them.

use crate::{Error, Result};
use oci_spec::runtime::{LinuxCapabilities, LinuxSeccomp, PosixRlimit, Process};
use privileges::{CapSet, Capabilities, Plan, Rlimit, seccomp};

/// runc's: whatever the daemon's own is.
const UMASK: u32 = 0o022;

/// What chapter 04 shall leave it with. `keyring` is the name of the container's session keyring.
pub fn privileges(process: &Process, filter: Option<&LinuxSeccomp>, keyring: &str) -> Result<Plan> {
    let user = process.user();
    Ok(Plan {
        capabilities: process.capabilities().as_ref().map(capabilities).transpose()?,
        no_new_privs: process.no_new_privileges().unwrap_or_default(),
        seccomp: filter.map(program).transpose()?,
        rlimits: process.rlimits().iter().flatten().map(rlimit).collect(),
        uid: user.uid(),
        gid: user.gid(),
        additional_gids: Some(user.additional_gids().clone().unwrap_or_default()),
        umask: Some(user.umask().unwrap_or(UMASK)),
        oom_score_adj: process.oom_score_adj(),
        keyring: Some(keyring.to_string()),
        scheduling: super::scheduling::of_process(process)?,
    })
}

fn rlimit(limit: &PosixRlimit) -> Rlimit {
    Rlimit { kind: word(&limit.typ()), soft: limit.soft(), hard: limit.hard() }
}

fn program(filter: &LinuxSeccomp) -> Result<seccomp::Program> {
    Ok(seccomp::compile(&seccomp::profile(filter).map_err(Error::invalid)?))
}

fn capabilities(sets: &LinuxCapabilities) -> Result<Capabilities> {
    let set = |set: &Option<oci_spec::runtime::Capabilities>| {
        CapSet::from_names(set.iter().flatten().map(word)).map_err(Error::invalid)
    };
    Ok(Capabilities {
        bounding: set(sets.bounding())?,
        effective: set(sets.effective())?,
        permitted: set(sets.permitted())?,
        inheritable: set(sets.inheritable())?,
        ambient: set(sets.ambient())?,
    })
}

/// The word that stands for a value in JSON.
pub fn word(value: &impl serde::Serialize) -> String {
    let json = serde_json::to_value(value).unwrap_or_default();
    json.as_str().unwrap_or_default().to_string()
}
