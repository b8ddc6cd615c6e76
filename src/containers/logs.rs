//! Logs: the json-file read back, followed, cut by time and number of lines.

use crate::engine::Engine;
use crate::error::Result;

/// What of the log is wanted. Times are nanoseconds since 1970.
#[derive(Clone, Debug, Default)]
pub struct LogsOptions {
    /// Wait for more until the container ends.
    pub follow: bool,
    /// Send standard output.
    pub stdout: bool,
    /// Send standard error.
    pub stderr: bool,
    /// Nothing older.
    pub since: Option<i64>,
    /// Nothing newer.
    pub until: Option<i64>,
    /// Put the time before each line.
    pub timestamps: bool,
    /// Only so many last lines.
    pub tail: Option<usize>,
    /// Put the log driver's extra attributes before each line.
    pub details: bool,
}

/// The chosen lines, one frame (8-byte header and line; raw for a terminal) at a time. `next` blocks when following;
/// dropping it ends the wait.
pub struct Logs {
    /// The container has a terminal: lines are not framed.
    pub raw: bool,
}

impl Iterator for Logs {
    type Item = Result<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        todo!()
    }
}

impl Engine {
    /// Reads a container's log.
    pub fn logs(&self, _reference: &str, _options: &LogsOptions) -> Result<Logs> {
        todo!()
    }
}
