//! Which face this process shows: client, daemon, supervisor, or OCI runtime.
#![forbid(unsafe_code)]
fn main() {}
