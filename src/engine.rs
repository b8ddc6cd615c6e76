//! The engine: one handle per chapter, and what the verbs share.

use tokio::sync::broadcast;

use crate::containers::Change;
use crate::error::Result;
use crate::events::Event;

/// A complete engine over one data root and one exec root. Its methods block; `serve` calls them from its own threads.
pub struct Engine {}

impl Engine {
    /// Everything that happens from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        todo!()
    }

    /// Those of the last events that happened since a time (nanoseconds since 1970), oldest first.
    pub fn past_events(&self, _since: i64) -> Vec<Event> {
        todo!()
    }

    // In the files of `containers/`, with the wire types of chapter 14 as they land:
    //   create(name: Option<&str>, platform: Option<&str>, &api::ContainerCreateRequest) -> Result<api::ContainerCreateResponse>
    //   list(&ListOptions{all, limit, size, filters}) -> Result<Vec<api::ContainerSummary>>
    //   inspect(r, size: bool) -> Result<api::ContainerInspectResponse>
    // `images/`: image_list(all, filters), image_inspect(name), image_remove(name, force, prune), image_history(name),
    //   image_tag(name, repo, tag), pull/load/save/import with a progress sink.
    // `system.rs`: info() -> api::SystemInfo, version() -> api::SystemVersion.

    /// Starts a created or ended container.
    pub fn start(&self, _reference: &str) -> Result<Change> {
        todo!()
    }

    /// Sends the stop signal, waits (seconds; -1 for ever; none: the container's own), kills.
    pub fn stop(&self, _reference: &str, _signal: Option<&str>, _timeout: Option<i64>) -> Result<Change> {
        todo!()
    }

    /// Stops and starts.
    pub fn restart(&self, _reference: &str, _signal: Option<&str>, _timeout: Option<i64>) -> Result<()> {
        todo!()
    }

    /// Sends a signal (`TERM`, `SIGTERM`, `15`; none: KILL).
    pub fn kill(&self, _reference: &str, _signal: Option<&str>) -> Result<()> {
        todo!()
    }

    /// Removes a container, with its anonymous volumes when `volumes`, killing it first when `force`.
    pub fn remove(&self, _reference: &str, _force: bool, _volumes: bool) -> Result<()> {
        todo!()
    }

    /// Gives a container another name.
    pub fn rename(&self, _reference: &str, _name: &str) -> Result<()> {
        todo!()
    }

    /// Freezes every process of a container.
    pub fn pause(&self, _reference: &str) -> Result<()> {
        todo!()
    }

    /// Thaws them.
    pub fn unpause(&self, _reference: &str) -> Result<()> {
        todo!()
    }

    /// Sets the size of a container's terminal, in characters.
    pub fn resize(&self, _reference: &str, _width: u16, _height: u16) -> Result<()> {
        todo!()
    }
}
