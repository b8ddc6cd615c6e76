//! Exhibit: a terminal is made on the host, and bound over /dev/console by its name, from inside. What /dev/pts/0 is inside the
//! image says: a file of the kernel's, say, that the container may not write (CVE-2025-52565).
//!
//! `naive_console PLAN.json` makes the root that a plan in JSON describes, and prints what is seen at /dev/console.
#![forbid(unsafe_code)]

use nix::mount::{MsFlags, mount};
use rustix::pty::{OpenptFlags, openpt, ptsname, unlockpt};
use std::error::Error;
use std::fs::File;
use std::path::PathBuf;

/// Prints what it is.
pub fn main() -> Result<(), Box<dyn Error>> {
    let plan = std::env::args().nth(1).ok_or("usage: naive_console PLAN.json")?;
    enter(&serde_json::from_str::<Vec<chroot::MountOp>>(&std::fs::read_to_string(plan)?)?)?;
    println!("{:?}", std::fs::metadata("/dev/console")?.file_type());
    Ok(())
}

/// Makes the root, and the console in it.
pub fn enter(steps: &[chroot::MountOp]) -> Result<(), Box<dyn Error>> {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
    unlockpt(&master)?;
    let name = PathBuf::from(ptsname(&master, Vec::new())?.into_string()?);
    nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNS)?;
    chroot::apply(steps)?;
    File::create("/dev/console")?;
    let none = None::<&str>;
    Ok(mount(Some(&name), "/dev/console", none, MsFlags::MS_BIND, none)?)
}
