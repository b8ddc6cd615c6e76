//! clone3(2): one call makes a process in new namespaces, in its cgroup, with a descriptor that stands for it.

use crate::{Result, Strace, SysError, thread_count};
use nix::errno::Errno;
use nix::libc;
use nix::sched::CloneFlags;
use nix::unistd::Pid;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// CLONE_INTO_CGROUP (Linux 5.7), which nix does not name: its flags have 32 bits.
const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;

/// What clone3 is asked for. A pidfd is always returned, and the parent gets SIGCHLD when the child ends.
#[derive(Debug)]
pub struct CloneArgs<'a> {
    /// The new namespaces. And CLONE_PARENT, for a process that is our parent's child as we are, and not ours.
    pub flags: CloneFlags,
    /// The cgroup v2 folder that the child is born into.
    pub cgroup: Option<BorrowedFd<'a>>,
}

/// On which side of the call we are.
#[derive(Debug)]
pub enum Cloned {
    /// The new process: a copy of the caller.
    Child,
    /// The caller.
    Parent {
        /// The child's number in the caller's PID namespace.
        pid: Pid,
        /// What stands for the child, also after its number was given to another.
        pidfd: OwnedFd,
    },
}

/// Makes a process as fork(2) does, with everything that [`CloneArgs`] says.
///
/// Fails with EBUSY, before asking the kernel, when the process has other threads: their locks would stay locked in the
/// child for ever. Otherwise as clone3(2): EPERM without the privilege for a namespace, ENOSPC when
/// `/proc/sys/user/max_*_namespaces` are used up, or user namespaces are nested too deeply.
pub fn clone3(args: &CloneArgs) -> Result<Cloned> {
    let signal = if args.flags.contains(CloneFlags::CLONE_PARENT) { "0" } else { "SIGCHLD" };
    let call = || format!("clone3({{flags={:?}|CLONE_PIDFD, exit_signal={signal}}})", args.flags);
    if thread_count() != 1 {
        return Err(SysError::new(call(), Errno::EBUSY));
    }
    let mut pidfd: libc::c_int = -1;
    let raw = raw_arguments(args, &mut pidfd);
    // SAFETY: neither CLONE_VM nor CLONE_THREAD nor CLONE_SETTLS can be among the flags' namespaces, and `stack` is zero:
    // the child runs on a copy of this very stack and memory, as after fork. It is the copy of the only thread (checked
    // above; nobody else can start one meanwhile, being absent), so every lock of the process is held by itself or free,
    // and whatever safe code the child runs finds memory as consistent as it was for the parent.
    // The kernel writes the pidfd to a live local.
    let result = unsafe { libc::syscall(libc::SYS_clone3, &raw const raw, size_of::<libc::clone_args>()) };
    match Errno::result(result).strace(call)? {
        0 => Ok(Cloned::Child),
        pid => {
            // SAFETY: the call succeeded, so the kernel has just opened this descriptor for us and nobody else knows it.
            let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
            Ok(Cloned::Parent { pid: Pid::from_raw(pid as i32), pidfd })
        }
    }
}

/// The arguments as the kernel reads them; it writes the new descriptor to `pidfd`.
fn raw_arguments(args: &CloneArgs, pidfd: &mut libc::c_int) -> libc::clone_args {
    // SAFETY: clone_args is a struct of integers, for which all zeroes is a value.
    let mut raw: libc::clone_args = unsafe { std::mem::zeroed() };
    raw.flags = args.flags.bits() as u32 as u64 | libc::CLONE_PIDFD as u64;
    raw.pidfd = &raw mut *pidfd as u64;
    // With CLONE_PARENT the child has its maker's exit signal, and one that is given is EINVAL.
    let is_sibling = args.flags.contains(CloneFlags::CLONE_PARENT);
    raw.exit_signal = if is_sibling { 0 } else { libc::SIGCHLD as u64 };
    if let Some(cgroup) = args.cgroup {
        raw.flags |= CLONE_INTO_CGROUP;
        raw.cgroup = cgroup.as_raw_fd() as u64;
    }
    raw
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_to_clone_a_process_with_threads() {
        // The test harness runs each test in a thread beside its main one.
        let error = clone3(&CloneArgs { flags: CloneFlags::empty(), cgroup: None }).unwrap_err();
        assert_eq!(error.errno(), Errno::EBUSY);
    }
}
