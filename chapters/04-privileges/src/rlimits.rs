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

fn resource(kind: &str) -> Result<Resource> {
    Ok(match kind {
        "RLIMIT_AS" => Resource::RLIMIT_AS,
        "RLIMIT_CORE" => Resource::RLIMIT_CORE,
        "RLIMIT_CPU" => Resource::RLIMIT_CPU,
        "RLIMIT_DATA" => Resource::RLIMIT_DATA,
        "RLIMIT_FSIZE" => Resource::RLIMIT_FSIZE,
        "RLIMIT_LOCKS" => Resource::RLIMIT_LOCKS,
        "RLIMIT_MEMLOCK" => Resource::RLIMIT_MEMLOCK,
        "RLIMIT_MSGQUEUE" => Resource::RLIMIT_MSGQUEUE,
        "RLIMIT_NICE" => Resource::RLIMIT_NICE,
        "RLIMIT_NOFILE" => Resource::RLIMIT_NOFILE,
        "RLIMIT_NPROC" => Resource::RLIMIT_NPROC,
        "RLIMIT_RSS" => Resource::RLIMIT_RSS,
        "RLIMIT_RTPRIO" => Resource::RLIMIT_RTPRIO,
        "RLIMIT_RTTIME" => Resource::RLIMIT_RTTIME,
        "RLIMIT_SIGPENDING" => Resource::RLIMIT_SIGPENDING,
        "RLIMIT_STACK" => Resource::RLIMIT_STACK,
        other => {
            return Err(Error::invalid(format_args!("{other} is no resource limit (getrlimit(2))")));
        }
    })
}
