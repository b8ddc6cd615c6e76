//! What the kernel does, as pure functions: models for the book's diagrams, each held equal to the kernel by a test.
#![forbid(unsafe_code)]

mod execve;
mod filter;
mod propagation;
mod shares;
mod user_namespaces;

pub use execve::{Executable, Executed, FileCapabilities, NotPermitted, Sets, Thread, execute};
pub use filter::{Call, Instruction, Machine, Step, answer, step};
pub use propagation::{Kind, MountId, Namespace, NotAMount, Row, Tree, World};
pub use shares::{Group, Memory, Shortage, shares, shortage};
pub use user_namespaces::{MapRefused, NOBODY, OwnerRefused, Range, View, may_make_namespaces, may_map};
