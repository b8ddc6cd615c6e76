//! What can go wrong with a network, by kind.

use std::fmt;

/// What kind of failure an [`Error`] is, for those who must tell them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// An address or a subnet that does not read as one, or does not belong where it is wanted.
    InvalidAddress,
    /// Every address of the subnet is leased.
    Exhausted,
    /// Every pool that Docker knows overlaps with a route of this host.
    NoFreeSubnet,
    /// The address asked for is leased to another.
    AddressInUse,
    /// A link of this name exists, and it is not a bridge.
    NameTaken,
    /// The caller lacks `CAP_NET_ADMIN` over this network namespace.
    PermissionDenied,
    /// A system call failed; the message says which, as strace would.
    System,
}

/// A failure of this crate: a kind and a sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Error {
    kind: ErrorKind,
    message: String,
}

impl Error {
    /// What kind of failure this is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        Error { kind, message: message.into() }
    }
}

/// The refusal that has a remedy is told apart.
#[cfg(target_os = "linux")]
impl From<kernel::SysError> for Error {
    fn from(error: kernel::SysError) -> Error {
        match error.errno() {
            nix::errno::Errno::EPERM => {
                Error::new(ErrorKind::PermissionDenied, format!("{error}: this needs CAP_NET_ADMIN"))
            }
            _ => Error::new(ErrorKind::System, error.to_string()),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str(&self.message)
    }
}
