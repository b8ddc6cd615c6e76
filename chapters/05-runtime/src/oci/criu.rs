//! Long tail: `checkpoint` and `restore`, which are CRIU's work: refused, with the words of what there is of it.

use crate::{Error, Result};
use clap::Args;
use std::ffi::OsString;
use std::process::Command;

/// What CRIU's own protocol of today is first spoken by.
const OLDEST: &str = "3.16";

#[derive(Args)]
#[command(disable_help_flag = true)]
pub struct Criu {
    /// As runc has them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    _arguments: Vec<OsString>,
}

impl Criu {
    /// `program` is what `--criu` names.
    pub fn run(&self, verb: &str, program: &str) -> Result<u8> {
        let refused =
            Error::not_supported(&format!("{verb} (by CRIU {OLDEST} or newer, {})", found(program)));
        Err(refused)
    }
}

fn found(program: &str) -> String {
    match Command::new(program).arg("--version").output() {
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            let version = text.lines().find_map(|line| line.strip_prefix("Version: "));
            match version {
                Some(version) => format!("{program} is {}", version.trim()),
                None => format!("{program} does not say its version"),
            }
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => format!("{program} is not installed"),
        Err(error) => format!("{program} cannot be executed: {error}"),
    }
}
