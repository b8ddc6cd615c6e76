//! What the engine does with containers: one file per verb.

pub mod attach;
pub mod logs;
pub mod wait;

/// What a verb that may find its work done already did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It was done now: 204.
    Done,
    /// It had been done before: 304.
    NotModified,
}
