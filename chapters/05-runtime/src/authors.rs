//! Long tail: whose crate this is, for `hello`.

/// Who wrote this crate, as its manifest says: nobody by name for the book's own, its reader for one that stands in its place.
pub const AUTHORS: &str = env!("CARGO_PKG_AUTHORS");
