//! Debian's kernel for clouds, unpacked beside what cargo builds: the host's own boot loader never learns of it.

use super::guest::Guest;
use crate::Result;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where all files of the machine are; made if it is not there.
pub fn folder(guest: &Guest) -> Result<PathBuf> {
    let folder = guest.folder();
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(folder)
}

fn unpacked(guest: &Guest) -> PathBuf {
    guest.folder().join("kernel")
}

/// Whether it was unpacked.
pub fn is_here(guest: &Guest) -> bool {
    unpacked(guest).exists()
}

/// The kernel itself.
pub fn image(guest: &Guest) -> Result<PathBuf> {
    only_entry(&unpacked(guest).join("boot"), "vmlinuz")
}

/// The folder of its modules.
pub fn modules(guest: &Guest) -> Result<PathBuf> {
    let folder = unpacked(guest).join("lib/modules");
    Ok(only_entry(&folder, "")?.join("kernel"))
}

/// The busybox of a foreign machine, which lies beside its kernel.
pub fn busybox(guest: &Guest) -> PathBuf {
    unpacked(guest).join("bin/busybox")
}

fn only_entry(folder: &Path, prefix: &str) -> Result<PathBuf> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut fitting =
        entries.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix));
    fitting.next().map(|entry| entry.path()).ok_or_else(|| format!("{}: no {prefix}…", folder.display()))
}

/// Downloads and unpacks it, and for a foreign machine its busybox, unless they are here.
pub fn fetch(guest: &Guest) -> Result<()> {
    if is_here(guest) {
        return Ok(());
    }
    let unfinished = folder(guest)?.join(format!("kernel-unfinished-{}", std::process::id()));
    let fetched = download_and_unpack(guest, &unfinished).and_then(|()| {
        fs::rename(unfinished.join("tree"), unpacked(guest)).map_err(|error| error.to_string())
    });
    let _ = fs::remove_dir_all(&unfinished); // the outcome counts more
    fetched
}

fn download_and_unpack(guest: &Guest, folder: &Path) -> Result<()> {
    let archives = folder.join("archives");
    fs::create_dir_all(&archives).map_err(|error| format!("{}: {error}", archives.display()))?;
    let state = if guest.is_foreign() { foreign_state(guest, &folder.join("apt"))? } else { Vec::new() };
    let newest = newest(guest, &state)?;
    let mut packages = vec![newest.as_str()];
    packages.extend(guest.is_foreign().then_some("busybox-static"));
    println!(
        "setup: apt-get download {}, of {}: for the tests' virtual machine, not installed but unpacked",
        packages.join(" "),
        guest.debian
    );
    // The folder is ours, and apt's own user cannot write there.
    let download = ["-qq", "-o", "APT::Sandbox::User=root", "download"];
    output(Command::new("apt-get").args(download).args(&state).args(packages).current_dir(&archives))?;
    let entries = fs::read_dir(&archives).map_err(|error| format!("{}: {error}", archives.display()))?;
    entries.flatten().map(|entry| entry.path()).try_for_each(|package| {
        output(Command::new("dpkg-deb").arg("--extract").arg(package).arg(folder.join("tree"))).map(drop)
    })
}

fn newest(guest: &Guest, state: &[String]) -> Result<String> {
    let meta = guest.kernel_package;
    let depends = output(Command::new("apt-cache").args(state).args(["depends", "--important", meta]))?;
    let package = depends.lines().find_map(|line| line.trim().strip_prefix("Depends: linux-image-"));
    package
        .map(|rest| format!("linux-image-{rest}"))
        .ok_or_else(|| format!("apt knows no package {meta}: the virtual machine needs Debian's"))
}

/// apt's options for another architecture, with a state of its own: the host's dpkg never learns of it. Sources and keys are the
/// host's, so what is downloaded is checked as always.
fn foreign_state(guest: &Guest, folder: &Path) -> Result<Vec<String>> {
    for folder in [folder.join("state/lists/partial"), folder.join("cache/archives/partial")] {
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    let folder = folder.display();
    let options = [
        format!("Dir::State={folder}/state"),
        "Dir::State::status=/dev/null".into(),
        format!("Dir::Cache={folder}/cache"),
        format!("APT::Architecture={}", guest.debian),
        format!("APT::Architectures={}", guest.debian),
        "APT::Sandbox::User=root".into(),
        "Acquire::Languages=none".into(),
    ];
    let state: Vec<String> = options.into_iter().flat_map(|option| ["-o".into(), option]).collect();
    // It also fails for a source of the host's that is not Debian's; whether the packages are known is seen soon enough.
    let updated = output(Command::new("apt-get").args(&state).args(["update", "-qq"]));
    let _ = updated.inspect_err(|error| println!("setup: {error}"));
    Ok(state)
}

/// What a command printed; an error when it fails.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command.output().map_err(|error| format!("{:?}: {error}", command.get_program()))?;
    if !output.status.success() {
        return Err(format!("{command:?}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
