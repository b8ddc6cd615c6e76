//! Long tail: what AppArmor and SELinux hold a container to, from the spec's words.

use crate::{Error, Result};
use chroot::MountOp;
use oci_spec::runtime::Process;
use privileges::Confinement;

/// A process's profile and label. What is empty asks for nothing: engines write such fields out of habit.
pub fn confinement(process: &Process) -> Result<Option<Confinement>> {
    let (profile, label) = (named(process.apparmor_profile()), named(process.selinux_label()));
    if let Some(profile) = profile.filter(|profile| profile.chars().any(char::is_control)) {
        let why = "must be the name of a profile";
        return Err(Error::invalid(format!("process.apparmorProfile {profile:?}: {why}")));
    }
    label.map(|label| check_label("process.selinuxLabel", label)).transpose()?;
    let asked = Confinement { apparmor_profile: profile.cloned(), selinux_label: label.cloned() };
    Ok(Some(asked).filter(|asked| *asked != Confinement::default()))
}

/// What is mounted for the container gets this label, from the moment on at which there is a root to mount it in.
pub fn label_mounts(root: &mut Vec<MountOp>, label: &str) -> Result<()> {
    if label.is_empty() {
        return Ok(());
    }
    check_label("linux.mountLabel", label)?;
    let made = root.iter().position(|step| matches!(step, MountOp::Root { .. }));
    root.insert(made.map_or(0, |made| made + 1), MountOp::Label(label.to_owned()));
    Ok(())
}

fn named(name: &Option<String>) -> Option<&String> {
    name.as_ref().filter(|name| !name.is_empty())
}

/// The policy knows which users, roles and types there are; that there must be all three is SELinux's own rule.
fn check_label(path: &str, label: &str) -> Result<()> {
    let parts = label.splitn(4, ':');
    if parts.clone().count() >= 3
        && parts.clone().all(|part| !part.is_empty() && !part.contains(['\0', '\n']))
    {
        return Ok(());
    }
    Err(Error::invalid(format!("{path} {label:?}: must be user:role:type or user:role:type:level")))
}
