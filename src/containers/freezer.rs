//! Pause and unpause: every process of a container is frozen, by whoever has made it.

use supervisor::states::{self, Event};

use super::{Container, Record};
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};

impl Engine {
    /// Freezes every process of a container.
    pub fn pause(&self, reference: &str) -> Result<()> {
        self.change_freezer(reference, true)
    }

    /// Thaws them.
    pub fn unpause(&self, reference: &str) -> Result<()> {
        self.change_freezer(reference, false)
    }

    fn change_freezer(&self, reference: &str, frozen: bool) -> Result<()> {
        let container = self.container(reference)?;
        let _action = container.action();
        self.change_freezer_of(&container, reference, frozen)
    }

    /// The same, for who is in the middle of an action of theirs.
    pub fn change_freezer_of(&self, container: &Container, reference: &str, frozen: bool) -> Result<()> {
        let (event, verb) = if frozen { (Event::Paused, "pause") } else { (Event::Resumed, "unpause") };
        let record = {
            let inside = container.inside();
            if let Err(refusal) = states::apply(inside.state().clone(), event.clone()) {
                return Err(Error::new(ErrorKind::Conflict, format!("Container {} {refusal}", container.id)));
            }
            inside.record.clone()
        };
        // Unlocked: another runtime may take its time, and the watcher has other containers.
        self.set_frozen(&record, frozen).map_err(|error| match error.kind() {
            ErrorKind::System => {
                let message = format!("Cannot {verb} container {reference}: {error}");
                Error::because(ErrorKind::System, message, error)
            }
            _ => error,
        })?;
        let mut inside = container.inside();
        // Refused if it has ended meanwhile, or somebody was faster: then it is told already.
        if inside.apply(event).is_err() {
            return Ok(());
        }
        self.tell(&inside, verb, &[]);
        let record = inside.record.clone();
        drop(inside);
        // It is done, recorded or not: who adopts the container asks the freezer itself.
        if let Err(error) = record.write(&self.container_folder(&container.id)) {
            tracing::error!(container = container.id, %error, "a {verb} is not recorded");
        }
        Ok(())
    }

    fn set_frozen(&self, record: &Record, frozen: bool) -> Result<()> {
        if let Some(other) = self.other_runtime(record)? {
            let (folder, id) = (self.run_folder(&record.id), &record.id);
            let done = if frozen { other.pause(&folder, id) } else { other.resume(&folder, id) };
            return done.map_err(|failure| Error::system(failure.message));
        }
        let cgroup = self.cgroup_of(record)?;
        let done = if frozen { cgroup.freeze() } else { cgroup.thaw() };
        done.map_err(Error::system)
    }

    /// Whether a container that is adopted is frozen. One that cannot be asked is not: then it can at least be ended.
    pub fn is_frozen(&self, record: &Record) -> bool {
        match self.other_runtime(record) {
            Ok(Some(other)) => {
                other.is_paused(&self.run_folder(&record.id), &record.id).is_ok_and(|paused| paused)
            }
            _ => self.cgroup_of(record).is_ok_and(|cgroup| cgroup.is_frozen()),
        }
    }
}
