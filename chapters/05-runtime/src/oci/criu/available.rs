//! Long tail: whether there is a CRIU that can do its work here, asked before anything is made.

use crate::{Error, ErrorKind, Result};
use std::process::{Command, Output};

/// The first that takes a profile of another kind at a restore, and can lock a network by nf_tables.
const OLDEST: (u32, u32) = (3, 16);

/// Refuses a verb where CRIU cannot do it, with what is missing and what can be done.
pub fn check(verb: &str, program: &str) -> Result<()> {
    let refused = |why: String| Err(Error::new(ErrorKind::NotSupported, format!("{verb}: {why}")));
    if !nix::unistd::geteuid().is_root() {
        return refused("CRIU needs root, and this is an ordinary user".into());
    }
    let (major, minor) = OLDEST;
    let text = match Command::new(program).arg("--version").output() {
        Ok(output) => String::from_utf8_lossy(&output.stdout).into_owned(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return refused(format!(
                "{program} is not installed: install CRIU {major}.{minor} or newer, or name it by --criu"
            ));
        }
        Err(error) => return refused(format!("{program} cannot be executed: {error}")),
    };
    match version(&text) {
        Some((_, number)) if number >= OLDEST => {}
        Some((name, _)) => {
            return refused(format!(
                "{program} is version {name}: install {major}.{minor} or newer, or name it by --criu"
            ));
        }
        None => return refused(format!("{program} does not say its version: name CRIU by --criu")),
    }
    kernel_is_known(program, &text).or_else(refused)
}

/// The version of `Version: 3.17.1`, as it is and as numbers.
fn version(text: &str) -> Option<(&str, (u32, u32))> {
    let name = text.lines().find_map(|line| line.strip_prefix("Version: "))?.trim();
    let mut numbers = name.split(['.', '-']).map(|number| number.parse().ok());
    Some((name, (numbers.next()??, numbers.next().flatten().unwrap_or_default())))
}

/// CRIU knows kernels that are not much newer than itself: it looks at their memory, and refuses what it does not know.
fn kernel_is_known(program: &str, version: &str) -> Result<(), String> {
    let said = match Command::new(program).arg("check").output() {
        Ok(Output { status, .. }) if status.success() => return Ok(()),
        Ok(output) => errors(&String::from_utf8_lossy(&output.stderr)).join("; "),
        Err(error) => error.to_string(),
    };
    let uname = rustix::system::uname();
    let (kernel, version) = (uname.release().to_string_lossy(), version.lines().next().unwrap_or_default());
    let version = version.trim_start_matches("Version: ");
    Err(format!(
        "{program} {version} does not work with this kernel, Linux {kernel} (criu check: {said}): install a newer CRIU, or name it by --criu"
    ))
}

/// The errors in what CRIU has written, without the places in its sources.
pub fn errors(log: &str) -> Vec<&str> {
    let message = |line: &'_ str| -> Option<usize> {
        let begin = line.find("Error (")?;
        line[begin..].find("): ").map(|length| begin + length + 3)
    };
    let told = log.lines().filter_map(|line| message(line).map(|begin| line[begin..].trim()));
    // That a process of its own has ended; why, another line says.
    told.filter(|error| !error.starts_with("exited, status=")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert_eq!(version("Version: 3.17.1\nGitID: v3.17.1\n"), Some(("3.17.1", (3, 17))));
        assert_eq!(version("Version: 4.0-dev"), Some(("4.0-dev", (4, 0))));
        assert_eq!(version("something else"), None);
        assert!((3, 9) < OLDEST && OLDEST < (4, 0));
    }

    #[test]
    fn errors_are_told_without_their_places() {
        let log = "(00.1) Warn  (criu/kerndat.c:1): x\n(00.2) Error (criu/util.c:642): exited, status=1\n\
                   (00.3) Error (criu/net.c:3071): Locking network failed: no (such) thing\nError (a.c:1): b\n";
        assert_eq!(errors(log), ["Locking network failed: no (such) thing", "b"]);
    }
}
