//! What can go wrong with a pull.

use std::fmt;

/// The result of everything here.
pub type Result<T> = std::result::Result<T, Error>;

/// An error whose text is ready for a user, in dockerd's words where it has some.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    message: String,
}

/// What an [`Error`] means to the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The registry has no such image.
    NotFound,
    /// The registry refuses these credentials, or wants some.
    Denied,
    /// The registry cannot be reached, or answers nonsense.
    Unavailable,
    /// What came is not what was promised: a digest, a size, a document of the wrong kind.
    Invalid,
    /// A format or a place that this engine does not pull from.
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
        Error::from(layers::Error::from(error))
    }
}

impl From<layers::Error> for Error {
    fn from(error: layers::Error) -> Error {
        let kind = match error.kind() {
            layers::ErrorKind::NotFound => ErrorKind::NotFound,
            layers::ErrorKind::NotSupported => ErrorKind::NotSupported,
            layers::ErrorKind::Cancelled => ErrorKind::Cancelled,
            layers::ErrorKind::System => ErrorKind::System,
            _ => ErrorKind::Invalid,
        };
        Error::new(kind, error.to_string())
    }
}
