//! Our executable, which a container's processes can neither write nor keep open for later (CVE-2019-5736).
//!
//! Between clone3 and execve the container's first process, and every one that is added to it, is a copy of us, and its
//! /proc/PID/exe is our executable. An image whose command is /proc/self/exe, or a process that watches for newcomers, can open
//! that link, wait until nobody executes the file any more, and, being root, write it: the next one whom the host runs is the
//! attacker's. That the child is not dumpable stops only those without CAP_SYS_PTRACE, and not the command /proc/self/exe.
//!
//! So a process that makes containers is never executed from the file itself:
//!
//! - root executes it through a mount of its own that is read-only and attached nowhere. The link leads through that mount, so
//!   that opening it for writing is EROFS for everybody; pages are shared with every other process that executes the file. `coracle-oci`
//!   tries so once before, where it costs least (`entry` in chapter 00); other programs, and other processors, do it here.
//! - An ordinary user may not mount, and executes a sealed copy in memory. A daemon makes one and uses it for all its supervisors.

use crate::Result;
use kernel::{MountAttributes, Strace, SysError, mount_setattr};
use rustix::fs::{CWD, MemfdFlags, Mode, OFlags, SealFlags, StatVfsMountFlags};
use rustix::mount::OpenTreeFlags;
use std::ffi::OsString;
use std::fs::File;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;

const EXECUTABLE: &str = "/proc/self/exe";

/// How often a copy in memory is tried to be sealed: some three seconds in all.
const SEAL_TRIES: u32 = 20;

/// A path to our executable that is safe to run containers from, for as long as this process lives.
pub fn own_executable() -> Result<PathBuf> {
    static PROTECTED: Mutex<Option<OwnedFd>> = Mutex::new(None);
    if is_protected()? {
        return Ok(EXECUTABLE.into());
    }
    let mut protected = PROTECTED.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let descriptor = match protected.take() {
        Some(descriptor) => descriptor,
        None => read_only_mount().or_else(|_| sealed_copy())?,
    };
    // Resolved by execve in the new process, which has the same descriptor until then.
    let path = format!("/proc/self/fd/{}", descriptor.as_raw_fd());
    *protected = Some(descriptor);
    Ok(path.into())
}

/// Executes this program again with these arguments, unless it is protected already. Returns only in that case, or on failure.
pub fn execute_protected(name: &str, arguments: &[OsString]) -> Result<()> {
    let path = own_executable()?;
    if path.as_os_str() == EXECUTABLE {
        return Ok(());
    }
    let error = Command::new(&path).arg0(name).args(arguments).exec();
    Err(error).strace(|| format!("execve({path:?})"))?
}

/// Whether nobody can write what we were executed from.
fn is_protected() -> Result<bool> {
    let open = rustix::fs::open(EXECUTABLE, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
    let file = open.strace(|| format!("open({EXECUTABLE:?})"))?;
    let sealed = rustix::fs::fcntl_get_seals(&file).is_ok_and(|seals| seals.contains(SealFlags::WRITE));
    let mount = rustix::fs::fstatvfs(&file).strace(|| format!("fstatvfs({EXECUTABLE:?})"))?;
    Ok(sealed || mount.f_flag.contains(StatVfsMountFlags::RDONLY))
}

/// A mount of the file alone.
fn read_only_mount() -> Result<OwnedFd, SysError> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    let mount = rustix::mount::open_tree(CWD, EXECUTABLE, flags)
        .strace(|| format!("open_tree(AT_FDCWD, {EXECUTABLE:?}, OPEN_TREE_CLONE)"))?;
    let attributes = MountAttributes {
        set: chroot::Attributes::RDONLY | chroot::Attributes::NOSUID | chroot::Attributes::NODEV,
        ..MountAttributes::default()
    };
    mount_setattr(&mount, c"", false, attributes)?;
    Ok(mount)
}

/// A copy that can be changed by nobody, ourselves included.
fn sealed_copy() -> Result<OwnedFd, SysError> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let create = |flags| rustix::fs::memfd_create("coracle", flags);
    // Where files in memory are not executable unless they ask (vm.memfd_noexec), it asks; before Linux 6.3 it cannot.
    let copy = create(flags | MemfdFlags::EXEC).or_else(|_| create(flags));
    let mut copy = File::from(copy.strace(|| "memfd_create(MFD_ALLOW_SEALING)".into())?);
    let mut own = File::open(EXECUTABLE).strace(|| format!("open({EXECUTABLE:?})"))?;
    std::io::copy(&mut own, &mut copy).strace(|| "sendfile(memfd)".into())?;
    seal(&copy).strace(|| "fcntl(memfd, F_ADD_SEALS)".into())?;
    // Reopened, since a file that is open for writing cannot be executed (ETXTBSY).
    let path = format!("/proc/self/fd/{}", copy.as_raw_fd());
    let reader = rustix::fs::open(&path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
    reader.strace(|| format!("open({path:?})"))
}

/// Forbids every change. The kernel refuses while anything but the file itself holds one of its pages, which for a moment it does
/// on its own account when memory is short, to move or to reclaim them. It waits for some 150 ms before it says EBUSY (memfd_wait_for_pins
/// in mm/memfd.c); nobody else knows this file, so that waiting longer helps.
fn seal(copy: &File) -> rustix::io::Result<()> {
    let seals = SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL;
    let mut tries = SEAL_TRIES;
    loop {
        tries -= 1;
        match rustix::fs::fcntl_add_seals(copy, seals) {
            Err(rustix::io::Errno::BUSY) if tries > 0 => {}
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::pipe::{PipeFlags, SpliceFlags, pipe_with, splice};
    use std::io::{Read, Write};
    use std::time::Duration;

    /// A page that lies in a pipe is held as one that is being moved is.
    #[test]
    fn a_page_that_is_held_for_a_moment_is_waited_for() {
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let mut copy = File::from(rustix::fs::memfd_create("held", flags).unwrap());
        copy.write_all(&[1; 4096]).unwrap();
        let (reader, writer) = pipe_with(PipeFlags::CLOEXEC).unwrap();
        assert_eq!(splice(&copy, Some(&mut 0), &writer, None, 4096, SpliceFlags::empty()).unwrap(), 4096);
        // Longer than the kernel waits by itself.
        let taker = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(400));
            File::from(reader).read_exact(&mut [0; 4096]).unwrap();
        });
        seal(&copy).unwrap();
        taker.join().unwrap();
        assert!(rustix::fs::fcntl_get_seals(&copy).unwrap().contains(SealFlags::WRITE));
        assert_eq!(
            copy.write(&[2]).unwrap_err().raw_os_error(),
            Some(rustix::io::Errno::PERM.raw_os_error())
        );
    }
}
