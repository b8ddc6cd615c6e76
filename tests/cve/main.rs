//! What other runtimes fell to, tried here: each attack is made on an exhibit that falls, and on ours, which must not.
//!
//! Where an attacker races, they run beside us for `CORACLE_RACE_ROUNDS` rounds (500), and must win against the exhibit. Each case
//! runs in a process of its own, which is this executable: so are the exhibits, the attackers inside of containers, and what
//! looks at a root that was made.
#![forbid(unsafe_code)]

mod additions;
mod attackers;
mod containers;
mod inside;
mod leftovers;
mod mounts;
#[path = "../../chapters/05-runtime/examples/naive_console.rs"]
#[allow(dead_code)]
mod naive_console;
#[path = "../../chapters/05-runtime/examples/naive_exec.rs"]
#[allow(dead_code)]
mod naive_exec;
#[path = "../../chapters/01-chroot/examples/naive_mounts.rs"]
#[allow(dead_code)]
mod naive_mounts;
#[path = "../../chapters/04-privileges/examples/naive_privileges.rs"]
#[allow(dead_code)]
mod naive_privileges;
#[path = "../../chapters/03-cgroups/examples/naive_view.rs"]
#[allow(dead_code)]
mod naive_view;
mod processes;
mod roots;

use std::path::Path;
use std::process::{Command, ExitCode};

/// A case: it gets an empty folder of its own, and panics if it fails.
type Case = (&'static str, fn(&Path));

const CASES: &[&[Case]] = &[mounts::CASES, additions::CASES, processes::CASES];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let words: Vec<&str> = arguments.iter().skip(1).map(String::as_str).collect();
    match words.as_slice() {
        ["--case", name, folder] => run_case(name, Path::new(folder)),
        ["--attack", what, rest @ ..] => inside::attack(what, rest),
        ["--exhibit", "exec", ..] => {
            naive_exec::add(&arguments[3..]).map_or_else(fell_over, |()| ExitCode::SUCCESS)
        }
        ["--exhibit", "privileges", user, rootfs, ..] => {
            let run = naive_privileges::run(user.parse().unwrap(), Path::new(rootfs), &arguments[5..]);
            run.map_or_else(fell_over, |()| ExitCode::SUCCESS)
        }
        ["--in-root", by, plan, looks @ ..] => roots::look(by, Path::new(plan), looks),
        _ => run_all(words.first().filter(|word| !word.starts_with('-')).copied().unwrap_or_default()),
    }
}

fn fell_over(error: Box<dyn std::error::Error>) -> ExitCode {
    eprintln!("{error}");
    ExitCode::FAILURE
}

fn cases() -> impl Iterator<Item = &'static Case> {
    CASES.iter().copied().flatten()
}

fn run_case(name: &str, folder: &Path) -> ExitCode {
    let (_, case) = cases().find(|(other, _)| *other == name).unwrap();
    case(folder);
    ExitCode::SUCCESS
}

fn run_all(filter: &str) -> ExitCode {
    if !nix::unistd::geteuid().is_root() {
        skipped::skip("cve", "the attacks need root");
        return ExitCode::SUCCESS;
    }
    leftovers::see_only_own_mounts();
    let mut failed = 0;
    for (name, _) in cases().filter(|(name, _)| name.contains(filter)) {
        let said = try_case(name);
        println!("test {name} ... {}", if said.is_ok() { "ok" } else { "FAILED" });
        match said {
            Ok(text) => print!("{text}"),
            Err(text) => {
                failed += 1;
                println!("{text}");
            }
        }
    }
    println!("\ntest result: {failed} failed");
    ExitCode::from(u8::from(failed > 0))
}

fn try_case(name: &str) -> Result<String, String> {
    let folder = std::env::temp_dir().join(format!("cve-{}-{name}", std::process::id()));
    std::fs::create_dir(&folder).unwrap();
    let before = leftovers::count(&folder);
    let output = Command::new("/proc/self/exe").args(["--case", name]).arg(&folder).output().unwrap();
    let after = leftovers::count(&folder);
    let _ = std::fs::remove_dir_all(&folder);
    let [stdout, stderr] =
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    match (output.status.success(), before == after) {
        (true, true) => Ok(stdout),
        (true, false) => Err(format!("left behind: {before:?} became {after:?}")),
        (false, _) => Err(stdout + &stderr),
    }
}

/// How often a race is run.
fn rounds() -> usize {
    std::env::var("CORACLE_RACE_ROUNDS")
        .map_or(500, |text| text.parse().expect("CORACLE_RACE_ROUNDS is a number"))
}
