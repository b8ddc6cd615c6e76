//! Long tail: namespaces that exist already, joined by setns(2).

use crate::inner::become_root;
use crate::{Error, Join, Namespaces, Result, SpawnPlan};
use kernel::Strace;
use nix::fcntl::{OFlag, open};
use nix::sched::{CloneFlags, setns};
use nix::sys::stat::Mode;
use std::os::fd::OwnedFd;

/// In the parent: what can be joined only for processes that are made afterwards.
pub fn before_clone(plan: &SpawnPlan) -> Result<()> {
    for join in plan.join.iter().filter(|join| is_for_children(join)) {
        enter_namespace(join, &open_namespace(join)?)?;
    }
    Ok(())
}

/// A process does not change its PID namespace; its children are born into another.
fn is_for_children(join: &Join) -> bool {
    join.kind == Namespaces::PID
}

/// What an usher leaves to the child: in another's mounts there may be a /proc that does not show the usher to itself, and it could
/// not know that it has one thread.
pub fn is_left(join: &Join) -> bool {
    join.kind == Namespaces::MNT
}

/// In the child. Every file is opened before the first namespace is entered: afterwards the paths may mean something else.
pub fn join_all(plan: &SpawnPlan) -> Result<()> {
    let is_ours = |join: &Join| if plan.needs_usher() { is_left(join) } else { !is_for_children(join) };
    let in_child = || plan.join.iter().filter(|join| is_ours(join));
    let opened: Vec<OwnedFd> = in_child().map(open_namespace).collect::<Result<_>>()?;
    if plan.needs_usher() {
        become_root()?;
    }
    for (join, file) in in_child().zip(&opened) {
        enter_namespace(join, file)?;
        if join.kind == Namespaces::USER {
            become_root()?;
        }
    }
    Ok(())
}

/// Moves the calling process, which must have one thread, into a user namespace in which it will be root: one that it has made
/// itself, or that belongs to its user.
pub fn enter_user_namespace(file: &OwnedFd) -> Result<()> {
    setns(file, CloneFlags::CLONE_NEWUSER)
        .strace(|| "setns(fd, CLONE_NEWUSER)".into())
        .map_err(|error| Error::call("the user namespace", error))?;
    become_root()
}

pub fn open_namespace(join: &Join) -> Result<OwnedFd> {
    open(&join.path, OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty())
        .strace(|| format!("open({:?}, O_RDONLY|O_CLOEXEC)", join.path))
        .map_err(|error| Error::call(format_args!("the namespace {}", join.path.display()), error))
}

pub fn enter_namespace(join: &Join, file: &OwnedFd) -> Result<()> {
    // With its kind, so that a file of another kind is refused instead of entered.
    setns(file, CloneFlags::from_bits_retain(join.kind.bits() as i32))
        .strace(|| format!("setns({:?}, {:?})", join.path, join.kind))
        .map_err(|error| Error::call(format_args!("the namespace {}", join.path.display()), error))
}
