//! Long tail: a user namespace that nobody lives in, for its id maps alone.

use crate::spawn::write_maps;
use crate::{Error, IdMap, Namespaces, Result, SpawnPlan};
use kernel::{CloneArgs, Cloned, Strace};
use nix::fcntl::OFlag;
use nix::sched::CloneFlags;
use nix::unistd::pipe2;
use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;

/// A user namespace with these maps, which are written as [`spawn`](crate::spawn()) writes them. Its only process, which has waited
/// until they were, is gone when this returns.
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
            let (uid_map, gid_map) = (uid_map.to_vec(), gid_map.to_vec());
            let maps = SpawnPlan { new: Namespaces::USER, uid_map, gid_map, ..SpawnPlan::default() };
            let path = format!("/proc/{pid}/ns/user");
            let open = || File::open(&path).strace(|| format!("open({path:?})")).map_err(purpose);
            let made = write_maps(&maps, pid).and_then(|()| open());
            drop(release);
            let _ = nix::sys::wait::waitpid(pid, None);
            made.map(OwnedFd::from)
        }
    }
}
