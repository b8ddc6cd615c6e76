//! capget(2) and capset(2) as bit masks: the sets of this thread, whole, also bits that no library names yet.

use crate::{Result, Strace};
use nix::errno::Errno;
use nix::libc;

/// Version 3 of the interface: two words a set (Linux 2.6.26).
const LINUX_CAPABILITY_VERSION_3: u32 = 0x2008_0522;

/// The three sets that capset(2) writes, bit n for capability n.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CapabilityWords {
    /// What the kernel checks.
    pub effective: u64,
    /// What the thread may make effective.
    pub permitted: u64,
    /// What an execve(2) of a file with inheritable capabilities keeps.
    pub inheritable: u64,
}

#[repr(C)]
struct Header {
    version: u32,
    pid: libc::c_int,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Half {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

const THIS_THREAD: Header = Header { version: LINUX_CAPABILITY_VERSION_3, pid: 0 };

/// The sets of this thread.
pub fn capget() -> Result<CapabilityWords> {
    let mut halves = [Half::default(); 2];
    let header = THIS_THREAD;
    // SAFETY: version 3 fills exactly two halves, which is what the array holds.
    let result = unsafe { libc::syscall(libc::SYS_capget, &raw const header, halves.as_mut_ptr()) };
    Errno::result(result).strace(|| "capget({version=3, pid=0})".into())?;
    let join = |of: fn(&Half) -> u32| u64::from(of(&halves[0])) | u64::from(of(&halves[1])) << 32;
    Ok(CapabilityWords {
        effective: join(|half| half.effective),
        permitted: join(|half| half.permitted),
        inheritable: join(|half| half.inheritable),
    })
}

/// Sets the sets of this thread. Errors: EPERM for a capability that the thread may not have.
pub fn capset(words: &CapabilityWords) -> Result<()> {
    let half = |shift: u32| Half {
        effective: (words.effective >> shift) as u32,
        permitted: (words.permitted >> shift) as u32,
        inheritable: (words.inheritable >> shift) as u32,
    };
    let (header, halves) = (THIS_THREAD, [half(0), half(32)]);
    // SAFETY: version 3 reads exactly two halves, which is what the array holds.
    let result = unsafe { libc::syscall(libc::SYS_capset, &raw const header, halves.as_ptr()) };
    Errno::result(result).map(drop).strace(|| {
        let CapabilityWords { effective, permitted, inheritable } = words;
        format!(
            "capset({{effective={effective:#x}, permitted={permitted:#x}, inheritable={inheritable:#x}}})"
        )
    })
}

/// Whether a capability is in this thread's bounding set; none: the kernel knows no capability of this number.
pub fn is_in_bounding_set(number: u32) -> Option<bool> {
    // SAFETY: PR_CAPBSET_READ takes a number and touches no memory.
    let result = unsafe { libc::prctl(libc::PR_CAPBSET_READ, libc::c_ulong::from(number), 0, 0, 0) };
    Errno::result(result).ok().map(|set| set == 1)
}

/// Drops a capability from this thread's bounding set for ever. Errors: EPERM without CAP_SETPCAP.
pub fn drop_from_bounding_set(number: u32) -> Result<()> {
    // SAFETY: PR_CAPBSET_DROP takes a number and touches no memory.
    let result = unsafe { libc::prctl(libc::PR_CAPBSET_DROP, libc::c_ulong::from(number), 0, 0, 0) };
    Errno::result(result).map(drop).strace(|| format!("prctl(PR_CAPBSET_DROP, {number})"))
}

/// Empties this thread's ambient set.
pub fn clear_ambient_set() -> Result<()> {
    // SAFETY: PR_CAP_AMBIENT takes numbers and touches no memory.
    let result = unsafe { libc::prctl(libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) };
    Errno::result(result).map(drop).strace(|| "prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)".into())
}

/// Adds a capability, which must be permitted and inheritable, to this thread's ambient set. Errors: EPERM otherwise.
pub fn raise_ambient(number: u32) -> Result<()> {
    // SAFETY: PR_CAP_AMBIENT takes numbers and touches no memory.
    let result = unsafe {
        libc::prctl(libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_RAISE, libc::c_ulong::from(number), 0, 0)
    };
    Errno::result(result)
        .map(drop)
        .strace(|| format!("prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, {number})"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_was_read_can_be_set() {
        super::capset(&super::capget().unwrap()).unwrap();
    }
}
