//! `cargo xtask rootfs DIR`: a root file system made offline, from the engine's own binary and busybox.

use crate::{Result, root};
use std::path::Path;
use std::process::Command;

/// Makes the root file system in `directory`.
pub fn run(directory: &Path) -> Result<()> {
    let absolute =
        std::path::absolute(directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    let status = Command::new("cargo")
        .args(["run", "--quiet", "--locked", "--package", "chroot", "--", "--make-rootfs"])
        .arg(&absolute)
        .current_dir(root())
        .status()
        .map_err(|error| format!("cargo cannot be started: {error}"))?;
    if !status.success() {
        return Err(format!("{}: the root file system was not made", directory.display()));
    }
    println!("try: cargo run --package chroot -- {} /hello", directory.display());
    Ok(())
}
