//! What can go wrong with a name, a document or the store.

use std::fmt;

/// The result of everything here.
pub type Result<T> = std::result::Result<T, Error>;

/// An error whose text is ready for a user, in Docker's words where Docker has some.
#[derive(Debug, Clone)]
pub struct Error {
    kind: ErrorKind,
    message: String,
}

/// What an [`Error`] means to the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// A name that cannot be a reference, a digest that is none.
    InvalidReference,
    /// No image, blob or platform of that name.
    NotFound,
    /// A document that is not what it claims to be.
    InvalidDocument,
    /// Content that does not have the digest or the size that was promised.
    DigestMismatch,
    /// A format that this engine does not read.
    NotSupported,
    /// More than one name or container still needs it.
    Conflict,
    /// The system refused: a file, a lock, the disk.
    System,
}

impl Error {
    /// An error of `kind` that prints as `message`.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        Error { kind, message: message.into() }
    }

    /// A failed system call, in the manner of strace: the call, and what it returned.
    #[cfg(target_os = "linux")]
    pub(crate) fn system(call: impl Into<String>, error: impl kernel::AsErrno) -> Error {
        Error::new(ErrorKind::System, kernel::SysError::new(call, error.as_errno()).to_string())
    }

    /// What it means.
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
