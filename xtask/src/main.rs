//! What a contributor runs: setup, test, long, bench, tidy, rootfs.
#![forbid(unsafe_code)]
fn main() {}
