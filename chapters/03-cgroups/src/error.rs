//! The chapter's one error.

use kernel::SysError;
use nix::errno::Errno;

/// What this chapter returns.
pub type Result<T> = std::result::Result<T, Error>;

/// A group that could not be made, limited or taken away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    message: String,
}

/// What sort of failure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// This machine, or this user, cannot set a limit; the message names it.
    NotSupported,
    /// The hierarchy cannot be written.
    PermissionDenied,
    /// A value that the kernel refuses.
    Invalid,
    /// Anything else.
    System,
}

impl Error {
    pub(crate) fn call(purpose: impl std::fmt::Display, error: SysError) -> Error {
        let (kind, remedy) = match error.errno() {
            Errno::EROFS => (
                ErrorKind::PermissionDenied,
                "; the hierarchy is mounted read-only: as root, mount -o remount,rw it",
            ),
            Errno::EACCES | Errno::EPERM => (
                ErrorKind::PermissionDenied,
                "; run as root, or in a cgroup that is delegated to this user (Delegate=yes of systemd.resource-control(5))",
            ),
            Errno::EINVAL | Errno::ERANGE => (ErrorKind::Invalid, ""),
            _ => (ErrorKind::System, ""),
        };
        Error { kind, message: format!("{purpose}: {error}{remedy}") }
    }

    pub(crate) fn not_supported(message: impl std::fmt::Display) -> Error {
        Error { kind: ErrorKind::NotSupported, message: message.to_string() }
    }

    pub(crate) fn system(message: impl std::fmt::Display) -> Error {
        Error { kind: ErrorKind::System, message: message.to_string() }
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
