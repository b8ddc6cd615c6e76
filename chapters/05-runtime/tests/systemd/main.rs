//! `coracle-oci --systemd-cgroup`, where systemd is process 1: `cargo xtask vm test` runs this in a machine of its own.
#![forbid(unsafe_code)]

mod machine;
mod ordinary;
mod refusals;
mod scopes;
#[expect(dead_code, reason = "the tests of the other verbs need more of it")]
#[path = "../oci/site.rs"]
mod site;
