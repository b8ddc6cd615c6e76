//! Long tail: what AppArmor and SELinux, the kernel's security modules, shall hold a process to: plain data.

use serde::{Deserialize, Serialize};

/// What applies from its next execve(2) on, whoever it is then.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confinement {
    /// Its profile of AppArmor, which must be loaded; `unconfined` is none (apparmor.d(5)).
    pub apparmor_profile: Option<String>,
    /// Its label of SELinux, `user:role:type` and perhaps `:level` (selinux(8)).
    pub selinux_label: Option<String>,
}
