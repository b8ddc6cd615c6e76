//! Long tail: bpf(2): the one kind of program that containers need, which judges the use of devices in a cgroup of v2.

use crate::{Result, Strace};
use nix::errno::Errno;
use nix::libc;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

const BPF_PROG_LOAD: libc::c_int = 5;
const BPF_PROG_ATTACH: libc::c_int = 8;
const BPF_PROG_TYPE_CGROUP_DEVICE: u32 = 15;
const BPF_CGROUP_DEVICE: u32 = 6;
/// Groups below may have programs as well, and a use must please all of them: containers inside of containers.
const BPF_F_ALLOW_MULTI: u32 = 2;

/// The head of `union bpf_attr` for BPF_PROG_LOAD.
#[repr(C)]
struct Load {
    prog_type: u32,
    insn_cnt: u32,
    insns: u64,
    license: u64,
    log_level: u32,
    log_size: u32,
    log_buf: u64,
}

/// The head of `union bpf_attr` for BPF_PROG_ATTACH.
#[repr(C)]
struct Attach {
    target_fd: u32,
    attach_bpf_fd: u32,
    attach_type: u32,
    attach_flags: u32,
}

/// Loads a program of type BPF_PROG_TYPE_CGROUP_DEVICE (Linux 4.15) and attaches it to a cgroup, which keeps it.
///
/// Errors: EPERM without CAP_BPF, CAP_NET_ADMIN or CAP_SYS_ADMIN, EINVAL or EACCES for a program that the verifier rejects.
pub fn attach_device_program(cgroup: BorrowedFd, instructions: &[u64]) -> Result<()> {
    let license = c"Apache-2.0";
    let load = Load {
        prog_type: BPF_PROG_TYPE_CGROUP_DEVICE,
        insn_cnt: instructions.len() as u32,
        insns: instructions.as_ptr() as u64,
        license: license.as_ptr() as u64,
        log_level: 0,
        log_size: 0,
        log_buf: 0,
    };
    // SAFETY: the struct is the head of bpf_attr for this command and its size is given; instructions (eight bytes each, as
    // the slice's elements are) and license outlive the call, which copies them.
    let result = unsafe { libc::syscall(libc::SYS_bpf, BPF_PROG_LOAD, &raw const load, size_of_val(&load)) };
    let call =
        || format!("bpf(BPF_PROG_LOAD, {{BPF_PROG_TYPE_CGROUP_DEVICE, insn_cnt={}}})", instructions.len());
    let program = Errno::result(result).strace(call)?;
    // SAFETY: the call succeeded, so the kernel has just opened this descriptor for us and nobody else knows it.
    let program = unsafe { OwnedFd::from_raw_fd(program as i32) };
    let attach = Attach {
        target_fd: cgroup.as_raw_fd() as u32,
        attach_bpf_fd: program.as_raw_fd() as u32,
        attach_type: BPF_CGROUP_DEVICE,
        attach_flags: BPF_F_ALLOW_MULTI,
    };
    // SAFETY: the struct is the head of bpf_attr for this command, its size is given, and it outlives the call.
    let result =
        unsafe { libc::syscall(libc::SYS_bpf, BPF_PROG_ATTACH, &raw const attach, size_of_val(&attach)) };
    Errno::result(result)
        .map(drop)
        .strace(|| "bpf(BPF_PROG_ATTACH, {BPF_CGROUP_DEVICE, BPF_F_ALLOW_MULTI})".into())
}
