//! The chapter's one error.

use kernel::SysError;
use nix::errno::Errno;

/// What this chapter returns.
pub type Result<T> = std::result::Result<T, Error>;

/// A privilege that could not be given or taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    message: String,
}

/// What sort of failure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The kernel does not allow it.
    PermissionDenied,
    /// Something in the plan cannot be.
    Invalid,
    /// Anything else.
    System,
}

impl Error {
    /// A failed call, and what it was for.
    pub fn call(purpose: impl std::fmt::Display, error: SysError) -> Error {
        let kind = match error.errno() {
            Errno::EPERM | Errno::EACCES => ErrorKind::PermissionDenied,
            Errno::EINVAL => ErrorKind::Invalid,
            _ => ErrorKind::System,
        };
        Error { kind, message: format!("{purpose}: {error}") }
    }

    /// What chapter 01 could not do.
    pub(crate) fn of_root(purpose: impl std::fmt::Display, error: chroot::Error) -> Error {
        let kind = match error.kind() {
            chroot::ErrorKind::PermissionDenied => ErrorKind::PermissionDenied,
            _ => ErrorKind::System,
        };
        Error { kind, message: format!("{purpose}: {error}") }
    }

    /// Something in the plan that cannot be.
    pub fn invalid(message: impl std::fmt::Display) -> Error {
        Error { kind: ErrorKind::Invalid, message: message.to_string() }
    }

    /// What sort of failure it is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
