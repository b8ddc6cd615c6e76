//! A harness whose cases run alone: each in a process of its own, as root and as an ordinary user. A process that makes
//! namespaces may not have threads, which the usual harness has.

use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// Whom nobody is on most systems.
const ORDINARY: u32 = 65534;

/// A case: it gets a folder of its own, and panics if it fails.
pub type Case = (&'static str, fn(&Path));

/// Runs all cases, or those whose name contains the first argument.
pub fn main(cases: &[Case]) -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, word, name, folder] = arguments.as_slice()
        && word == "--case"
    {
        let (_, case) = cases.iter().find(|(other, _)| other == name).unwrap();
        case(Path::new(folder));
        return ExitCode::SUCCESS;
    }
    let filter = arguments.get(1).filter(|word| !word.starts_with('-'));
    let mut failed = 0;
    for (name, _) in cases.iter().filter(|(name, _)| filter.is_none_or(|filter| name.contains(filter))) {
        for user in users() {
            let said = try_case(name, user);
            println!("test {name} as {user} ... {}", if said.is_ok() { "ok" } else { "FAILED" });
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
    let folder = std::env::temp_dir().join(format!("alone-{}-{user}-{name}", std::process::id()));
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
    assert_eq!(before, std::fs::read_to_string("/proc/self/mounts").unwrap(), "{name} left a mount");
    open_folders(&folder);
    std::fs::remove_dir_all(&folder).unwrap();
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned())
}

/// overlayfs makes its work folder with mode 0, which keeps an ordinary user, even its owner, from removing it.
fn open_folders(folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            std::fs::set_permissions(entry.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
            open_folders(&entry.path());
        }
    }
}
