//! The engine: one handle per chapter, and what the verbs share.

/// A complete engine over one data root and one exec root. Its methods block; `serve` calls them from its own threads.
pub struct Engine {}
