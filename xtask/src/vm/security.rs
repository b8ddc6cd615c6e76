//! The security module that the machine's kernel boots with: it has several, and one at a time.

use super::cpio::Archive;
use crate::Result;
use std::io::Write;
use std::path::Path;

/// Debian's own choice, and that of all tests that do not ask for another.
pub const USUAL: &str = "apparmor";

/// What needs a boot of its own: the module, cargo's name of the test, and how those begin that are run.
pub const OTHERS: &[(&str, &str, &[&str])] = &[("selinux", "oci", &["selinux::"])];

/// What `apparmor_parser` reads as it does on the host: which of the kernel's features profiles are written for.
const FILES: &[&str] = &["/etc/apparmor/parser.conf", "/usr/share/apparmor-features/features"];

/// Adds them, as far as the host has them.
pub fn add_files<W: Write>(archive: &mut Archive<W>) -> Result<()> {
    FILES.iter().map(Path::new).filter(|file| file.exists()).try_for_each(|file| archive.add_from_host(file))
}
