//! Debian's kernel for clouds, unpacked beside what cargo builds: the host's own boot loader never learns of it.

use crate::{Result, root};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The package that depends on the newest one.
const PACKAGE: &str = "linux-image-cloud-amd64";

/// Where all files of the machine are; made if it is not there.
pub fn folder() -> Result<PathBuf> {
    let folder = root().join("target/vm");
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(folder)
}

fn unpacked() -> PathBuf {
    root().join("target/vm/kernel")
}

/// Whether it was unpacked.
pub fn is_here() -> bool {
    unpacked().exists()
}

/// The kernel itself.
pub fn image() -> Result<PathBuf> {
    only_entry(&unpacked().join("boot"), "vmlinuz")
}

/// The folder of its modules.
pub fn modules() -> Result<PathBuf> {
    let folder = unpacked().join("lib/modules");
    Ok(only_entry(&folder, "")?.join("kernel"))
}

fn only_entry(folder: &Path, prefix: &str) -> Result<PathBuf> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut fitting =
        entries.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix));
    fitting.next().map(|entry| entry.path()).ok_or_else(|| format!("{}: no {prefix}…", folder.display()))
}

/// Downloads and unpacks it, unless it is here.
pub fn fetch() -> Result<()> {
    if is_here() {
        return Ok(());
    }
    let newest = newest()?;
    println!(
        "setup: apt-get download {newest}: the kernel of the tests' virtual machine, not installed but unpacked"
    );
    let unfinished = folder()?.join(format!("kernel-unfinished-{}", std::process::id()));
    let fetched = download_and_unpack(&newest, &unfinished)
        .and_then(|()| fs::rename(unfinished.join("tree"), unpacked()).map_err(|error| error.to_string()));
    let _ = fs::remove_dir_all(&unfinished); // the outcome counts more
    fetched
}

fn newest() -> Result<String> {
    let depends = output(Command::new("apt-cache").args(["depends", "--important", PACKAGE]))?;
    let package = depends.lines().find_map(|line| line.trim().strip_prefix("Depends: linux-image-"));
    package
        .map(|rest| format!("linux-image-{rest}"))
        .ok_or_else(|| format!("apt knows no package {PACKAGE}: the virtual machine needs Debian's"))
}

fn download_and_unpack(package: &str, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    // The folder is ours, and apt's own user cannot write there.
    let download = ["-qq", "-o", "APT::Sandbox::User=root", "download", package];
    output(Command::new("apt-get").args(download).current_dir(folder))?;
    let package = only_entry(folder, "linux-image-")?;
    output(Command::new("dpkg-deb").arg("--extract").arg(package).arg(folder.join("tree"))).map(drop)
}

/// What a command printed; an error when it fails.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command.output().map_err(|error| format!("{:?}: {error}", command.get_program()))?;
    if !output.status.success() {
        return Err(format!("{command:?}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
