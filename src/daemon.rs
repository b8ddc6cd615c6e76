//! The daemon's life: flags, the lock on the data root, the socket, adoption, shutdown.

use std::ffi::OsString;
use std::process::ExitCode;

/// `coracle daemon [flags]` and `coracle daemon stop`; `arguments` are the words after `daemon`.
pub fn main(_arguments: &[OsString]) -> ExitCode {
    todo!()
}
