//! What the diagrams show, held equal to what the kernel does when the chapters carry out the same plans.
#![forbid(unsafe_code)]

#[path = "../../../../chapters/01-chroot/tests/alone/mod.rs"]
mod alone;
#[path = "../../../models/tests/kernel/mountinfo.rs"]
mod mountinfo;
mod mounts;
mod processes;
mod traces;

use std::process::ExitCode;

fn main() -> ExitCode {
    if let Some(link) = std::env::var_os(traces::SPAWNS) {
        return traces::spawn_one(&link.to_string_lossy());
    }
    alone::main(&[
        ("mounts_are_seen_as_drawn", mounts::mounts_are_seen_as_drawn),
        ("processes_are_made_as_drawn", processes::processes_are_made_as_drawn),
        ("calls_are_made_in_the_order_that_is_drawn", traces::calls_are_made_in_the_order_that_is_drawn),
    ])
}
