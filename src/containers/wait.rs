//! Wait: told once when a container has ended, or is gone.

use tokio::sync::oneshot;

use crate::engine::Engine;
use crate::error::Result;

/// What to wait for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WaitCondition {
    /// Does not run now, or when it next ends.
    #[default]
    NotRunning,
    /// The next end, even when it does not run now.
    NextExit,
    /// It has been removed.
    Removed,
}

/// How a wait ended.
#[derive(Clone, Debug, Default)]
pub struct WaitResult {
    /// The exit status that a shell would see.
    pub status_code: i64,
    /// What went wrong while waiting, or at the start.
    pub error: Option<String>,
}

impl Engine {
    /// A promise of the result; `serve` sends the response's headers before it is kept.
    pub fn wait(&self, _reference: &str, _condition: WaitCondition) -> Result<oneshot::Receiver<WaitResult>> {
        todo!()
    }
}
