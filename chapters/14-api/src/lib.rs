//! The Docker Engine API on the wire: types without behaviour.
#![forbid(unsafe_code)]
