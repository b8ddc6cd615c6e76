//! The container so far: from a bundle, as the OCI runtime specification has it.
#![forbid(unsafe_code)]

use chroot::hello;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os();
    if hello::is_face(&arguments.next().unwrap_or_default()) {
        print!("{}", hello::report());
        return ExitCode::SUCCESS;
    }
    runtime::oci::main(&[], arguments)
}
