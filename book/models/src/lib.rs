//! What the kernel does, as pure functions: models for the book's diagrams, each held equal to the kernel by a test.
#![forbid(unsafe_code)]

mod propagation;

pub use propagation::{Kind, MountId, Namespace, NotAMount, Row, Tree, World};
