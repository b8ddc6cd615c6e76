//! The OCI runtime: create, start, state, exec, kill, delete.
#![forbid(unsafe_code)]
