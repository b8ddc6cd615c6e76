//! A failed system call: it prints as strace would print it.

use nix::errno::Errno;

/// What a wrapper returns.
pub type Result<T> = std::result::Result<T, SysError>;

/// A system call that failed: `mount("proc", "/proc", "proc", 0, NULL) = -1 EPERM (Operation not permitted)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SysError {
    call: String,
    errno: Errno,
}

impl SysError {
    /// The call with its arguments, and the errno that it returned.
    pub fn new(call: impl Into<String>, errno: Errno) -> SysError {
        SysError { call: call.into(), errno }
    }

    /// The errno, for those who act on it.
    pub fn errno(&self) -> Errno {
        self.errno
    }

    /// The call with its arguments, as strace prints it.
    pub fn call(&self) -> &str {
        &self.call
    }
}

impl std::fmt::Display for SysError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} = -1 {:?} ({})", self.call, self.errno, self.errno.desc())
    }
}

impl std::error::Error for SysError {}

/// Turns a failed call of nix, rustix or std into a [`SysError`].
pub trait Strace<T> {
    /// Says which call failed; the closure runs only on failure, so that the hot path formats nothing.
    fn strace(self, call: impl FnOnce() -> String) -> Result<T>;
}

impl<T, E: AsErrno> Strace<T> for std::result::Result<T, E> {
    fn strace(self, call: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|error| SysError::new(call(), error.as_errno()))
    }
}

/// An error that is an errno, or has one.
pub trait AsErrno {
    /// The errno; EIO where the error came from elsewhere.
    fn as_errno(&self) -> Errno;
}

impl AsErrno for Errno {
    fn as_errno(&self) -> Errno {
        *self
    }
}

impl AsErrno for rustix::io::Errno {
    fn as_errno(&self) -> Errno {
        Errno::from_raw(self.raw_os_error())
    }
}

impl AsErrno for std::io::Error {
    fn as_errno(&self) -> Errno {
        self.raw_os_error().map_or(Errno::EIO, Errno::from_raw)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_like_strace() {
        let error = Err::<(), _>(Errno::EPERM).strace(|| "sethostname(\"box\", 3)".into()).unwrap_err();
        assert_eq!(error.to_string(), "sethostname(\"box\", 3) = -1 EPERM (Operation not permitted)");
    }
}
