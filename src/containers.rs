//! What the engine does with containers: one file per verb, over the one [`Container`].

pub mod adopt;
pub mod attach;
mod create;
mod ended;
mod files;
mod flag_names;
mod freezer;
mod inspect;
pub mod list;
mod log_options;
pub mod logs;
mod machine;
pub mod names;
mod processors;
mod record;
mod remove;
pub mod rootfs;
mod signals;
mod start;
mod stop;
mod validate;
mod volumes;
pub mod wait;
pub mod watch;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use supervisor::Connection;
use supervisor::states::{self, Refusal, State};

use crate::error::{Error, ErrorKind, Result};
use crate::networks::Endpoint;
pub use inspect::NEVER;
pub use record::Record;
pub use remove::remove_tree;

/// What a verb that may find its work done already did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It was done now: 204.
    Done,
    /// It had been done before: 304.
    NotModified,
}

/// One container, as long as the engine knows it.
pub struct Container {
    /// 64 hexadecimal digits.
    pub id: String,
    /// Held while a verb starts or removes the container, so that only one does. Kill and stop never take it: they must
    /// get through to a container whose removal waits for its end.
    action: Mutex<()>,
    inside: Mutex<Inside>,
    /// Told whenever `inside` changes in a way that a verb may wait for: a state, a ticket.
    changed: Condvar,
}

/// What changes in a container's life; guarded by [`Container::inside`].
pub struct Inside {
    /// What container.json holds.
    pub record: Record,
    /// The supervisor, while the first process runs.
    pub live: Option<Arc<Connection>>,
    /// Its place on the bridge, while it runs.
    pub endpoint: Option<Endpoint>,
    /// Who waits for its end or its removal.
    waiters: Vec<wait::Waiter>,
    /// Attach tickets that were given out and not yet handed over: a start waits for them.
    tickets: usize,
    /// Clients that attached before the start.
    pending: Vec<attach::Client>,
    /// It has been removed: no more waiters may come.
    pub gone: bool,
    /// It is stopped only to be started again, so that `--rm` must not act now.
    restarting: bool,
    /// The exit code when its removal began.
    last_code: i32,
    /// The first process's start time, which tells it from a later one with its pid; as long as it runs.
    pub start_time: u64,
}

impl Container {
    /// A container that does not run (yet).
    pub fn new(record: Record) -> Arc<Container> {
        Arc::new(Container {
            id: record.id.clone(),
            action: Mutex::new(()),
            inside: Mutex::new(Inside {
                record,
                live: None,
                endpoint: None,
                waiters: Vec::new(),
                tickets: 0,
                pending: Vec::new(),
                gone: false,
                restarting: false,
                last_code: 0,
                start_time: 0,
            }),
            changed: Condvar::new(),
        })
    }

    /// Looks inside. Never held while something slow is done.
    pub fn inside(&self) -> MutexGuard<'_, Inside> {
        // A panic while it was held is a bug that has been logged; the data is whole, since each change is one assignment.
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn action(&self) -> MutexGuard<'_, ()> {
        self.action.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `done` says so, or the deadline passes: then false. No deadline: for ever.
    fn wait_until(&self, deadline: Option<Instant>, mut done: impl FnMut(&mut Inside) -> bool) -> bool {
        let mut inside = self.inside();
        while !done(&mut inside) {
            let left = match deadline.map(|deadline| deadline.checked_duration_since(Instant::now())) {
                None => Duration::from_secs(3600),
                Some(Some(left)) if !left.is_zero() => left,
                Some(_) => return false,
            };
            inside = self.changed.wait_timeout(inside, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}

impl Inside {
    /// The only way in which a container's state changes.
    pub fn apply(&mut self, event: states::Event) -> std::result::Result<(), Refusal> {
        self.record.state = states::apply(self.record.state.clone(), event)?;
        Ok(())
    }

    /// The state now.
    pub fn state(&self) -> &State {
        &self.record.state
    }

    /// Whether the first process is there: running or paused.
    pub fn runs(&self) -> bool {
        self.record.state.process().is_some()
    }

    /// The supervisor of a container that runs, or Docker's refusal.
    pub fn running(&self) -> Result<Arc<Connection>> {
        let not_running =
            || Error::new(ErrorKind::Conflict, format!("Container {} is not running", self.record.id));
        self.live.clone().filter(|_| self.runs()).ok_or_else(not_running)
    }

    /// What Docker says about a container in its events.
    pub fn event_attributes(&self) -> BTreeMap<String, String> {
        let mut attributes: BTreeMap<String, String> =
            self.record.config.labels.clone().unwrap_or_default().into_iter().collect();
        attributes.insert("image".to_owned(), self.record.config.image.clone());
        attributes.insert("name".to_owned(), self.record.name.clone());
        attributes
    }
}

impl crate::engine::Engine {
    /// The container that a client means: an id, the beginning of one, or a name.
    pub fn container(&self, reference: &str) -> Result<Arc<Container>> {
        self.names().find(reference)
    }

    /// The folder with what survives: container.json, diff/, the log.
    pub fn container_folder(&self, id: &str) -> PathBuf {
        self.places.data_root.join("containers").join(id)
    }

    /// The folder that a container's supervisor and the daemon meet in.
    pub fn run_folder(&self, id: &str) -> PathBuf {
        self.places.exec_root.join("containers").join(id)
    }

    /// Tells the world about a container, with more attributes than the usual.
    fn tell(&self, inside: &Inside, action: &str, more: &[(&str, String)]) {
        let mut attributes = inside.event_attributes();
        attributes.extend(more.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
        self.events.publish("container", action, &inside.record.id, attributes);
    }
}
