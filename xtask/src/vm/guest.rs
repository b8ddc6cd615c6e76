//! Whose processor the machine has: this host's, with the host's programs in it, or another one, with what Debian has for that.

use super::kernel;
use crate::dist::{ARCHITECTURES, Architecture};
use crate::{Result, root, setup};
use std::path::PathBuf;
use std::process::Command;

/// A machine's architecture, and what is called otherwise there.
pub struct Guest {
    /// As `uname -m` says it.
    pub name: &'static str,
    /// As Debian calls it.
    pub debian: &'static str,
    /// The package that depends on the newest kernel.
    pub kernel_package: &'static str,
    /// The emulator: a program, its Debian package, and which machine with which processor it is to be.
    pub emulator: (&'static str, &'static str, &'static [&'static str]),
    /// Its first serial port.
    pub console: &'static str,
    /// What it alone tells its kernel.
    pub kernel_words: &'static str,
    /// What takes out of a program what only a debugger reads.
    pub strip: &'static str,
}

/// Those that there are; the first is meant unless another one is named.
const GUESTS: [Guest; 2] = [
    Guest {
        name: "x86_64",
        debian: "amd64",
        kernel_package: "linux-image-cloud-amd64",
        emulator: ("qemu-system-x86_64", "qemu-system-x86", &["-cpu", "max"]),
        console: "ttyS0",
        // On a machine with much to do the timer that the kernel checks may come too late.
        kernel_words: "no_timer_check",
        strip: "strip",
    },
    Guest {
        name: "aarch64",
        debian: "arm64",
        kernel_package: "linux-image-cloud-arm64",
        // A processor of its own kind: "max" signs pointers by an algorithm that is slow to emulate.
        emulator: ("qemu-system-aarch64", "qemu-system-arm", &["-machine", "virt", "-cpu", "cortex-a72"]),
        console: "ttyAMA0",
        kernel_words: "",
        strip: "aarch64-linux-gnu-strip",
    },
];

/// The one of this name, as it is given to `--arch`.
pub fn named(name: &str) -> Result<&'static Guest> {
    let known: Vec<&str> = GUESTS.iter().map(|guest| guest.name).collect();
    let found = GUESTS.iter().find(|guest| guest.name == name);
    found.ok_or_else(|| format!("the virtual machine is made for {} alone", known.join(" and ")))
}

/// The one in which most tests run.
pub fn usual() -> &'static Guest {
    &GUESTS[0]
}

/// The one that shows what is different elsewhere.
pub fn other() -> &'static Guest {
    &GUESTS[1]
}

impl Guest {
    /// The first one takes its programs from the host; a foreign one has busybox, and what cargo built.
    pub fn is_foreign(&self) -> bool {
        self.name != usual().name
    }

    /// Where all files of the machine lie.
    pub fn folder(&self) -> PathBuf {
        let folder = root().join("target/vm");
        if self.is_foreign() { folder.join(self.name) } else { folder }
    }

    /// Cargo, told to compile for it.
    pub fn cargo(&self, verb: &str) -> Command {
        self.architecture().cargo(verb)
    }

    fn architecture(&self) -> &'static Architecture {
        let found = ARCHITECTURES.iter().find(|architecture| architecture.name == self.name);
        found.expect("it is released")
    }

    /// What the machine needs and is not here, by name; none when all is.
    pub fn missing(&self) -> Option<String> {
        if !self.is_foreign() && std::env::consts::ARCH != self.name {
            return Some(format!(
                "the virtual machine with this host's programs is made for {} alone",
                self.name
            ));
        }
        let (emulator, package, _) = self.emulator;
        let programs = [(emulator, package), ("busybox", "busybox-static"), ("mke2fs", "e2fsprogs")];
        let absent = programs.iter().find(|(program, _)| !setup::is_installed(program));
        let program = absent.map(|(program, package)| {
            format!("{program} (Debian package {package}) is not installed: cargo xtask setup")
        });
        let kernel =
            || (!kernel::is_here(self)).then(|| "the machine's kernel is missing: cargo xtask setup".into());
        program.or_else(kernel).or_else(|| self.architecture().missing())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_an_architecture_that_is_released() {
        for guest in &GUESTS {
            assert_eq!(named(guest.name).unwrap().architecture().name, guest.name);
            assert!(guest.kernel_package.ends_with(guest.debian));
        }
        assert_eq!(
            named("riscv64").err().unwrap(),
            "the virtual machine is made for x86_64 and aarch64 alone"
        );
        assert_ne!(usual().folder(), other().folder());
    }
}
