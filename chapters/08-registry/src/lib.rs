//! Pull from a registry: the OCI distribution protocol as a state machine.
#![forbid(unsafe_code)]
