//! One small process per container: stdio, pty, logs, attach, exit status; the container's states.
#![forbid(unsafe_code)]

#[cfg(target_os = "linux")]
mod connection;
mod detach_keys;
mod json_log;
mod messages;
pub mod states;

#[cfg(target_os = "linux")]
pub use connection::{Connection, Error, LaunchError, connect, destroy, launch, read_exit};
pub use messages::*;

/// The process: `supervise RUN_DIR`, with descriptor 0 connected to the daemon that launched it.
#[cfg(target_os = "linux")]
pub fn supervise(_run_dir: &std::path::Path) -> std::process::ExitCode {
    todo!()
}
