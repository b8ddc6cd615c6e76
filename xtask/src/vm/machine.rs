//! The machine itself: QEMU without a screen, its first serial port on our standard input and output.

use super::{Files, kernel, security};
use crate::Result;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Megabytes of memory: an initramfs is there twice while it is unpacked.
const MEMORY: u32 = 1536;
/// The last thing that the machine says is this and an exit code.
const ENDED: &str = "vm ended with ";
/// The sizes of the disks; the files are sparse.
pub const DISK_SIZE: u64 = 1 << 30;
pub const SWAP_SIZE: u64 = 128 << 20;

/// A disk with a file system for `/tmp`, and an empty one to swap to.
pub fn make_disks(files: &Files) -> Result<()> {
    make_empty(&files.disk, DISK_SIZE)?;
    make_empty(&files.swap, SWAP_SIZE)?;
    let mut mke2fs = Command::new("/usr/sbin/mke2fs");
    kernel::output(mke2fs.args(["-q", "-t", "ext4", "-m", "0", "-O", "^has_journal"]).arg(&files.disk))
        .map(drop)
}

/// A disk with nothing on it.
pub fn make_empty(path: &Path, size: u64) -> Result<()> {
    let made = std::fs::File::create(path).and_then(|file| file.set_len(size));
    made.map_err(|error| format!("{}: {error}", path.display()))
}

fn qemu(files: &Files, module: &str) -> Command {
    let (program, _, machine) = files.guest.emulator;
    let mut qemu = Command::new(program);
    // The emulator, since hosts that are virtual themselves often offer a /dev/kvm that hangs.
    qemu.args(["-accel", "tcg,thread=multi", "-smp", "2", "-m", &MEMORY.to_string()]).args(machine);
    qemu.args(["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"]);
    qemu.arg("-kernel").arg(&files.kernel).arg("-initrd").arg(&files.initramfs);
    // No controller of v1 can be mounted; a panic ends the machine; four large pages are there to be limited.
    let words =
        "loglevel=3 panic=-1 cgroup_no_v1=all mitigations=off psi=1 hugepages=4 systemd.show_status=no";
    let (console, own) = (files.guest.console, files.guest.kernel_words);
    qemu.arg("-append").arg(format!("console={console} {words} {own} {module}=1 security={module}"));
    for disk in [&files.disk, &files.swap] {
        qemu.arg("-drive").arg(format!("if=virtio,format=raw,cache=unsafe,file={}", disk.display()));
    }
    qemu
}

/// A machine for somebody at a terminal.
pub fn interactive(files: &Files) -> Result<()> {
    let mut qemu = qemu(files, security::USUAL);
    // With its monitor on the same terminal, Ctrl-C is the guest's, and Ctrl-A X ends the machine.
    let status = qemu.args(["-serial", "mon:stdio"]).status();
    status.map_err(|error| format!("{}: {error}", files.guest.emulator.0)).map(drop)
}

/// Prints what a machine says, and returns the exit code with which it ended.
pub fn ended(files: &Files, limit: Duration) -> Result<i32> {
    watched(files, security::USUAL, limit, |_| ())
}

/// The same of a kernel with this security module; each line is shown to `look` as well.
pub fn watched(files: &Files, module: &str, limit: Duration, mut look: impl FnMut(&str)) -> Result<i32> {
    let mut qemu = qemu(files, module);
    qemu.args(["-serial", "stdio"]).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = qemu.spawn().map_err(|error| format!("{}: {error}", files.guest.emulator.0))?;
    let output = BufReader::new(child.stdout.take().ok_or("qemu: no pipe")?);
    let (is_over, start) = (AtomicBool::new(false), Instant::now());
    let mut code = None;
    std::thread::scope(|scope| {
        let watchdog = scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) && start.elapsed() < limit {
                std::thread::park_timeout(limit.saturating_sub(start.elapsed()));
            }
            // Ended by itself it is waited for below; otherwise its output ends now.
            if !is_over.load(Ordering::Relaxed) { child.kill() } else { Ok(()) }
        });
        for line in output.split(b'\n').map_while(|line| line.ok()) {
            let line = String::from_utf8_lossy(&line);
            let line = line.trim_end_matches('\r');
            match line.strip_prefix(ENDED) {
                Some(number) => code = number.parse().ok(),
                None => println!("{line}"),
            }
            look(line);
        }
        is_over.store(true, Ordering::Relaxed);
        watchdog.thread().unpark();
    });
    child.wait().map_err(|error| format!("qemu: {error}"))?;
    code.ok_or_else(|| match start.elapsed() < limit {
        true => "the virtual machine ended without a word: its last ones are above".into(),
        false => format!("the virtual machine hangs: not done in {} s", limit.as_secs()),
    })
}
