//! The engine's one error: a kind, and a message in Docker's own words.

use std::error::Error as StdError;
use std::fmt;

/// What went wrong, for whoever asked. The message is what a Docker user knows; the source, when there is one, is
/// what the kernel or a chapter said, seen in the log and with `--debug`.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// Every way in which the engine refuses or fails; `serve` maps each to an HTTP status in one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// No such container, image, or exec session.
    NotFound,
    /// The request contradicts the state of its object: a name in use, a container that runs.
    Conflict,
    /// The request itself is wrong.
    InvalidParameter,
    /// The request asks for what this engine does not do yet; the message names the field.
    NotSupported,
    /// A peer (registry, supervisor) cannot be reached now.
    Unavailable,
    /// The caller may not do this.
    Forbidden,
    /// A system call or a chapter failed.
    System,
}

/// The engine's results.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error with a message in Docker's words.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        Error { kind, message: message.into(), source: None }
    }

    /// The same, keeping what caused it.
    pub fn because(
        kind: ErrorKind,
        message: impl Into<String>,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Error {
        Error { kind, message: message.into(), source: Some(source.into()) }
    }

    /// Something below failed in a way that Docker has no words for.
    pub fn system(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Error {
        let source = source.into();
        Error { kind: ErrorKind::System, message: source.to_string(), source: Some(source) }
    }

    /// A field or verb that is refused until it is written.
    pub fn not_supported(what: impl fmt::Display) -> Error {
        Error::new(ErrorKind::NotSupported, format!("{what} is not supported by coracle yet"))
    }

    /// Which kind of refusal this is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_ref().map(|source| &**source as &(dyn StdError + 'static))
    }
}
