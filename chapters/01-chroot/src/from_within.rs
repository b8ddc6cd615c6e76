//! Long tail: mounts made by a process in the root that it has: a terminal's console, and a chapter's own files.

use crate::apply::apply_mount;
use crate::inside::Inside;
use crate::{Error, Mount, Result, procfs, trees};
use kernel::Strace;
use rustix::fs::{Mode, OFlags};
use std::os::fd::AsFd;
use std::path::Path;

/// Mounts a file system on a folder of the host, as this mount namespace sees it.
pub fn mount_on_host(mount: &Mount) -> Result<()> {
    apply_mount(&mut own_root()?, mount, None)
}

/// The root that this process has.
fn own_root() -> Result<Inside> {
    let root = rustix::fs::open("/", OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
    root.map(Inside::new)
        .strace(|| "open(\"/\", O_PATH|O_DIRECTORY)".into())
        .map_err(|error| Error::call("/", error))
}

/// Binds a terminal over /dev/console, for the process that expects one there; from inside the root.
///
/// By its descriptor: its name, /dev/pts/0, is whatever the image or somebody beside us makes of it (CVE-2025-52565).
pub fn bind_console(terminal: impl AsFd) -> Result<()> {
    let console = Path::new("/dev/console");
    let place = own_root()?.make_file(console)?;
    let tree = trees::copy_of(terminal, console, false)?;
    procfs::check(&tree, &place, console)?;
    trees::attach(tree, place, console)
}
