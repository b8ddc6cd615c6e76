//! Which process is meant, beyond its number.

use serde::{Deserialize, Serialize};
#[cfg(target_os = "linux")]
use {
    crate::{Error, Result},
    kernel::Strace,
    std::os::fd::OwnedFd,
};

/// A process that cannot be mistaken for a later one with the same number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// As the host sees it.
    pub pid: i32,
    /// Field 22 of /proc/PID/stat: clock ticks since boot.
    pub start_time: u64,
}

#[cfg(target_os = "linux")]
impl Identity {
    /// Of a process that exists.
    pub fn of(pid: i32) -> Result<Identity> {
        let path = format!("/proc/{pid}/stat");
        let mut buffer = [0; 1024];
        let file = std::fs::File::open(&path).strace(|| format!("open({path:?})"))?;
        let length = std::io::Read::read(&mut &file, &mut buffer).strace(|| format!("read({path:?})"))?;
        let start_time = start_time(&String::from_utf8_lossy(&buffer[..length]))
            .ok_or_else(|| Error::system(format!("{path}: no field 22")))?;
        Ok(Identity { pid, start_time })
    }

    /// A descriptor that stands for the process; None when it has ended.
    pub fn open(self) -> Result<Option<OwnedFd>> {
        let pid = rustix::process::Pid::from_raw(self.pid).ok_or_else(|| Error::invalid("pid 0"))?;
        let pidfd = match rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()) {
            Err(rustix::io::Errno::SRCH) => return Ok(None),
            result => result.strace(|| format!("pidfd_open({})", self.pid))?,
        };
        // Read after the descriptor was opened: if the number meant our process then, the descriptor is its.
        Ok((Identity::of(self.pid).ok() == Some(self)).then_some(pidfd))
    }
}

#[cfg(target_os = "linux")]
/// The name in parentheses may itself contain spaces and parentheses, so count from the last one.
fn start_time(stat: &str) -> Option<u64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    after_name.split_whitespace().nth(19)?.parse().ok()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_name_may_look_like_the_rest() {
        let stat = "42 (a) R (b) S 1 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 777 10000";
        assert_eq!(start_time(stat), Some(777));
    }

    #[test]
    fn a_number_that_means_another_process_is_not_opened() {
        let own = Identity::of(std::process::id() as i32).unwrap();
        assert!(own.open().unwrap().is_some());
        let earlier = Identity { start_time: own.start_time - 1, ..own };
        assert!(earlier.open().unwrap().is_none());
    }
}
