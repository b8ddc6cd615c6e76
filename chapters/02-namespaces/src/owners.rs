//! Long tail: a user namespace that nobody lives in, for its id maps alone.

use crate::{Error, IdMap, Result, map_text};
use kernel::{CloneArgs, Cloned, Strace};
use nix::fcntl::OFlag;
use nix::sched::CloneFlags;
use nix::unistd::pipe2;
use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;

/// A user namespace with these maps. Its only process, which has waited until they were written, is gone when this returns.
///
/// The calling process must have one thread (see [`kernel::clone3`]).
pub fn user_namespace(uid_map: &[IdMap], gid_map: &[IdMap]) -> Result<OwnedFd> {
    let purpose = |error| Error::call("a user namespace for id maps", error);
    let (wait, release) = pipe2(OFlag::O_CLOEXEC).strace(|| "pipe2(O_CLOEXEC)".into()).map_err(purpose)?;
    let arguments = CloneArgs { flags: CloneFlags::CLONE_NEWUSER, cgroup: None };
    match kernel::clone3(&arguments).map_err(|error| Error::clone(error, true))? {
        Cloned::Child => {
            drop(release);
            let _ = File::from(wait).read(&mut [0]);
            kernel::exit_now(0)
        }
        Cloned::Parent { pid, .. } => {
            let write = |name: &str, text: &str| {
                let path = format!("/proc/{pid}/{name}");
                std::fs::write(&path, text).strace(|| format!("write({path:?}, {text:?})"))
            };
            let path = format!("/proc/{pid}/ns/user");
            let made = write("uid_map", &map_text(uid_map))
                .and_then(|()| write("gid_map", &map_text(gid_map)))
                .and_then(|()| File::open(&path).strace(|| format!("open({path:?})")));
            drop(release);
            let _ = nix::sys::wait::waitpid(pid, None);
            made.map(OwnedFd::from).map_err(purpose)
        }
    }
}
