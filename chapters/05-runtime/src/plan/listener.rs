//! Long tail: who is asked by a seccomp filter (config-linux.md, "listenerPath").

use super::State;
use crate::{Error, Result};
use oci_spec::runtime::{LinuxSeccomp, LinuxSeccompAction};
use std::path::PathBuf;

/// Who is asked, and what they are told of the container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// Their Unix socket, on the host.
    pub path: PathBuf,
    /// Words of whoever wrote the spec, for them alone.
    pub metadata: Option<String>,
    /// The container.
    pub state: Option<State>,
}

impl Listener {
    /// That of a filter that asks; none of another.
    pub fn of(seccomp: &LinuxSeccomp) -> Result<Option<Listener>> {
        let asks = |action| action == LinuxSeccompAction::ScmpActNotify;
        let path = seccomp.listener_path().clone().filter(|path| !path.as_os_str().is_empty());
        let metadata = seccomp.listener_metadata().clone().filter(|text| !text.is_empty());
        let is_asked = seccomp.syscalls().iter().flatten().any(|rule| asks(rule.action()));
        match path {
            Some(path) => Ok(is_asked.then_some(Listener { path, metadata, state: None })),
            None if is_asked => Err(Error::invalid(
                "linux.seccomp.listenerPath is missing: SCMP_ACT_NOTIFY needs somebody to ask",
            )),
            None if metadata.is_some() => {
                Err(Error::invalid("linux.seccomp.listenerMetadata without a linux.seccomp.listenerPath"))
            }
            None => Ok(None),
        }
    }
}
