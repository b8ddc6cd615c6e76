//! Finds the command inside the container and becomes it: the last steps of the child.
//!
//! The texts are runc's, which Docker's clients see: `exec: "nosuch": executable file not found in $PATH`.

use crate::{Error, ErrorKind, Result};
use nix::errno::Errno;
use nix::sys::stat::{Mode, SFlag, stat};
use std::ffi::CString;
use std::path::Path;

/// What execve(2) takes.
#[derive(Debug, Clone, PartialEq)]
pub struct Command {
    /// The file.
    pub path: CString,
    /// Its arguments, the name it was called by first.
    pub arguments: Vec<CString>,
    /// `NAME=value`
    pub environment: Vec<CString>,
}

/// Finds `arguments[0]` as a shell does, in the directories of the environment's own PATH. Runs after chroot, chdir and
/// setuid, so that what it sees is what the container's user sees.
pub fn find(arguments: &[String], environment: &[String]) -> Result<Command> {
    let name = arguments.first().ok_or_else(|| Error::invalid("args must not be empty"))?;
    let path = environment.iter().rev().find_map(|entry| entry.strip_prefix("PATH=")).unwrap_or_default();
    Ok(Command {
        path: text(&locate(name, path)?)?,
        arguments: arguments.iter().map(|argument| text(argument)).collect::<Result<_>>()?,
        environment: environment.iter().map(|entry| text(entry)).collect::<Result<_>>()?,
    })
}

fn locate(name: &str, path: &str) -> Result<String> {
    if name.contains('/') {
        return match executable(name) {
            Ok(()) => Ok(name.to_string()),
            Err(Errno::EACCES) => Err(not_executable(name)),
            Err(errno) => Err(not_found(name, &format!("stat {name}: {}", in_go(errno)))),
        };
    }
    let folders = path.split(':').filter(|_| !name.is_empty() && !path.is_empty());
    folders
        .map(|folder| {
            Path::new(if folder.is_empty() { "." } else { folder }).join(name).display().to_string()
        })
        .find(|candidate| executable(candidate).is_ok())
        .ok_or_else(|| not_found(name, "executable file not found in $PATH"))
}

/// A file, and anybody's execute bit: whether it is *this* user's is for execve to say, as in Go's LookPath.
fn executable(path: &str) -> Result<(), Errno> {
    let status = stat(path)?;
    let any = Mode::S_IXUSR | Mode::S_IXGRP | Mode::S_IXOTH;
    let is_file = SFlag::from_bits_truncate(status.st_mode) & SFlag::S_IFMT != SFlag::S_IFDIR;
    if is_file && Mode::from_bits_truncate(status.st_mode).intersects(any) {
        Ok(())
    } else {
        Err(Errno::EACCES)
    }
}

fn not_found(name: &str, why: &str) -> Error {
    Error::new(ErrorKind::CommandNotFound, format!("exec: \"{name}\": {why}"))
}

fn not_executable(name: &str) -> Error {
    Error::new(ErrorKind::CommandNotExecutable, format!("exec: \"{name}\": permission denied"))
}

fn text(string: &str) -> Result<CString> {
    CString::new(string).map_err(|_| Error::invalid(format!("{string:?} has a NUL byte")))
}

/// An errno in Go's words, which are the C library's with a small first letter.
pub fn in_go(errno: Errno) -> String {
    let text = errno.desc();
    text[..1].to_lowercase() + &text[1..]
}

impl Command {
    /// execve(2). Returns only when the kernel refuses: `exec /bin/arm: exec format error`.
    pub fn execute(&self) -> Error {
        let Err(errno) = nix::unistd::execve(&self.path, &self.arguments, &self.environment);
        Error::system(format!("exec {}: {}", self.path.to_string_lossy(), in_go(errno)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn located(name: &str) -> std::result::Result<String, (ErrorKind, String)> {
        locate(name, "/nosuch:/bin:/etc").map_err(|error| (error.kind(), error.to_string()))
    }

    #[test]
    fn a_command_is_searched_in_the_path() {
        assert_eq!(located("sh").unwrap(), "/bin/sh");
        assert_eq!(located("/bin/sh").unwrap(), "/bin/sh");
    }

    /// What runc 1.1.5 says.
    #[test]
    fn errors_are_those_of_runc() {
        use ErrorKind::{CommandNotExecutable, CommandNotFound};
        let refused = |name| located(name).unwrap_err();
        let absent =
            |name: &str| (CommandNotFound, format!("exec: \"{name}\": executable file not found in $PATH"));
        assert_eq!(refused("nosuch"), absent("nosuch"));
        assert_eq!(refused(""), absent(""));
        assert_eq!(refused("group"), absent("group"));
        let stat = r#"exec: "/nosuch": stat /nosuch: no such file or directory"#;
        assert_eq!(refused("/nosuch"), (CommandNotFound, stat.into()));
        for name in ["/etc/passwd", "/bin"] {
            assert_eq!(refused(name), (CommandNotExecutable, format!("exec: \"{name}\": permission denied")));
        }
        assert_eq!(in_go(Errno::ENOEXEC), "exec format error");
    }

    #[test]
    fn without_a_path_nothing_is_found() {
        assert!(locate("sh", "").is_err());
        let command = find(&["sh".into(), "-c".into()], &["PATH=/x".into(), "PATH=/bin".into()]).unwrap();
        assert_eq!(command.path.to_str(), Ok("/bin/sh"));
    }
}
