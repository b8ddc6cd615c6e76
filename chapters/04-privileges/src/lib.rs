//! What a process may do: capabilities, seccomp, no_new_privs, rlimits.
#![forbid(unsafe_code)]
