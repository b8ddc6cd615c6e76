//! A time namespace, and the offsets of its clocks (time_namespaces(7)).

use crate::{Error, Namespaces, Result, SpawnPlan};
use kernel::Strace;
use nix::sched::{CloneFlags, setns, unshare};
use std::fs::File;

const TIME: CloneFlags = CloneFlags::from_bits_retain(Namespaces::TIME.bits() as i32);

/// For the children that are made from here on. Once a process is in a time namespace its clocks cannot be set any more (EACCES):
/// unshare, write, and only then comes the process that is inside.
pub fn make_time_namespace(plan: &SpawnPlan) -> Result<()> {
    unshare(TIME)
        .strace(|| "unshare(CLONE_NEWTIME)".into())
        .map_err(|error| Error::call("a time namespace", error))?;
    for offset in &plan.time_offsets {
        let line = format!("{} {} {}\n", offset.clock, offset.seconds, offset.nanoseconds);
        let path = "/proc/self/timens_offsets";
        std::fs::write(path, &line)
            .strace(|| format!("write({path:?}, {line:?})"))
            .map_err(|error| Error::call("a clock's offset", error))?;
    }
    Ok(())
}

/// For this process itself, where the right to it comes with a new user namespace. Since Linux 6.2, execve(2) would enter it.
pub fn enter_time_namespace(plan: &SpawnPlan) -> Result<()> {
    make_time_namespace(plan)?;
    let path = "/proc/self/ns/time_for_children";
    let entered = File::open(path)
        .strace(|| format!("open({path:?})"))
        .and_then(|made| setns(made, TIME).strace(|| format!("setns({path:?}, CLONE_NEWTIME)")));
    entered.map_err(|error| Error::call("a time namespace", error))
}
