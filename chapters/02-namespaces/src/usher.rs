//! Long tail: new namespaces beside a user namespace that is joined. They shall belong to it, so their maker is inside; but the caller
//! must stay outside, where its rights are. So a process in between makes the child: the usher.

use crate::joining::{enter_namespace, is_left, open_namespace};
use crate::{Error, Failure, FailureKind, Namespaces, Result, SpawnPlan, clocks};
use kernel::{CloneArgs, Cloned, Strace};
use nix::fcntl::OFlag;
use nix::sched::CloneFlags;
use nix::sys::wait::waitpid;
use nix::unistd::{Pid, pipe2};
use rustix::process::PidfdFlags;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{BorrowedFd, OwnedFd};

/// What the usher says: the child's number, or what kept it from having one.
type Said = std::result::Result<i32, Failure>;

/// The clone of such a plan. The usher is a copy of us that enters everything, makes the child there, as our child and not its own
/// (CLONE_PARENT), says its number, and ends.
///
/// Errors: what the usher met, in its words.
pub fn make(plan: &SpawnPlan, flags: CloneFlags, cgroup: Option<BorrowedFd>) -> Result<Cloned> {
    let pipe = pipe2(OFlag::O_CLOEXEC).strace(|| "pipe2(O_CLOEXEC)".into());
    let (heard, says) = pipe.map_err(|error| Error::call("a pipe", error))?;
    let usher = CloneArgs { flags: CloneFlags::empty(), cgroup: None };
    match kernel::clone3(&usher).map_err(|error| Error::clone(error, false))? {
        Cloned::Child => {
            drop(heard);
            make_inside(plan, &CloneArgs { flags: flags | CloneFlags::CLONE_PARENT, cgroup }, says)
        }
        Cloned::Parent { pid: usher, .. } => {
            drop(says);
            let mut words = Vec::new();
            let read = File::from(heard).read_to_end(&mut words).strace(|| "read(pipe)".into());
            let _ = waitpid(usher, None);
            read.map_err(|error| Error::call("the usher", error))?;
            born(&words)
        }
    }
}

/// In the usher. In the child, which it makes, this returns.
fn make_inside(plan: &SpawnPlan, child: &CloneArgs, says: OwnedFd) -> Result<Cloned> {
    let clone = |()| kernel::clone3(child).map_err(|error| Error::clone(error, false));
    let said: Said = match enter_all(plan).and_then(clone) {
        Ok(Cloned::Child) => return Ok(Cloned::Child),
        Ok(Cloned::Parent { pid, .. }) => Ok(pid.as_raw()),
        Err(error) => Err(error.into()),
    };
    let _ = File::from(says).write_all(&serde_json::to_vec(&said).unwrap_or_default());
    kernel::exit_now(0)
}

/// Every file is opened before the first namespace is entered. Clocks are set when the right to it is there.
fn enter_all(plan: &SpawnPlan) -> Result<()> {
    let ours = || plan.join.iter().filter(|join| !is_left(join));
    let opened: Vec<OwnedFd> = ours().map(open_namespace).collect::<Result<_>>()?;
    let enter = |is_user: bool| {
        let mut joins = ours().zip(&opened);
        joins.try_for_each(|(join, file)| match (join.kind == Namespaces::USER) == is_user {
            true => enter_namespace(join, file),
            false => Ok(()),
        })
    };
    enter(true)?;
    if plan.new.contains(Namespaces::TIME) {
        clocks::make_time_namespace(plan)?;
    }
    enter(false)
}

/// The child is ours, and nobody has waited for it, so its number is still its own.
fn born(words: &[u8]) -> Result<Cloned> {
    let silent = |_| Err(Failure::new(FailureKind::System, "it ended without a word"));
    let said: Said = serde_json::from_slice(words).unwrap_or_else(silent);
    let pid = said.map_err(|failure| Error::other(format_args!("the usher: {failure}")))?;
    let number = rustix::process::Pid::from_raw(pid).ok_or_else(|| Error::other("the usher: no process"))?;
    let pidfd =
        rustix::process::pidfd_open(number, PidfdFlags::empty()).strace(|| format!("pidfd_open({pid})"));
    let pidfd = pidfd.map_err(|error| Error::call("the child", error))?;
    Ok(Cloned::Parent { pid: Pid::from_raw(pid), pidfd })
}
