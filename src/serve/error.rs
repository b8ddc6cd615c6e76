//! From an error to an HTTP status: [`status`] is the only place where one becomes the other.

use std::io;

use hyper::StatusCode;

use super::request::{Response, json};
use crate::error::{Error, ErrorKind};

/// What handlers return.
pub type Answered<T> = Result<T, Failure>;

/// Which status tells which kind of error.
pub fn status(kind: ErrorKind) -> StatusCode {
    match kind {
        ErrorKind::InvalidParameter => StatusCode::BAD_REQUEST,
        ErrorKind::Forbidden => StatusCode::FORBIDDEN,
        ErrorKind::NotFound => StatusCode::NOT_FOUND,
        ErrorKind::Conflict => StatusCode::CONFLICT,
        ErrorKind::System => StatusCode::INTERNAL_SERVER_ERROR,
        ErrorKind::NotSupported => StatusCode::NOT_IMPLEMENTED,
        ErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// An answer that says what went wrong.
#[derive(Debug)]
pub struct Failure {
    pub status: StatusCode,
    pub message: String,
}

impl Failure {
    pub fn new(status: StatusCode, message: impl Into<String>) -> Failure {
        Failure { status, message: message.into() }
    }

    /// The request is wrong.
    pub fn invalid(message: impl Into<String>) -> Failure {
        Failure::new(StatusCode::BAD_REQUEST, message)
    }

    /// A handler panicked; what it panicked about is on standard error.
    pub fn bug() -> Failure {
        Failure::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "coracle has made a mistake of its own; its log says which",
        )
    }

    /// The same as a response: `{"message": …}`.
    pub fn response(&self) -> Response {
        let message = self.message.clone();
        json(self.status, &api::ErrorResponse { message })
    }
}

impl From<Error> for Failure {
    /// The message goes to the client; what caused it only to the log.
    fn from(error: Error) -> Failure {
        if let Some(source) = std::error::Error::source(&error) {
            tracing::debug!(%error, %source, "a call failed");
        }
        Failure::new(status(error.kind()), error.to_string())
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure::from(Error::system(error))
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_a_status_and_a_message() {
        let failure = Failure::from(Error::not_supported("--link"));
        assert_eq!(failure.status, 501);
        assert_eq!(failure.message, "--link is not supported by coracle yet");
        let failure = Failure::from(io::Error::from_raw_os_error(28));
        assert_eq!(failure.status, 500);
    }
}
