//! Which face this process shows: a client's verb, the daemon, a container's supervisor or first process, the OCI runtime, or `hello`.
#![forbid(unsafe_code)]

mod apparmor;
mod client;
mod containers;
mod daemon;
mod engine;
mod error;
mod events;
mod exec;
mod filters;
mod images;
mod networks;
mod runtimes;
mod serve;
mod spec;
mod system;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let rest = arguments.get(2..).unwrap_or_default();
    match face(&arguments) {
        Face::Hello => hello(),
        Face::Daemon => daemon::main(rest),
        Face::Supervisor => supervise(rest),
        Face::Init => supervisor::init(arguments.get(1..).unwrap_or_default()),
        Face::Runtime => runtime::oci::main(&["oci"], rest.iter().cloned()),
        Face::Client => client::main(&arguments),
    }
}

/// What one executable can be.
#[derive(Debug, PartialEq)]
enum Face {
    Hello,
    Daemon,
    Supervisor,
    Init,
    Runtime,
    Client,
}

/// Inside the `hello` image, and as a container's first process, the executable is called by another name; otherwise the first
/// word decides.
fn face(arguments: &[OsString]) -> Face {
    let name = arguments.first().and_then(|path| Path::new(path).file_name()).unwrap_or_default();
    let verb = arguments.get(1).and_then(|word| word.to_str()).unwrap_or_default();
    match (name.to_str(), verb) {
        (Some("hello"), _) => Face::Hello,
        (Some("docker-init"), _) => Face::Init,
        (_, "daemon") => Face::Daemon,
        (_, "supervise") => Face::Supervisor,
        (_, "oci") => Face::Runtime,
        _ => Face::Client,
    }
}

fn hello() -> ExitCode {
    let authors = [
        ("02-namespaces", namespaces::AUTHORS),
        ("03-cgroups", cgroups::AUTHORS),
        ("04-privileges", privileges::AUTHORS),
        ("05-runtime", runtime::AUTHORS),
    ];
    print!("{}", chroot::hello::report_with_authors(&authors));
    ExitCode::SUCCESS
}

/// Only the daemon calls itself like this: `supervise RUN_DIR`, with a socket as standard input.
fn supervise(arguments: &[OsString]) -> ExitCode {
    match arguments {
        [run_folder] => supervisor::supervise(Path::new(run_folder)),
        _ => {
            eprintln!("coracle supervise: for the daemon's own use");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_decides_unless_the_name_is_hello() {
        let face = |line: &str| face(&line.split(' ').map(OsString::from).collect::<Vec<_>>());
        assert_eq!(face("/hello daemon"), Face::Hello);
        assert_eq!(face("coracle daemon --debug"), Face::Daemon);
        assert_eq!(face("/sbin/docker-init -- daemon"), Face::Init);
        assert_eq!(face("/usr/bin/coracle supervise /run/x"), Face::Supervisor);
        assert_eq!(face("coracle-oci oci create x"), Face::Runtime);
        assert_eq!(face("coracle run hello"), Face::Client);
        assert_eq!(face("coracle"), Face::Client);
    }
}
