//! Long tail: the verbs without which a container is made, used and removed.

use super::later::Later;
use super::store::Store;
use super::{criu, events, features, freezing, list, ps, update};
use crate::Result;
use clap::Subcommand;

/// What callers ask beyond the life of a container.
#[derive(Subcommand)]
pub enum Further {
    /// List containers
    List(Later<list::List>),
    /// Print what this runtime supports as JSON
    Features,
    /// List the processes of a container
    Ps(Later<ps::Ps>),
    /// Stop all processes of a container where they are
    Pause { id: String },
    /// Let them go on
    Resume { id: String },
    /// Change a container's limits
    Update(Later<Box<update::Update>>),
    /// Tell what a container uses, and when its memory runs out
    Events(Later<events::Events>),
    /// Write a container's processes into a folder, by CRIU
    Checkpoint(Later<Box<criu::Checkpoint>>),
    /// Make a container of what was written there
    Restore(Later<Box<criu::Restore>>),
}

impl Further {
    pub fn run(&self, store: &Store, criu: &str) -> Result<u8> {
        match self {
            Further::List(command) => command.run(store),
            Further::Features => features::print_features(),
            Further::Ps(command) => command.run(store),
            Further::Pause { id } => freezing::pause(store, id),
            Further::Resume { id } => freezing::resume(store, id),
            Further::Update(command) => command.run(store),
            Further::Events(command) => command.run(store),
            Further::Checkpoint(command) => command.run(store, criu),
            Further::Restore(command) => command.run(store, criu),
        }
    }
}
