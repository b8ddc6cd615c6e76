//! `cargo xtask vm`: a machine with nothing but cgroup v2, for the tests, and for readers whose own machine has v1.
//!
//! It is Debian's kernel for clouds under QEMU's emulator (no /dev/kvm is needed, and any user may run it), with an initramfs
//! made here: busybox, the few programs that the tests call, and what cargo built, each at the path that it has on the host.

mod choice;
mod contents;
mod cpio;
pub mod guest;
pub mod kernel;
mod machine;
mod modules;
mod security;
pub mod systemd;

use crate::Result;
use contents::Purpose;
use guest::Guest;
use std::path::{Path, PathBuf};
use std::time::Duration;

#[derive(clap::Subcommand)]
pub enum Command {
    /// Run the tests that matter on cgroup v2
    Test {
        /// Run only the tests whose name contains this
        only: Option<String>,
        /// Leave out the machine without systemd
        #[arg(long, conflicts_with = "arch")]
        systemd: bool,
        /// The machine's architecture, x86_64 or aarch64; one that is not the host's is emulated slowly, and has fewer tests
        #[arg(long, value_parser = guest::named, default_value = "x86_64")]
        arch: &'static Guest,
    },
    /// Run the sessions of the book's pages that need cgroup v2, in this workspace
    Sessions {
        /// A copy of the workspace, as `cargo xtask book check --long-tail` makes it; ours if it is left out
        workspace: Option<PathBuf>,
    },
    /// A shell in it, with the chapters' binaries; `exit` or Ctrl-A X ends the machine
    Shell {
        /// The machine's architecture, x86_64 or aarch64; the latter has the binaries of chapters 01 to 05
        #[arg(long, value_parser = guest::named, default_value = "x86_64")]
        arch: &'static Guest,
        /// A command to run in place of the shell; its exit code is passed on
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<String>,
    },
}

/// More than twice what the tests of one boot have taken on a machine with other work.
const PATIENCE: Duration = Duration::from_secs(25 * 60);

/// Boots the machine, and does there what was asked for.
pub fn run(command: &Command) -> Result<()> {
    let guest = match command {
        Command::Test { arch, .. } | Command::Shell { arch, .. } => arch,
        Command::Sessions { .. } => guest::usual(),
    };
    if let Some(why) = guest.missing() {
        return Err(why);
    }
    match command {
        Command::Test { only, systemd, .. } => {
            let skipped = |skipped: &str, why: &str| println!("  skipped  {skipped}: {why}");
            if *systemd {
                systemd::test(only.as_deref(), skipped)
            } else {
                test(guest, only.as_deref(), skipped)
            }
        }
        Command::Sessions { workspace } => sessions(&workspace.clone().unwrap_or_else(crate::root)),
        Command::Shell { command, .. } if command.is_empty() => {
            machine::interactive(&boot(guest, &Purpose::Shell)?)
        }
        Command::Shell { command, .. } => {
            match machine::ended(&boot(guest, &Purpose::Command(command))?, PATIENCE)? {
                0 => Ok(()),
                code => std::process::exit(code),
            }
        }
    }
}

/// Runs the tests, those of systemd in a machine of their own, and those of another security module in a boot of its own; `skipped`
/// is told of each that could not run even there, and why. A foreign machine is booted once.
pub fn test(guest: &'static Guest, only: Option<&str>, mut skipped: impl FnMut(&str, &str)) -> Result<()> {
    let files = boot(guest, &Purpose::Test(only));
    if guest.is_foreign() {
        return watch(&files?, security::USUAL, skipped);
    }
    let without = files.and_then(|files| with_each_module(&files, &mut skipped));
    let with = match systemd::missing() {
        Some(why) => {
            skipped("the machine with systemd", &why);
            Ok(())
        }
        None => systemd::test(only, &mut skipped),
    };
    without.and(with)
}

/// Boots once for each security module: what one leaves on its disks is not the next one's.
fn with_each_module(files: &Files, mut skipped: impl FnMut(&str, &str)) -> Result<()> {
    watch(files, security::USUAL, &mut skipped)?;
    security::OTHERS.iter().try_for_each(|(module, ..)| {
        machine::make_disks(files)?;
        watch(files, module, &mut skipped)
    })
}

/// Shows what a machine's tests say, and whether they passed.
fn watch(files: &Files, module: &str, mut skipped: impl FnMut(&str, &str)) -> Result<()> {
    let code = machine::watched(files, module, PATIENCE, |line| {
        if let Some((test, why)) = line.strip_prefix("skipped ").and_then(|line| line.split_once(": ")) {
            skipped(test, why);
        }
    })?;
    if code == 0 { Ok(()) } else { Err("tests failed in the virtual machine, see above".into()) }
}

/// Runs what the pages show of cgroup v2, by the binaries of a workspace.
pub fn sessions(workspace: &Path) -> Result<()> {
    match machine::ended(&boot(guest::usual(), &Purpose::Sessions(workspace))?, PATIENCE)? {
        0 => Ok(()),
        _ => Err("sessions of the book differ in the virtual machine, see above".into()),
    }
}

/// The files that a machine boots from.
struct Files {
    guest: &'static Guest,
    kernel: PathBuf,
    initramfs: PathBuf,
    /// For what an initramfs cannot be: a disk with a file system, and one to swap to.
    disk: PathBuf,
    swap: PathBuf,
}

impl Drop for Files {
    /// Another run makes its own, so that two beside each other do not meet.
    fn drop(&mut self) {
        for file in [&self.initramfs, &self.disk, &self.swap] {
            let _ = std::fs::remove_file(file);
        }
    }
}

/// A run that was killed has left its files, which have its number; they are as large as a disk.
fn remove_what_was_left(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let number = ["initramfs-", "disk-", "swap-"].iter().find_map(|kind| name.strip_prefix(kind));
        let is_left = number.is_some_and(|number| !Path::new("/proc").join(number).exists());
        if is_left {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// Where the files of a run will be.
fn files(guest: &'static Guest) -> Result<Files> {
    let folder = kernel::folder(guest)?;
    remove_what_was_left(&folder);
    let file = |name: &str| folder.join(format!("{name}-{}", std::process::id()));
    Ok(Files {
        guest,
        kernel: kernel::image(guest)?,
        initramfs: file("initramfs"),
        disk: file("disk"),
        swap: file("swap"),
    })
}

fn boot(guest: &'static Guest, purpose: &Purpose<'_>) -> Result<Files> {
    let files = files(guest)?;
    contents::write(&files.initramfs, guest, purpose)?;
    machine::make_disks(&files)?;
    Ok(files)
}
