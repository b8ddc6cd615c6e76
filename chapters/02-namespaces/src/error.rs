//! The chapter's one error, and what to do when the kernel forbids user namespaces.

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
    /// The plan asks for what cannot be, or is not done here.
    Invalid,
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

    /// A plan that cannot be carried out.
    pub(crate) fn invalid(message: impl std::fmt::Display) -> Error {
        Error { kind: ErrorKind::Invalid, message: message.to_string() }
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

/// A setting of the kernel that takes user namespaces from ordinary users.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Knob {
    name: &'static str,
    forbids: &'static str,
    allows: &'static str,
}

/// Linux's own, Debian's and Ubuntu's.
const KNOBS: [Knob; 3] = [
    knob("user.max_user_namespaces", "0", "15000"),
    knob("kernel.unprivileged_userns_clone", "0", "1"),
    knob("kernel.apparmor_restrict_unprivileged_userns", "1", "0"),
];

const fn knob(name: &'static str, forbids: &'static str, allows: &'static str) -> Knob {
    Knob { name, forbids, allows }
}

impl Knob {
    /// Which knob it is, and the command that turns it.
    pub(crate) fn advice(self) -> String {
        let Knob { name, forbids, allows } = self;
        format!(
            "this kernel keeps user namespaces from ordinary users ({name} is {forbids}); as root: sysctl -w {name}={allows}"
        )
    }
}

/// The first knob that forbids user namespaces.
pub(crate) fn forbidding_knob() -> Option<Knob> {
    let forbids = |knob: &Knob| {
        let text = std::fs::read_to_string(format!("/proc/sys/{}", knob.name.replace('.', "/")));
        text.is_ok_and(|text| text.trim() == knob.forbids)
    };
    KNOBS.into_iter().find(forbids)
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        let kind = match error.kind {
            ErrorKind::PermissionDenied | ErrorKind::UserNamespacesForbidden => FailureKind::PermissionDenied,
            ErrorKind::Invalid => FailureKind::Invalid,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_names_the_knob_and_the_command() {
        let advice: String = KNOBS.into_iter().map(|knob| knob.advice() + "\n").collect();
        insta::assert_snapshot!(advice);
    }
}
