//! Long tail: how a thread is scheduled and where its memory comes from: sched_setattr(2), ioprio_set(2), personality(2),
//! set_mempolicy(2).

use crate::{Result, Strace};
use nix::errno::Errno;
use nix::libc;

/// What sched_setattr(2) sets: `struct sched_attr` in its first size, less that size (Linux 3.14).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SchedulingAttributes {
    /// `SCHED_OTHER`, `SCHED_FIFO`…
    pub policy: u32,
    /// `SCHED_FLAG_*`
    pub flags: u64,
    /// -20 to 19, for `SCHED_OTHER` and `SCHED_BATCH`.
    pub nice: i32,
    /// 1 to 99, for `SCHED_FIFO` and `SCHED_RR`.
    pub priority: u32,
    /// Nanoseconds, for `SCHED_DEADLINE`.
    pub runtime: u64,
    /// Nanoseconds, for `SCHED_DEADLINE`.
    pub deadline: u64,
    /// Nanoseconds, for `SCHED_DEADLINE`.
    pub period: u64,
}

#[repr(C)]
struct Raw {
    size: u32,
    policy: u32,
    flags: u64,
    nice: i32,
    priority: u32,
    runtime: u64,
    deadline: u64,
    period: u64,
}

/// Sets the calling thread's scheduling.
///
/// Errors: EINVAL for what contradicts the policy, EPERM without CAP_SYS_NICE, EBUSY where no processor has so much time left.
pub fn set_scheduling(attributes: SchedulingAttributes) -> Result<()> {
    let SchedulingAttributes { policy, flags, nice, priority, runtime, deadline, period } = attributes;
    let size = size_of::<Raw>() as u32;
    let raw = Raw { size, policy, flags, nice, priority, runtime, deadline, period };
    // SAFETY: the struct outlives the call, which only reads the `size` bytes that it says it has.
    let result = unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const raw, 0) };
    Errno::result(result).map(drop).strace(|| format!("sched_setattr(0, {attributes:?}, 0)"))
}

/// Sets the calling thread's priority for disks: a class, 1 to 3, and in it 0 to 7.
///
/// Errors: EPERM without CAP_SYS_NICE or CAP_SYS_ADMIN.
pub fn set_io_priority(class: u32, priority: u32) -> Result<()> {
    const WHO_PROCESS: u32 = 1;
    const CLASS_SHIFT: u32 = 13;
    // SAFETY: the call takes numbers alone.
    let result =
        unsafe { libc::syscall(libc::SYS_ioprio_set, WHO_PROCESS, 0, class << CLASS_SHIFT | priority) };
    Errno::result(result)
        .map(drop)
        .strace(|| format!("ioprio_set(IOPRIO_WHO_PROCESS, 0, {class}<<13|{priority})"))
}

/// Sets the calling thread's memory policy, with one bit a node.
///
/// Errors: EINVAL for nodes that are not there, or that the mode does not take; ENOSYS in a kernel without NUMA.
pub fn set_memory_policy(mode: u32, nodes: &[u64]) -> Result<()> {
    // The kernel takes the number of bits to be one more than it is (set_mempolicy(2), "BUGS").
    let bits = if nodes.is_empty() { 0 } else { nodes.len() * 64 + 1 };
    let pointer = if nodes.is_empty() { std::ptr::null() } else { nodes.as_ptr() };
    // SAFETY: the kernel reads `bits - 1` bits, as many as the slice has; none where the pointer is null.
    let result = unsafe { libc::syscall(libc::SYS_set_mempolicy, mode, pointer, bits) };
    Errno::result(result).map(drop).strace(|| format!("set_mempolicy({mode:#x}, {nodes:x?}, {bits})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_is_scheduled_otherwise() {
        // In a thread of its own, which ends with what it was given.
        let outcome = std::thread::spawn(|| {
            // The lowest: only root may rise above the nice value that the tests were started with.
            let batch = SchedulingAttributes { policy: 3, nice: 19, ..SchedulingAttributes::default() };
            set_scheduling(batch).unwrap();
            set_io_priority(3, 0).unwrap();
            // SAFETY: the call takes and returns numbers alone.
            let policy = unsafe { libc::sched_getscheduler(0) };
            let wrong = SchedulingAttributes { policy: 77, ..SchedulingAttributes::default() };
            (policy, set_scheduling(wrong).unwrap_err().errno())
        });
        assert_eq!(outcome.join().unwrap(), (3, Errno::EINVAL));
    }

    #[test]
    fn memory_comes_from_a_node() {
        let outcome = std::thread::spawn(|| (set_memory_policy(2, &[1]), set_memory_policy(0, &[])));
        match outcome.join().unwrap() {
            (Err(error), _) if error.errno() == Errno::ENOSYS => {
                skipped::skip("kernel::memory_comes_from_a_node", "no NUMA")
            }
            (bound, back) => {
                bound.unwrap();
                back.unwrap();
            }
        }
    }
}
