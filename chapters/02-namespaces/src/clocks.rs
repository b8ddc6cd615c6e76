//! A time namespace, and the offsets of its clocks (time_namespaces(7)).

use crate::{Error, Namespaces, Result, SpawnPlan};
use kernel::Strace;
use nix::sched::{CloneFlags, unshare};

/// Once a process is in a time namespace its clocks cannot be set any more (EACCES): unshare, write, and only then comes the
/// process that is inside: by the clone, or by execve(2) (Linux 6.2), where the right to it comes with a new user namespace.
pub fn make_time_namespace(plan: &SpawnPlan) -> Result<()> {
    let time = CloneFlags::from_bits_retain(Namespaces::TIME.bits() as i32);
    unshare(time)
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
