//! seccomp(2): loads a filter, after which it can never be taken off again.

use crate::{Result, Strace};
use nix::errno::Errno;
use nix::libc;

/// One instruction of classic BPF, as the kernel's `struct sock_filter` lays it out.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instruction {
    /// The operation.
    pub code: u16,
    /// How many instructions to skip when a comparison holds.
    pub jt: u8,
    /// How many instructions to skip when it does not.
    pub jf: u8,
    /// The operand.
    pub k: u32,
}

/// Loads a filter for this thread (SECCOMP_SET_MODE_FILTER, Linux 3.17), with flags `SECCOMP_FILTER_FLAG_*`.
///
/// Errors: EACCES without CAP_SYS_ADMIN and without no_new_privs, EINVAL for a program that the kernel rejects or that is
/// empty or longer than 4,096 instructions.
pub fn load_seccomp_filter(program: &[Instruction], flags: u64) -> Result<()> {
    let call = || format!("seccomp(SECCOMP_SET_MODE_FILTER, {flags:#x}, {{len={}}})", program.len());
    let length = u16::try_from(program.len()).map_err(|_| Errno::EINVAL).strace(call)?;
    let raw = libc::sock_fprog { len: length, filter: program.as_ptr().cast_mut().cast() };
    // SAFETY: Instruction has the layout of sock_filter (repr(C), the same fields), the length is the slice's, and the
    // kernel copies the program before it returns.
    let result =
        unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, flags, &raw const raw) };
    Errno::result(result).map(drop).strace(call)
}
