//! `cargo xtask rootfs DIR`: a root file system made offline, from the engine's own binary and busybox.

use crate::{Result, root};
use std::path::Path;
use std::process::Command;

/// Lies in every root that this command has made, so that the next run may make it anew: whoever tries things out breaks it.
const MARK: &str = ".made-by-xtask-rootfs";

/// Makes the root file system in `directory`, which is absent, empty, or was made in the same way.
pub fn run(directory: &Path) -> Result<()> {
    let named = |error: std::io::Error| format!("{}: {error}", directory.display());
    let absolute = std::path::absolute(directory).map_err(named)?;
    let is_ours = std::fs::symlink_metadata(absolute.join(MARK)).is_ok_and(|mark| mark.is_file());
    if is_ours {
        refuse_mounts(&absolute)?;
        println!("{} is made anew", directory.display());
        std::fs::remove_dir_all(&absolute).map_err(named)?;
    }
    let status = Command::new("cargo")
        .args(["run", "--quiet", "--locked", "--package", "chroot", "--", "--make-rootfs"])
        .arg(&absolute)
        .current_dir(root())
        .status()
        .map_err(|error| format!("cargo cannot be started: {error}"))?;
    if !status.success() {
        return Err(format!("{}: the root file system was not made", directory.display()));
    }
    std::fs::write(absolute.join(MARK), "cargo xtask rootfs removes this folder and makes it anew.\n")
        .map_err(named)?;
    println!("try: cargo run --package chroot -- {} /hello", directory.display());
    Ok(())
}

/// What is mounted inside belongs to somebody, and would be emptied with the folder.
fn refuse_mounts(directory: &Path) -> Result<()> {
    let real = directory.canonicalize().map_err(|error| format!("{}: {error}", directory.display()))?;
    let table = std::fs::read_to_string("/proc/self/mountinfo").map_err(|error| error.to_string())?;
    // The fifth field is where it is mounted (proc_pid_mountinfo(5)).
    let mut places = table.lines().filter_map(|line| line.split(' ').nth(4));
    match places.find(|place| Path::new(place).starts_with(&real)) {
        None => Ok(()),
        Some(place) => Err(format!("{place} is mounted inside of {}: umount it first", directory.display())),
    }
}
