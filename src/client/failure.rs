//! How a command ends that does not end well: a message for standard error, and an exit code.

use std::fmt;

/// Why a command failed.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
}

/// What decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The daemon answered with this HTTP status.
    Daemon(u16),
    /// No daemon could be reached.
    Connection,
    /// A flag or an argument is wrong, or not supported yet.
    Usage,
    /// A local file, pipe or terminal failed.
    Local,
    /// Nobody reads our standard output any more.
    BrokenPipe,
    /// A signal told us to stop.
    Interrupted(i32),
    /// Everything was said already, or a container's own code is passed on.
    Exit(u8),
}

/// The client's results.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error that prints `message`, without a prefix.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        Error { kind, message: message.into() }
    }

    /// A wrong flag or argument.
    pub fn usage(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Usage, message)
    }

    /// A flag that the parser knows and nobody honours yet: it is refused, never ignored.
    pub fn not_supported(what: impl fmt::Display) -> Error {
        Error::usage(format!("coracle: {what} is not supported yet"))
    }

    /// Ends with `code` and prints nothing more.
    pub fn exit(code: u8) -> Error {
        Error::new(ErrorKind::Exit(code), "")
    }

    /// A file could not be used, in the words of Docker's client: `open x: no such file or directory`.
    pub fn file(call: &str, path: &str, error: &std::io::Error) -> Error {
        Error::new(ErrorKind::Local, format!("{call} {path}: {}", errno_text(error)))
    }

    /// What decides the exit code.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The exit code of a command that has no rule of its own.
    pub fn exit_code(&self) -> u8 {
        match self.kind {
            ErrorKind::Exit(code) => code,
            ErrorKind::Interrupted(signal) => 128 + signal as u8,
            ErrorKind::BrokenPipe => 128 + nix::libc::SIGPIPE as u8,
            _ => 1,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Error {
        match error.downcast::<Error>() {
            Ok(ours) => ours,
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => {
                Error::new(ErrorKind::BrokenPipe, "")
            }
            Err(error) => Error::new(ErrorKind::Local, errno_text(&error)),
        }
    }
}

impl From<Error> for std::io::Error {
    fn from(error: Error) -> std::io::Error {
        std::io::Error::other(error)
    }
}

/// The kernel's words for an error as C and Go print them, without Rust's `(os error 2)`.
pub fn errno_text(error: &std::io::Error) -> String {
    match error.raw_os_error() {
        Some(code) => nix::errno::Errno::from_raw(code).desc().to_lowercase(),
        None => error.to_string(),
    }
}
