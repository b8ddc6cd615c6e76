//! Descriptors that a container inherits beside the standard three: sockets of socket activation (sd_listen_fds(3)),
//! and those that `--preserve-fds` promises.

use crate::{Error, Result};
use oci_spec::runtime::Process;
use std::path::Path;

/// What is open from descriptor 3 on, and is meant for the container.
#[derive(Debug, Clone, Copy)]
pub struct Descriptors {
    sockets: u32,
    further: u32,
}

impl Descriptors {
    /// Ours for a container: the sockets of which our environment speaks, if it speaks to us, and after them `further` ones.
    pub fn inherited(further: u32) -> Result<Descriptors> {
        let variable = |name| std::env::var(name).ok().and_then(|text| text.parse::<u32>().ok());
        let is_for_us = variable("LISTEN_PID") == Some(std::process::id());
        let sockets = variable("LISTEN_FDS").filter(|_| is_for_us).unwrap_or_default();
        Descriptors { sockets, further }.checked()
    }

    /// Ours for an added process: `further` ones. Sockets of activation are the container's, from its start.
    pub fn promised(further: u32) -> Result<Descriptors> {
        Descriptors { sockets: 0, further }.checked()
    }

    /// How many they are.
    pub fn count(self) -> u32 {
        self.sockets.saturating_add(self.further)
    }

    /// Tells the container's process of its sockets, as whoever activated us told us: there it is process 1.
    pub fn tell(self, process: Option<&mut Process>) {
        if let Some(process) = process.filter(|_| self.sockets > 0) {
            let environment = process.env_mut().get_or_insert_default();
            environment.extend([format!("LISTEN_FDS={}", self.sockets), "LISTEN_PID=1".into()]);
        }
    }

    /// A descriptor that is promised but not open would be one of our own.
    fn checked(self) -> Result<Descriptors> {
        let is_open = |number: &u32| Path::new(&format!("/proc/self/fd/{number}")).exists();
        match (3..self.count().saturating_add(3)).find(|number| !is_open(number)) {
            Some(number) if number < 3 + self.sockets => {
                Err(Error::invalid(format!("LISTEN_FDS={}: descriptor {number} is not open", self.sockets)))
            }
            Some(number) => Err(Error::invalid(format!("--preserve-fds: descriptor {number} is not open"))),
            None => Ok(self),
        }
    }
}
