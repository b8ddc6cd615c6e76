//! The chapter's one error, and what to do when the kernel forbids user namespaces.

use crate::Failure;
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
        Error {
            kind,
            message: format!("{purpose}: {error}"),
        }
    }

    /// What the caller's own step between clone and release said.
    pub fn other(message: impl std::fmt::Display) -> Error {
        Error {
            kind: ErrorKind::System,
            message: message.to_string(),
        }
    }

    /// clone3 failed: where a knob of the kernel is the reason, name it and the command that turns it.
    pub(crate) fn clone(error: SysError, wants_user_namespace: bool) -> Error {
        let refused = matches!(error.errno(), Errno::EPERM | Errno::ENOSPC | Errno::EACCES);
        match closed_knob().filter(|_| wants_user_namespace && refused) {
            Some((knob, value)) => Error {
                kind: ErrorKind::UserNamespacesForbidden,
                message: format!(
                    "this kernel forbids user namespaces to ordinary users ({knob}); as root: sysctl -w {knob}={value} ({error})"
                ),
            },
            None => Error::call("new namespaces", error),
        }
    }

    /// What sort of failure it is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

/// The first knob that forbids user namespaces, and the value that allows them.
pub(crate) fn closed_knob() -> Option<(&'static str, &'static str)> {
    let knobs = [
        ("user.max_user_namespaces", "0", "15000"),
        ("kernel.unprivileged_userns_clone", "0", "1"),
        ("kernel.apparmor_restrict_unprivileged_userns", "1", "0"),
    ];
    let is = |knob: &str, value: &str| {
        let text = std::fs::read_to_string(format!("/proc/sys/{}", knob.replace('.', "/")));
        text.is_ok_and(|text| text.trim() == value)
    };
    knobs
        .into_iter()
        .find(|(knob, closed, _)| is(knob, closed))
        .map(|(knob, _, open)| (knob, open))
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        let denied = matches!(
            error.kind,
            ErrorKind::PermissionDenied | ErrorKind::UserNamespacesForbidden
        );
        Failure::new(
            if denied {
                crate::FailureKind::PermissionDenied
            } else {
                crate::FailureKind::System
            },
            error,
        )
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
