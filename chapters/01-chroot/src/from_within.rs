//! Long tail: mounts made by a process in the root that it has: a terminal's console, and a chapter's own files.

use crate::apply::apply_mount;
use crate::inside::Inside;
use crate::{Error, Mount, Result, trees};
use kernel::Strace;
use rustix::fs::{CWD, Mode, OFlags};
use std::path::Path;

/// Mounts a file system on a folder of the host, as this mount namespace sees it.
pub fn mount_on_host(mount: &Mount) -> Result<()> {
    apply_mount(&own_root()?, mount, None)
}

/// The root that this process has.
fn own_root() -> Result<Inside> {
    let root = rustix::fs::open("/", OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
    root.map(Inside::new)
        .strace(|| "open(\"/\", O_PATH|O_DIRECTORY)".into())
        .map_err(|error| Error::call("/", error))
}

/// Binds a terminal's device over /dev/console, for the process that expects one there; from inside the root.
pub fn bind_console(terminal: &Path) -> Result<()> {
    let console = Path::new("/dev/console");
    let place = own_root()?.make_file(console)?;
    trees::attach(trees::copy(CWD, terminal, false)?, place, console)
}
