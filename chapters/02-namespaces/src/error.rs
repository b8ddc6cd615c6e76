//! The chapter's one error, and what to do when the kernel forbids user namespaces.

use crate::knobs::forbidding_knob;
use crate::{Failure, FailureKind};
use kernel::SysError;
use nix::errno::Errno;

/// What this chapter returns.
pub type Result<T> = std::result::Result<T, Error>;

/// A process that could not be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    message: String,
}

/// What sort of failure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// This kernel, as it is set up, gives user namespaces only to root; the message says which knob to turn.
    UserNamespacesForbidden,
    /// The kernel does not allow something to this user.
    PermissionDenied,
    /// A namespace to join is not there.
    NotFound,
    /// Anything else.
    System,
}

impl Error {
    /// A failed call, and what it was for.
    pub fn call(purpose: impl std::fmt::Display, error: SysError) -> Error {
        let kind = match error.errno() {
            Errno::EPERM | Errno::EACCES => ErrorKind::PermissionDenied,
            Errno::ENOENT => ErrorKind::NotFound,
            _ => ErrorKind::System,
        };
        Error { kind, message: format!("{purpose}: {error}") }
    }

    /// What the caller's own step between clone and release said.
    pub fn other(message: impl std::fmt::Display) -> Error {
        Error { kind: ErrorKind::System, message: message.to_string() }
    }

    /// clone3 failed: where the reason is known, it is said what to do.
    pub(crate) fn clone(error: SysError, wants_user_namespace: bool) -> Error {
        let knob = forbidding_knob().filter(|_| wants_user_namespace);
        match (error.errno(), knob) {
            (Errno::EPERM | Errno::ENOSPC | Errno::EACCES, Some(knob)) => Error {
                kind: ErrorKind::UserNamespacesForbidden,
                message: format!("{} ({error})", knob.advice()),
            },
            (Errno::ENOSPC, None) => {
                Error::call("the limit on namespaces is reached (sysctl user.max_*_namespaces)", error)
            }
            (Errno::ENOSYS, _) => {
                Error::call("the seccomp filter of a container around us may refuse this call", error)
            }
            _ => Error::call("new namespaces", error),
        }
    }

    /// What sort of failure it is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        let kind = match error.kind {
            ErrorKind::PermissionDenied | ErrorKind::UserNamespacesForbidden => FailureKind::PermissionDenied,
            ErrorKind::NotFound | ErrorKind::System => FailureKind::System,
        };
        Failure::new(kind, error)
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
