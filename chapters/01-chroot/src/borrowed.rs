//! Stage: one unshare of a user and a mount namespace, borrowed from chapter 02, so that chapter 01 can be run alone.

use crate::{Error, Result};
use kernel::Strace;
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getegid, geteuid};

/// Gives this process a mount namespace of its own, and root's rights over it; explained in chapter 02.
pub fn borrow_namespaces() -> Result<()> {
    let (uid, gid) = (geteuid(), getegid());
    unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNS)
        .strace(|| "unshare(CLONE_NEWUSER|CLONE_NEWNS)".into())
        .map_err(|error| Error::call("a mount namespace", error))?;
    let write = |file: &str, text: String| {
        let path = format!("/proc/self/{file}");
        std::fs::write(&path, &text)
            .strace(|| format!("write({path:?}, {text:?})"))
            .map_err(|error| Error::call("id maps", error))
    };
    write("setgroups", "deny".into())?;
    write("uid_map", format!("0 {uid} 1\n"))?;
    write("gid_map", format!("0 {gid} 1\n"))
}
