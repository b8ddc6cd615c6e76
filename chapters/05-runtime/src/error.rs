//! What goes wrong in this crate.

use std::fmt;

/// An error with a kind; its text is what runc says after "unable to start container process: ", where runc has such a text.
#[derive(Debug, Clone)]
pub struct Error {
    kind: ErrorKind,
    message: String,
}

/// What a caller may want to tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum ErrorKind {
    /// There is no such command (exit code 127).
    CommandNotFound,
    /// The command may not be executed (exit code 126).
    CommandNotExecutable,
    /// There is no such container.
    NoSuchContainer,
    /// The container is not in a state that allows it, or exists already.
    Conflict,
    /// The spec asks for something that is not supported; the text names its JSON path.
    NotSupported,
    /// The spec contradicts itself or the specification.
    Invalid,
    /// The kernel refused.
    System,
}

/// This crate's results.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of this kind.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        Error { kind, message: message.into() }
    }

    /// The kernel refused: the text is the failed call, or ends with it.
    pub fn system(message: impl fmt::Display) -> Error {
        Error::new(ErrorKind::System, message.to_string())
    }

    /// A spec that makes no sense.
    pub fn invalid(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Invalid, message)
    }

    /// A spec that asks for more than this runtime does.
    pub fn not_supported(path: &str) -> Error {
        Error::new(ErrorKind::NotSupported, format!("{path} is not supported"))
    }

    /// Which kind.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

#[cfg(target_os = "linux")]
impl From<kernel::SysError> for Error {
    fn from(error: kernel::SysError) -> Error {
        Error::system(error)
    }
}

#[cfg(target_os = "linux")]
impl From<privileges::Error> for Error {
    fn from(error: privileges::Error) -> Error {
        Error::system(error)
    }
}

#[cfg(target_os = "linux")]
impl From<cgroups::Error> for Error {
    fn from(error: cgroups::Error) -> Error {
        let kind = match error.kind() {
            cgroups::ErrorKind::NotSupported => ErrorKind::NotSupported,
            _ => ErrorKind::System,
        };
        Error::new(kind, error.to_string())
    }
}

#[cfg(target_os = "linux")]
impl From<chroot::Error> for Error {
    fn from(error: chroot::Error) -> Error {
        Error::system(error)
    }
}
