//! A supervisor as a daemon meets it: launched, attached to, signalled, killed, adopted. Needs root, and busybox.
//!
//! `supervisor::launch` starts this very executable again as `supervise RUN_DIR`, so there is no test harness around `main`.
#![forbid(unsafe_code)]

mod cases;
mod site;

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, verb, run_dir] = arguments.as_slice()
        && verb == "supervise"
    {
        return supervisor::supervise(Path::new(run_dir));
    }
    if let [_, verb, run_dir] = arguments.as_slice()
        && verb == "abandon"
    {
        return cases::abandon(Path::new(run_dir));
    }
    let wanted = arguments.get(1).filter(|word| !word.starts_with('-'));
    if !Path::new("/usr/bin/busybox").exists() || !nix::unistd::geteuid().is_root() {
        skipped::skip("supervisor::lifecycle", "it needs root and busybox");
        return ExitCode::SUCCESS;
    }
    let mut failed = 0;
    for (name, case) in cases::CASES {
        if wanted.is_some_and(|word| !name.contains(word.as_str())) {
            continue;
        }
        let passed = std::panic::catch_unwind(*case).is_ok();
        println!("test {name} ... {}", if passed { "ok" } else { "FAILED" });
        failed += u8::from(!passed);
    }
    ExitCode::from(failed)
}
