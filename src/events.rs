//! What happened, told to whoever listens: `docker events`.

use std::collections::BTreeMap;

/// One event, as the API tells it. Times are nanoseconds since 1970.
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
