//! One clone3 makes the process.
//!
//! ```text
//! parent                                      child
//! clone3 ────────────────────────────────────▶ waits for a byte
//! writes uid_map, setgroups, gid_map
//! before_release: cgroups v1, limits
//! sends the byte ────────────────────────────▶ joins, names itself, brings lo up, runs the closure
//! reads until the end of the pipe ◀─────────── its Failure, or nothing: execve closed the pipe
//! ```

use crate::{Error, Failure, FailureKind, Namespaces, Result, SpawnPlan, inner, knobs, map_text, ranges};
use kernel::{CloneArgs, Cloned, Strace};
use nix::fcntl::OFlag;
use nix::sched::CloneFlags;
use nix::unistd::{Pid, getegid, geteuid, pipe2};
use std::convert::Infallible;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// A process that was spawned and released.
#[derive(Debug)]
pub struct Child {
    /// Its number in the caller's PID namespace.
    pub pid: Pid,
    /// What stands for it.
    pub pidfd: OwnedFd,
    last_words: File,
    has_new_user: bool,
}

impl Child {
    fn new(plan: &SpawnPlan, pid: Pid, pidfd: OwnedFd, last_words: OwnedFd) -> Child {
        let has_new_user = plan.new.contains(Namespaces::USER);
        Child { pid, pidfd, last_words: last_words.into(), has_new_user }
    }

    /// Waits until the child has become its program: `Ok` when execve(2) succeeded, or what kept it from it.
    ///
    /// A child that dies without a word (killed from outside) counts as having succeeded; its exit status tells.
    pub fn executed(self) -> std::result::Result<(Pid, OwnedFd), Failure> {
        let Child { pid, pidfd, mut last_words, has_new_user } = self;
        let mut words = Vec::new();
        last_words.read_to_end(&mut words).map_err(|error| Failure::new(FailureKind::System, error))?;
        if words.is_empty() {
            return Ok((pid, pidfd));
        }
        let unreadable = |_| Failure::new(FailureKind::System, String::from_utf8_lossy(&words));
        let failure: Failure = serde_json::from_slice(&words).unwrap_or_else(unreadable);
        let may_be_forbidden = has_new_user && failure.kind == FailureKind::PermissionDenied;
        Err(if may_be_forbidden { knobs::advised(failure) } else { failure })
    }

    /// The pipe that ends when the child has become its program; for those who poll.
    pub fn last_words(&self) -> BorrowedFd<'_> {
        self.last_words.as_fd()
    }
}

/// Makes a process as the plan says, in this cgroup of v2 (or the caller's), and lets it run `child`, which never returns.
///
/// `before_release` runs in the parent while the child waits, with its number: what must be true before it does anything.
/// When it or an id map fails, the child is ended and waited for. `child` is given the pipe of its last words: the one
/// descriptor that it must keep, should it close what it does not need.
///
/// The calling process must have one thread (see [`kernel::clone3`]), and joins the plan's PID namespace for its children.
pub fn spawn(
    plan: &SpawnPlan,
    cgroup: Option<BorrowedFd>,
    before_release: impl FnOnce(Pid) -> Result<()>,
    child: impl FnOnce(BorrowedFd<'_>) -> std::result::Result<Infallible, Failure>,
) -> Result<Child> {
    let [(released, release), (last_words, says)] = [pipe()?, pipe()?];
    inner::before_clone(plan)?;
    match clone(plan, cgroup)? {
        Cloned::Child => {
            drop((release, last_words));
            become_inner(plan, released, says, child)
        }
        Cloned::Parent { pid, pidfd } => {
            drop((released, says));
            release_when_ready(plan, pid, release, before_release)?;
            Ok(Child::new(plan, pid, pidfd, last_words))
        }
    }
}

fn pipe() -> Result<(OwnedFd, OwnedFd)> {
    let pipe = pipe2(OFlag::O_CLOEXEC).strace(|| "pipe2(O_CLOEXEC)".into());
    pipe.map_err(|error| Error::call("a pipe", error))
}

/// One clone3 for all namespaces but two. The time namespace was made by unshare before: its offsets cannot be written once a
/// process is inside. Where the right to it comes with the new user namespace, the child makes it. The cgroup namespace is made
/// by the child too: its root is the groups in which its maker is. Those of v1, which no clone can enter, are joined only now.
fn clone(plan: &SpawnPlan, cgroup: Option<BorrowedFd>) -> Result<Cloned> {
    let new = plan.new.difference(Namespaces::TIME | Namespaces::CGROUP);
    let flags = CloneFlags::from_bits_retain(new.bits() as i32);
    if plan.needs_usher() {
        return crate::usher::make(plan, flags, cgroup);
    }
    kernel::clone3(&CloneArgs { flags, cgroup })
        .map_err(|error| Error::clone(error, new.contains(Namespaces::USER)))
}

/// The parent's side: what must be true before the child does anything, and then the byte for which it waits.
fn release_when_ready(
    plan: &SpawnPlan,
    pid: Pid,
    release: OwnedFd,
    before_release: impl FnOnce(Pid) -> Result<()>,
) -> Result<()> {
    if let Err(error) = write_maps(plan, pid).and_then(|()| before_release(pid)) {
        // The end of the pipe is the child's order to end; it is waited for, so that nothing is left of it.
        drop(release);
        let _ = nix::sys::wait::waitpid(pid, None);
        return Err(error);
    }
    // A child that was killed meanwhile cannot be told; its end is seen through its pidfd.
    let _ = File::from(release).write_all(&[1]);
    Ok(())
}

/// The child's side; it leaves by execve, or says why not and ends.
fn become_inner(
    plan: &SpawnPlan,
    released: OwnedFd,
    says: OwnedFd,
    child: impl FnOnce(BorrowedFd<'_>) -> std::result::Result<Infallible, Failure>,
) -> ! {
    wait_for_release(released);
    let entered = inner::enter(plan).map_err(Failure::from);
    let failure = match entered.and_then(|()| child(says.as_fd())) {
        Ok(never) => match never {},
        Err(failure) => failure,
    };
    let words = serde_json::to_vec(&failure).unwrap_or_default();
    let _ = File::from(says).write_all(&words);
    kernel::exit_now(1)
}

/// The pipe is closed before the caller's closure runs, which may close what is left in its own way.
fn wait_for_release(released: OwnedFd) {
    let mut byte = [0];
    if !matches!(File::from(released).read(&mut byte), Ok(1)) {
        // The parent gave up, or died.
        kernel::exit_now(1);
    }
}

/// Writes who is who in the new user namespace. An ordinary user must first give up setgroups(2): otherwise they could drop a
/// group that denies them something (CVE-2014-8989).
pub fn write_maps(plan: &SpawnPlan, pid: Pid) -> Result<()> {
    if !plan.new.contains(Namespaces::USER) {
        return Ok(());
    }
    let (user, group) = (geteuid(), getegid());
    if !user.is_root() && !plan.maps_only(user.as_raw(), group.as_raw()) {
        return ranges::write_by_helpers(pid, &plan.uid_map, &plan.gid_map);
    }
    let write = |name: &str, text: &str| {
        let path = format!("/proc/{pid}/{name}");
        std::fs::write(&path, text)
            .strace(|| format!("write({path:?}, {text:?})"))
            .map_err(|error| Error::call("id maps", error))
    };
    write("uid_map", &map_text(&plan.uid_map))?;
    if !user.is_root() {
        write("setgroups", "deny")?;
    }
    write("gid_map", &map_text(&plan.gid_map))
}
