//! What can go wrong with a layer.

use std::fmt;
use std::io;

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
    /// An entry that would land outside of the root, or a tar that is none.
    InvalidLayer,
    /// The stream ended early, or its content is not what was promised.
    DigestMismatch,
    /// An archive, an instruction or a name that means nothing.
    InvalidParameter,
    /// No such image or layer.
    NotFound,
    /// A format that this engine does not read.
    NotSupported,
    /// Whoever asked has gone.
    Cancelled,
    /// The system refused.
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

    /// What was asked for is given up.
    pub fn cancelled() -> Error {
        Error::new(ErrorKind::Cancelled, "context canceled")
    }

    /// The frame that dockerd puts around what is wrong with a tar (it reads them in a process of its own).
    #[cfg(target_os = "linux")]
    pub(crate) fn processing(self) -> Error {
        match self.kind {
            ErrorKind::InvalidLayer | ErrorKind::DigestMismatch => {
                Error::new(self.kind, format!("Error processing tar file(exit status 1): {self}"))
            }
            _ => self,
        }
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

impl From<images::Error> for Error {
    fn from(error: images::Error) -> Error {
        let kind = match error.kind() {
            images::ErrorKind::NotFound => ErrorKind::NotFound,
            images::ErrorKind::DigestMismatch => ErrorKind::DigestMismatch,
            images::ErrorKind::NotSupported => ErrorKind::NotSupported,
            images::ErrorKind::System => ErrorKind::System,
            _ => ErrorKind::InvalidParameter,
        };
        Error::new(kind, error.to_string())
    }
}

/// Our errors travel through `Read` and `Write` inside of an `io::Error`, and come out again as what they were.
impl From<Error> for io::Error {
    fn from(error: Error) -> io::Error {
        io::Error::other(error)
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Error {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
            Some(ours) => ours.clone(),
            // Docker's words for a stream that ends early.
            None if error.kind() == io::ErrorKind::UnexpectedEof => {
                Error::new(ErrorKind::DigestMismatch, "unexpected EOF")
            }
            None => Error::new(ErrorKind::System, error.to_string()),
        }
    }
}
