//! Long tail: AppArmor and SELinux, which are told through files of /proc what a process is held to when it executes its command.
//!
//! Who makes a runtime write to another file has turned the module off (CVE-2019-16884, CVE-2025-52881). So the files are opened while
//! /proc is the host's, and written when the root is the container's: what runs for the container in between, such as hooks,
//! is not its command.

use crate::{Error, Plan, Result};
use chroot::ProcFile;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

/// `SELINUX_MAGIC`, the file system by which SELinux is told its policy (statfs(2)).
const SELINUXFS: i64 = 0xf97c_ff8c;

/// Whether AppArmor is one of this kernel's modules and turned on.
pub fn has_apparmor() -> bool {
    let enabled = std::fs::read_to_string("/sys/module/apparmor/parameters/enabled");
    enabled.is_ok_and(|word| word.starts_with('Y'))
}

/// Whether SELinux is turned on and has a policy: before that, everything bears the label `kernel`.
pub fn has_selinux() -> bool {
    let is_mounted = rustix::fs::statfs("/sys/fs/selinux").is_ok_and(|status| status.f_type == SELINUXFS);
    let label = std::fs::read_to_string("/proc/self/attr/current").unwrap_or_default();
    is_mounted && label.trim_end_matches(['\0', '\n']) != "kernel"
}

/// The files of the calling thread that say what it is held to.
#[derive(Debug)]
pub struct ConfinementFiles(Vec<(ProcFile, Entry)>);

/// What is written to one, and what that is for.
#[derive(Debug)]
struct Entry {
    purpose: String,
    text: String,
}

impl ConfinementFiles {
    /// Opens those that are needed. To be called by the thread that executes the command, which alone may write them, before the
    /// container's root is entered.
    pub fn open(plan: &Plan) -> Result<ConfinementFiles> {
        let (mut files, confinement) = (Vec::new(), plan.confinement.clone().unwrap_or_default());
        if let Some(profile) = &confinement.apparmor_profile {
            // Without AppArmor there is no profile to be free of.
            if profile != "unconfined" || has_apparmor() {
                files.push(file(apparmors(), "the AppArmor profile", profile, format!("exec {profile}"))?);
            }
        }
        if let Some(label) = &confinement.selinux_label {
            // execve(2) takes both back: the keyring is made before it.
            if plan.keyring.is_some() {
                files.push(file("keycreate", "the keyring's SELinux label", label, label.clone())?);
            }
            files.push(file("exec", "the SELinux label", label, label.clone())?);
        }
        Ok(ConfinementFiles(files))
    }

    /// Says what holds from the next execve(2) on.
    ///
    /// # Errors
    /// ENOENT: no such profile is loaded. EINVAL: the policy knows no such label. EACCES: the runtime's own does not allow it.
    pub fn write(&self) -> Result<()> {
        self.0.iter().try_for_each(|(file, Entry { purpose, text })| {
            file.write(text).map_err(|error| Error::of_root(purpose, error))
        })
    }

    /// Their descriptors, which must stay open until they are written.
    pub fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.0.iter().map(|(file, _)| file.as_fd())
    }
}

fn file(name: &str, what: &str, value: &str, text: String) -> Result<(ProcFile, Entry)> {
    let purpose = format!("{what} {value:?}");
    let file = ProcFile::open(Path::new("thread-self/attr").join(name));
    Ok((file.map_err(|error| Error::of_root(&purpose, error))?, Entry { purpose, text }))
}

/// AppArmor has files of its own since Linux 5.8; those of before it shares with every other module.
fn apparmors() -> &'static str {
    let own = "apparmor/exec";
    if Path::new("/proc/thread-self/attr").join(own).exists() { own } else { "exec" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Confinement;

    /// Of a module that is not there no file takes a word; of one that is, none takes this one.
    #[test]
    fn what_no_module_knows_is_refused_by_its_value() {
        let confinement = Confinement { apparmor_profile: Some("nosuch".into()), selinux_label: None };
        let plan = Plan { confinement: Some(confinement), ..Plan::default() };
        let opened = ConfinementFiles::open(&plan);
        if opened.as_ref().is_err_and(|error| error.to_string().contains("ENOSYS")) {
            let why = "an emulator runs this, which does not know openat2(2)";
            return skipped::skip("privileges::confinement", why);
        }
        let files = opened.unwrap();
        assert_eq!(files.descriptors().count(), 1);
        let refused = files.write().unwrap_err().to_string();
        assert!(refused.starts_with("the AppArmor profile \"nosuch\": "), "{refused}");
        assert!(refused.contains("write(\"thread-self/attr/"), "{refused}");
        assert!(has_apparmor() || refused.contains("EINVAL"), "{refused}");
    }

    #[test]
    fn unconfined_is_what_holds_without_apparmor() {
        let confinement = Confinement { apparmor_profile: Some("unconfined".into()), selinux_label: None };
        let files =
            ConfinementFiles::open(&Plan { confinement: Some(confinement), ..Plan::default() }).unwrap();
        files.write().unwrap();
        assert_eq!(files.descriptors().count(), usize::from(has_apparmor()));
    }
}
