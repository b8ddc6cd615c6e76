//! What a process shall be allowed: plain data.

mod confinement;
mod scheduling;

pub use confinement::Confinement;
pub use scheduling::{Scheduler, Scheduling};

use crate::Capabilities;
use crate::seccomp::Program;
use serde::{Deserialize, Serialize};

/// What [`apply`](crate::apply()) leaves a process with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Its five sets; none: those that it has.
    pub capabilities: Option<Capabilities>,
    /// No execve(2) gives it more (prctl(2), PR_SET_NO_NEW_PRIVS).
    pub no_new_privs: bool,
    /// Which system calls it may make; none: all.
    pub seccomp: Option<Program>,
    /// Its resource limits, where they differ from those that it inherits.
    pub rlimits: Vec<Rlimit>,
    /// Its user.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// Its further groups; none where the user namespace forbids setgroups(2).
    pub additional_gids: Option<Vec<u32>>,
    /// Its umask; none: that which it has.
    pub umask: Option<u32>,
    /// How readily it is killed when memory runs out, -1000 to 1000.
    pub oom_score_adj: Option<i32>,
    /// The name of a session keyring of its own.
    pub keyring: Option<String>,
    /// How it is scheduled, where that differs from what it inherits.
    pub scheduling: Scheduling,
    /// What the kernel's security modules hold it to, where that differs from what it inherits.
    pub confinement: Option<Confinement>,
}

impl Plan {
    /// Whether one of its ids is the largest number: -1 to setresuid(2), which means to leave that id as it is. It would stay root's.
    pub fn has_impossible_id(&self) -> bool {
        let further = self.additional_gids.iter().flatten();
        [self.uid, self.gid].iter().chain(further).any(|id| *id == u32::MAX)
    }
}

/// One resource limit (getrlimit(2)).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rlimit {
    /// `RLIMIT_NOFILE`…
    pub kind: String,
    /// What is enforced; `u64::MAX` is no limit.
    pub soft: u64,
    /// Up to where the process may raise it.
    pub hard: u64,
}
