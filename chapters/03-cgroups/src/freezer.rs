//! Long tail: all processes of a group stopped where they are, and let go on.

use crate::{Cgroup, Error, Result, files};
use std::path::Path;
use std::time::{Duration, Instant};

/// How long the kernel may take to freeze a group: a process in a system call is frozen when it returns.
const PATIENCE: Duration = Duration::from_secs(10);

impl Cgroup {
    /// Stops every process inside where it is, and returns when they have stopped.
    pub fn freeze(&self) -> Result<()> {
        self.set_frozen(true)
    }

    /// Lets them go on.
    pub fn thaw(&self) -> Result<()> {
        self.set_frozen(false)
    }

    /// Whether they are stopped.
    pub fn is_frozen(&self) -> bool {
        match (self.unified_folder(), self.v1_folder("freezer")) {
            (Some(folder), _) => files::keyed(&folder.join("cgroup.events"), "frozen") == Some(1),
            (None, Some(folder)) => std::fs::read_to_string(folder.join("freezer.state"))
                .is_ok_and(|state| state.trim() == "FROZEN"),
            (None, None) => false,
        }
    }

    /// The folder in which that is done, if there is a freezer; for whoever stops them in our place.
    pub fn freezer_folder(&self) -> Option<&Path> {
        self.unified_folder().or_else(|| self.v1_folder("freezer"))
    }

    fn set_frozen(&self, frozen: bool) -> Result<()> {
        let (file, value) = match (self.unified_folder(), self.v1_folder("freezer")) {
            (Some(folder), _) => (folder.join("cgroup.freeze"), if frozen { "1" } else { "0" }),
            (None, Some(folder)) => (folder.join("freezer.state"), if frozen { "FROZEN" } else { "THAWED" }),
            (None, None) => {
                return Err(Error::not_supported("no freezer is mounted: processes cannot be paused"));
            }
        };
        files::write(&file, value)?;
        let deadline = Instant::now() + PATIENCE;
        while self.is_frozen() != frozen {
            if Instant::now() > deadline {
                let _ = files::write(&file, if frozen { "0" } else { "1" });
                return Err(Error::not_supported(format_args!(
                    "{}: some process does not stop",
                    file.display()
                )));
            }
            std::thread::sleep(Duration::from_micros(500));
        }
        Ok(())
    }
}
