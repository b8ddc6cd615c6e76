//! Long tail: NS_GET_NSTYPE (ioctl_ns(2), Linux 4.11): of which kind the namespace is that a file stands for.

use crate::{Result, Strace};
use nix::errno::Errno;
use nix::libc;
use std::os::fd::{AsFd, AsRawFd};

/// Its `CLONE_NEW…`. Errors: ENOTTY for a file that stands for none.
///
/// The name of such a file tells as much only below /proc: one that is bound elsewhere, as `ip netns` and the plugins of
/// Kubernetes do it, has the name of its place.
pub fn namespace_kind(file: impl AsFd) -> Result<u32> {
    let file = file.as_fd().as_raw_fd();
    // SAFETY: the request has no argument: the kernel reads and writes nothing of ours.
    let kind = unsafe { libc::ioctl(file, libc::NS_GET_NSTYPE) };
    Errno::result(kind).map(|kind| kind.cast_unsigned()).strace(|| format!("ioctl({file}, NS_GET_NSTYPE)"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;

    #[test]
    fn a_namespace_tells_its_kind_and_other_files_have_none() {
        let kind = |path: &str| namespace_kind(File::open(path).expect("a file"));
        if kind("/proc/self/ns/net").is_err_and(|error| error.errno() == Errno::ENOSYS) {
            return skipped::skip(
                "kernel::namespace_kind",
                "an emulator runs this, which does not know ioctl_ns(2)",
            );
        }
        assert_eq!(kind("/proc/self/ns/net").expect("a namespace"), libc::CLONE_NEWNET as u32);
        assert_eq!(kind("/proc/self/ns/mnt").expect("a namespace"), libc::CLONE_NEWNS as u32);
        assert_eq!(kind("/proc/self/stat").expect_err("no namespace").errno(), Errno::ENOTTY);
    }
}
