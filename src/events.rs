//! What happened, told to whoever listens: `docker events`.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use tokio::sync::broadcast;

use crate::engine::Engine;

/// One event, as the API tells it.
#[derive(Clone, Debug)]
pub struct Event {
    /// What it happened to: `container`, `image`, `network`.
    pub kind: &'static str,
    /// What happened: `create`, `start`, `die`, `exec_start: /bin/true`, ...
    pub action: String,
    /// The object's id (a container's id, an image's reference).
    pub id: String,
    /// Docker's attributes: labels, `image`, `name`, `exitCode`, ...
    pub attributes: BTreeMap<String, String>,
    /// When, in nanoseconds since 1970.
    pub time: i64,
}

/// How many past events `docker events --since` can ask for, as many as dockerd keeps.
const REMEMBERED: usize = 256;

/// Who listens, and the last events.
pub struct Events {
    listeners: broadcast::Sender<Event>,
    past: Mutex<VecDeque<Event>>,
}

impl Default for Events {
    fn default() -> Events {
        Events { listeners: broadcast::Sender::new(REMEMBERED), past: Mutex::default() }
    }
}

impl Events {
    /// Tells everybody.
    pub fn publish(
        &self,
        kind: &'static str,
        action: impl Into<String>,
        id: &str,
        attributes: BTreeMap<String, String>,
    ) {
        let time = jiff::Timestamp::now().as_nanosecond() as i64;
        let event = Event { kind, action: action.into(), id: id.to_owned(), attributes, time };
        let mut past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
        if past.len() == REMEMBERED {
            past.pop_front();
        }
        past.push_back(event.clone());
        // Nobody may be listening, which is no error.
        let _ = self.listeners.send(event);
    }
}

impl Events {
    /// How many listen.
    pub fn listeners(&self) -> usize {
        self.listeners.receiver_count()
    }
}

impl Engine {
    /// Everything that happens from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.events.listeners.subscribe()
    }

    /// Those of the last events that happened since a time (nanoseconds since 1970), oldest first.
    pub fn past_events(&self, since: i64) -> Vec<Event> {
        let past = self.events.past.lock().unwrap_or_else(PoisonError::into_inner);
        past.iter().filter(|event| event.time >= since).cloned().collect()
    }
}
