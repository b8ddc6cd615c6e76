//! The command line: docker's verbs and flags, over the daemon's API.

use std::ffi::OsString;
use std::process::ExitCode;

/// Runs one client verb; `arguments` is the whole command line with the program's name.
pub fn main(_arguments: &[OsString]) -> ExitCode {
    todo!()
}
