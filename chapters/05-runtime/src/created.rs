//! A process that is made and waits.

use crate::gate::Keeper;
use crate::{Identity, Result};
use std::os::fd::OwnedFd;

/// A first process with all its namespaces, limits and privileges, which waits to execute its command.
#[derive(Debug)]
pub struct Created {
    /// Which process.
    pub identity: Identity,
    /// What stands for it.
    pub pidfd: OwnedFd,
    /// The master of its terminal, if it has one and no console socket was given.
    pub terminal: Option<OwnedFd>,
    pub(crate) keeper: Keeper,
}

impl Created {
    /// Lets it execute its command; returns when it has called execve. Should the kernel refuse that, the process says
    /// so on its standard error and ends with code 1, as under runc.
    pub fn start(&self) -> Result<()> {
        self.keeper.start()
    }

    /// Ends every process of it and removes its cgroup. True: the kernel had killed something in it for want of memory.
    pub fn destroy(&mut self) -> bool {
        todo!()
    }
}
