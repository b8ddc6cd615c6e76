//! What the tests stand on: an engine in a network namespace of its own, clients, images, and a count of leftovers.

mod clients;
mod engine;
mod images;
pub mod leftovers;
mod namespace;
mod registry;

pub use clients::{on_a_terminal, piped};
pub use engine::{Engine, Who, coracle_binary};
pub use images::busybox_tar;
pub use namespace::Namespace;
pub use registry::Registry;
pub use skipped::skip;

use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

/// How long anything may take before a test gives up on it.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// What a client printed, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// The exit code; 128+n for a signal.
    pub code: i32,
}

impl From<Output> for Said {
    fn from(output: Output) -> Said {
        use std::os::unix::process::ExitStatusExt;
        let code = output.status.code().or(output.status.signal().map(|signal| 128 + signal)).unwrap_or(-1);
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Said { stdout: text(output.stdout), stderr: text(output.stderr), code }
    }
}

impl Said {
    /// Panics with everything that was said unless the exit code is `code`.
    #[track_caller]
    pub fn expect(self, code: i32) -> Said {
        assert_eq!(self.code, code, "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    /// Standard output without its last line break.
    pub fn line(&self) -> &str {
        self.stdout.trim_end()
    }
}

/// Polls until `condition` holds; panics after [`PATIENCE`] with what was waited for.
#[track_caller]
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "waited {PATIENCE:?} in vain until {what}");
        std::thread::sleep(Duration::from_millis(5)); // poll
    }
}

/// Whether a program is in PATH or the system's folders.
pub fn is_installed(program: &str) -> bool {
    let path = std::env::var("PATH").unwrap_or_default();
    path.split(':').chain(["/usr/sbin", "/sbin"]).any(|folder| Path::new(folder).join(program).is_file())
}

/// Whether the tests run as root.
pub fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// Returns from a test that needs a program or root, after saying so.
#[macro_export]
macro_rules! needs {
    (root) => {
        if !$crate::harness::is_root() {
            return $crate::harness::skip($crate::test_name!(), "it needs root");
        }
    };
    ($program:literal) => {
        if !$crate::harness::is_installed($program) {
            return $crate::harness::skip($crate::test_name!(), concat!($program, " is not installed"));
        }
    };
}

/// The name of the test that is running.
#[macro_export]
macro_rules! test_name {
    () => {{
        fn here() {}
        let name = std::any::type_name_of_val(&here);
        name.trim_end_matches("::here").trim_start_matches("blackbox::")
    }};
}

/// Runs a command to its end.
#[track_caller]
pub fn run(command: &mut Command) -> Said {
    command.output().unwrap_or_else(|error| panic!("{:?}: {error}", command.get_program())).into()
}
