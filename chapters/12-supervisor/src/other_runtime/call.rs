//! Long tail: one verb of another runtime: called, waited for, and what it says if it fails.

use crate::{Failure, FailureKind, OtherRuntime};
use kernel::Strace;
use std::ffi::OsStr;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A command line that is not complete yet.
pub struct Call {
    verb: &'static str,
    /// Where the runtime writes what it has to say: its standard streams may be the container's.
    log: PathBuf,
    command: Command,
}

impl Call {
    /// `RUNTIME --root … VERB`; its log is made in the folder.
    pub fn new(runtime: &OtherRuntime, folder: &Path, verb: &'static str) -> Call {
        let log = folder.join(format!("{verb}.log"));
        let mut command = Command::new(&runtime.path);
        command.args(&runtime.arguments).arg("--root").arg(&runtime.root);
        command.arg("--log").arg(&log).args(["--log-format", "json", verb]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Call { verb, log, command }
    }

    pub fn words<T: AsRef<OsStr>>(mut self, words: impl IntoIterator<Item = T>) -> Call {
        self.command.args(words);
        self
    }

    /// Its standard streams become those of the process that it makes.
    pub fn with_files(mut self, [stdin, stdout, stderr]: [OwnedFd; 3]) -> Call {
        self.command.stdin(stdin).stdout(stdout).stderr(stderr);
        self
    }

    /// What it executes is to have no signals blocked or ignored; and it does not go on if we are killed. For a caller with one
    /// thread.
    pub fn afresh(mut self) -> Call {
        debug_assert_eq!(kernel::thread_count(), 1, "code of ours runs between fork and exec");
        kernel::begin_afresh(&mut self.command);
        self
    }

    /// A file that it has open until it is done, whatever becomes of us.
    pub fn holding(mut self, file: File) -> Call {
        self.command.stdin(file);
        self
    }

    /// Calls it, waits until it is done, and returns what it has printed, if that was not a container's.
    pub fn run(mut self) -> Result<Vec<u8>, Failure> {
        let (path, verb) = (Path::new(self.command.get_program()).display().to_string(), self.verb);
        let child = self.command.spawn().strace(|| format!("execve({path:?})"));
        let output = child.and_then(|child| {
            child.wait_with_output().strace(|| format!("waitid({verb} of the runtime {path})"))
        });
        let output = output.map_err(|error| Failure::system(&error))?;
        let said = last_error(&self.log);
        let _ = std::fs::remove_file(&self.log);
        if output.status.success() {
            return Ok(output.stdout);
        }
        let silent = || format!("{path} {verb}: {}, and no error in its log", output.status);
        Err(failure(said.unwrap_or_else(silent)))
    }

    /// As [`Call::run`], for a verb that prints its answer.
    pub fn answer(mut self) -> Result<Vec<u8>, Failure> {
        self.command.stdout(Stdio::piped());
        self.run()
    }
}

/// The last error in a log of lines of JSON.
fn last_error(log: &Path) -> Option<String> {
    let text = std::fs::read_to_string(log).ok()?;
    let records = text.lines().rev().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let mut errors = records.filter(|record| record["level"] == "error" || record["level"] == "fatal");
    Some(errors.next()?["msg"].as_str()?.trim().to_owned())
}

/// Which kind it is can only be told by its words. These are Docker's rules.
fn failure(message: String) -> Failure {
    let lower = message.to_lowercase();
    let kind = match () {
        () if lower.contains("executable file not found") => FailureKind::CommandNotFound,
        () if lower.contains("no such file or directory") => FailureKind::CommandNotFound,
        () if lower.contains("permission denied") => FailureKind::CommandNotExecutable,
        () => FailureKind::System,
    };
    Failure { kind, message, whole: true }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_is_told_by_the_words() {
        let kinds = [
            (
                "executable file `x` not found in $PATH: No such file or directory",
                FailureKind::CommandNotFound,
            ),
            (
                "runc create failed: exec: \"x\": executable file not found in $PATH",
                FailureKind::CommandNotFound,
            ),
            ("exec: \"/etc/passwd\": permission denied", FailureKind::CommandNotExecutable),
            ("writing file `memory.max`: Invalid argument", FailureKind::System),
        ];
        for (message, kind) in kinds {
            assert_eq!(failure(message.into()).kind, kind, "{message}");
        }
    }

    #[test]
    fn the_last_error_of_the_log_is_what_is_said() {
        let log = std::env::temp_dir().join(format!("call-{}.log", std::process::id()));
        let lines = [
            r#"{"level":"error","msg":"first"}"#,
            r#"{"level":"error","msg":"last\n"}"#,
            r#"{"level":"warning","msg":"not this"}"#,
            "nor this",
        ];
        std::fs::write(&log, lines.join("\n")).unwrap();
        assert_eq!(last_error(&log).as_deref(), Some("last"));
        std::fs::remove_file(&log).unwrap();
        assert_eq!(last_error(&log), None);
    }
}
