//! Roots as the kernel makes them: each case in a process and a mount namespace of its own, for root and for an ordinary user.
#![forbid(unsafe_code)]

mod cases;

use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// Whom nobody is on most systems.
const ORDINARY: u32 = 65534;

/// A process that unshares a user namespace may not have threads, which the usual test harness has.
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, word, name, folder] = arguments.as_slice()
        && word == "--case"
    {
        cases::run(name, Path::new(folder));
        return ExitCode::SUCCESS;
    }
    let filter = arguments.get(1).filter(|word| !word.starts_with('-'));
    let mut failed = 0;
    for name in cases::names().filter(|name| filter.is_none_or(|filter| name.contains(filter))) {
        for user in users() {
            let said = try_case(name, user);
            println!(
                "test {name} as {user} ... {}",
                if said.is_ok() { "ok" } else { "FAILED" }
            );
            if let Err(text) = said {
                failed += 1;
                println!("{text}");
            }
        }
    }
    println!("\ntest result: {failed} failed");
    ExitCode::from(u8::from(failed > 0))
}

/// As whom the cases run: root also as an ordinary user.
fn users() -> Vec<u32> {
    let own = nix::unistd::geteuid().as_raw();
    if own == 0 { vec![0, ORDINARY] } else { vec![own] }
}

fn try_case(name: &str, user: u32) -> Result<(), String> {
    let folder = std::env::temp_dir().join(format!("chroot-roots-{}-{user}-{name}", std::process::id()));
    std::fs::create_dir(&folder).unwrap();
    // Where the sources lie is not open to everybody; a copy of this program is.
    let program: PathBuf = folder.join("case");
    std::fs::copy("/proc/self/exe", &program).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let work = folder.join("work");
    std::fs::create_dir(&work).unwrap();
    chown(&work, Some(user), Some(user)).unwrap();
    let mut command = Command::new(&program);
    command.args(["--case", name]).arg(&work);
    if user != nix::unistd::geteuid().as_raw() {
        command.uid(user).gid(user);
    }
    let before = std::fs::read_to_string("/proc/self/mounts").unwrap();
    let output = command.output().unwrap();
    assert_eq!(
        before,
        std::fs::read_to_string("/proc/self/mounts").unwrap(),
        "{name} left a mount"
    );
    std::fs::remove_dir_all(&folder).unwrap();
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned())
}
