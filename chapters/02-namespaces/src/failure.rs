//! Why a child did not come to its execve(2): small enough to travel through a pipe.

use serde::{Deserialize, Serialize};

/// A child's last words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// For those who choose an exit code.
    pub kind: FailureKind,
    /// For those who read.
    pub message: String,
}

/// What sort of failure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FailureKind {
    /// The command is not there: 127.
    NotFound,
    /// The command cannot be executed: 126.
    NotExecutable,
    /// The kernel does not allow something to this user.
    PermissionDenied,
    /// Something in the plan cannot be.
    Invalid,
    /// Anything else.
    System,
}

impl Failure {
    /// A failure with its words.
    pub fn new(kind: FailureKind, message: impl std::fmt::Display) -> Failure {
        Failure { kind, message: message.to_string() }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.message)
    }
}

#[cfg(target_os = "linux")]
impl From<chroot::Error> for Failure {
    fn from(error: chroot::Error) -> Failure {
        let kind = match error.kind() {
            chroot::ErrorKind::PermissionDenied => FailureKind::PermissionDenied,
            chroot::ErrorKind::Unsafe => FailureKind::Invalid,
            chroot::ErrorKind::NotFound | chroot::ErrorKind::System => FailureKind::System,
        };
        Failure::new(kind, error)
    }
}

#[cfg(target_os = "linux")]
impl From<kernel::SysError> for Failure {
    fn from(error: kernel::SysError) -> Failure {
        use nix::errno::Errno;
        let denied = matches!(error.errno(), Errno::EPERM | Errno::EACCES);
        Failure::new(if denied { FailureKind::PermissionDenied } else { FailureKind::System }, error)
    }
}
