//! Resource limits (getrlimit(2)).

use crate::{Error, Result, Rlimit};
use kernel::Strace;
use nix::errno::Errno;
use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Sets the limits. Without CAP_SYS_RESOURCE a hard limit cannot be raised: then both go as far as the caller's own does.
pub fn apply(limits: &[Rlimit]) -> Result<()> {
    for limit in limits {
        let resource = resource(&limit.kind)?;
        match setrlimit(resource, limit.soft, limit.hard) {
            Err(Errno::EPERM) => {
                let (_, highest) = getrlimit(resource).unwrap_or((limit.soft, limit.hard));
                let (soft, hard) = (limit.soft.min(highest), limit.hard.min(highest));
                set(limit, resource, soft, hard)?;
            }
            Err(_) => set(limit, resource, limit.soft, limit.hard)?,
            Ok(()) => {}
        }
    }
    Ok(())
}

fn set(limit: &Rlimit, resource: Resource, soft: u64, hard: u64) -> Result<()> {
    setrlimit(resource, soft, hard)
        .strace(|| format!("setrlimit({}, {{rlim_cur={soft}, rlim_max={hard}}})", limit.kind))
        .map_err(|error| Error::call(&limit.kind, error))
}

/// Their names are the constants' own.
const RESOURCES: [Resource; 16] = [
    Resource::RLIMIT_AS,
    Resource::RLIMIT_CORE,
    Resource::RLIMIT_CPU,
    Resource::RLIMIT_DATA,
    Resource::RLIMIT_FSIZE,
    Resource::RLIMIT_LOCKS,
    Resource::RLIMIT_MEMLOCK,
    Resource::RLIMIT_MSGQUEUE,
    Resource::RLIMIT_NICE,
    Resource::RLIMIT_NOFILE,
    Resource::RLIMIT_NPROC,
    Resource::RLIMIT_RSS,
    Resource::RLIMIT_RTPRIO,
    Resource::RLIMIT_RTTIME,
    Resource::RLIMIT_SIGPENDING,
    Resource::RLIMIT_STACK,
];

fn resource(kind: &str) -> Result<Resource> {
    let known = RESOURCES.into_iter().find(|known| format!("{known:?}") == kind);
    known.ok_or_else(|| Error::invalid(format_args!("{kind} is no resource limit (getrlimit(2))")))
}
