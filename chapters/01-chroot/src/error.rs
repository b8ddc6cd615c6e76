//! The chapter's one error: what was to be made, and the system call that failed.

use kernel::SysError;
use nix::errno::Errno;
use std::path::Path;

/// What this chapter returns.
pub type Result<T> = std::result::Result<T, Error>;

/// A step that could not be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    errno: Option<Errno>,
}

/// What sort of failure it is, for those who act on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// A source of a mount, or the root itself, is not there.
    NotFound,
    /// The kernel does not allow it to this user.
    PermissionDenied,
    /// The image is made to lead a path astray, something is not what it must be, or the plan asks for what may not be done.
    Unsafe,
    /// Anything else.
    System,
}

impl Error {
    /// A failed call, and what it was for.
    pub fn call(purpose: impl std::fmt::Display, error: SysError) -> Error {
        let kind = match error.errno() {
            Errno::ENOENT | Errno::ENOTDIR => ErrorKind::NotFound,
            Errno::EPERM | Errno::EACCES => ErrorKind::PermissionDenied,
            Errno::ELOOP | Errno::EXDEV => ErrorKind::Unsafe,
            _ => ErrorKind::System,
        };
        Error { kind, message: format!("{purpose}: {error}"), errno: Some(error.errno()) }
    }

    /// Something that is not what it must be, or may not be done.
    pub fn not_safe(path: impl AsRef<Path>, why: impl std::fmt::Display) -> Error {
        Error { kind: ErrorKind::Unsafe, message: format!("{}: {why}", path.as_ref().display()), errno: None }
    }

    /// What sort of failure it is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The errno of the call that failed, if one did.
    pub fn errno(&self) -> Option<Errno> {
        self.errno
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
