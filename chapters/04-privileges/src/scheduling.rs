//! Long tail: how a process is scheduled, and what it takes the machine for.

use crate::{Error, Result};
use kernel::{SchedulingAttributes, Strace};
use nix::sched::{CpuSet, sched_setaffinity};
use nix::sys::personality::Persona;
use nix::unistd::Pid;

/// Sets what is said; the rest stays as the caller has it.
pub fn apply(scheduling: &crate::Scheduling) -> Result<()> {
    if let Some(processors) = &scheduling.processors {
        set_processors(processors)?;
    }
    if let Some(scheduler) = scheduling.scheduler {
        let crate::Scheduler { policy, flags, nice, priority, runtime, deadline, period } = scheduler;
        let attributes = SchedulingAttributes { policy, flags, nice, priority, runtime, deadline, period };
        kernel::set_scheduling(attributes).map_err(|error| Error::call("the scheduler", error))?;
    }
    if let Some((class, priority)) = scheduling.io_priority {
        kernel::set_io_priority(class, priority).map_err(|error| Error::call("the io priority", error))?;
    }
    if let Some(domain) = scheduling.personality {
        nix::sys::personality::set(Persona::from_bits_retain(domain))
            .strace(|| format!("personality({domain:#x})"))
            .map_err(|error| Error::call("the personality", error))?;
    }
    if let Some((mode, nodes)) = &scheduling.memory_policy {
        kernel::set_memory_policy(*mode, nodes).map_err(|error| Error::call("the memory policy", error))?;
    }
    Ok(())
}

/// The processors that the calling thread, and what it starts, may run on.
pub fn set_processors(processors: &[usize]) -> Result<()> {
    let mut set = CpuSet::new();
    let added = processors.iter().try_for_each(|number| set.set(*number));
    added
        .and_then(|()| sched_setaffinity(Pid::from_raw(0), &set))
        .strace(|| format!("sched_setaffinity(0, {processors:?})"))
        .map_err(|error| Error::call("the processors", error))
}
