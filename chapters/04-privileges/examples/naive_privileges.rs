//! Exhibit: privileges given up in the obvious way. Capabilities stay in the inheritable set, where setuid(2) does not look, and
//! come back with the next file that has them (CVE-2022-29162); and a value for /proc is written by its path in the container's
//! root, where it goes to wherever the image's own /proc leads (CVE-2025-52881).
//!
//! `naive_privileges UID ROOTFS COMMAND [ARGUMENT]...` runs a command as root of fewer capabilities would: as a user, in a root.
#![forbid(unsafe_code)]

use chroot::MountOp;
use kernel::CapabilityWords;
use std::error::Error;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

/// Runs the command.
pub fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, user, rootfs, command @ ..] = arguments.as_slice() else {
        return Err("usage: naive_privileges UID ROOTFS COMMAND [ARGUMENT]...".into());
    };
    run(user.parse()?, Path::new(rootfs), command)
}

/// Enters the root, says how readily the process is killed, gives up root, and executes the command.
pub fn run(user: u32, rootfs: &Path, command: &[String]) -> Result<(), Box<dyn Error>> {
    nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNS)?;
    let root = chroot::Root::Folder(rootfs.canonicalize()?);
    let cut_off = MountOp::CutOff(chroot::Propagation::RPRIVATE);
    chroot::apply(&[cut_off, MountOp::Root { root, rootless: false }, MountOp::PivotRoot])?;
    std::fs::write("/proc/self/oom_score_adj", "500")?;
    let some = privileges::default_capabilities().0;
    kernel::capset(&CapabilityWords { effective: some, permitted: some, inheritable: some })?;
    Err(Command::new(&command[0]).args(&command[1..]).uid(user).exec().into())
}
