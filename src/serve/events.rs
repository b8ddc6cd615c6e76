//! `GET /events`: what has happened, and what happens, as a JSON object a line.

use hyper::body::Bytes;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::sync::mpsc;
use tokio::time::{Duration, timeout_at};

use super::body::Body;
use super::error::Answered;
use super::request::{Answer, Live, streamed};
use super::streams::while_heard;
use crate::events::Event;
use crate::filters::{self, Filters};

/// How many lines may wait for a client that reads slowly.
const WAITING: usize = 16;

/// Without `since` only what happens from now on; with an `until` that has passed only what had happened by then.
pub fn follow(live: Live) -> Answer {
    Box::pin(async move {
        let query = &live.call.query;
        let (since, until) = (query.time("since")?, query.time("until")?);
        let filters = query.filters()?;
        // Heard from before the past is read: what happens in between comes twice rather than not at all, and is then dropped.
        let news = live.call.engine.subscribe();
        let past = match since {
            Some(since) => live.call.engine.past_events(since),
            None if until.is_some() => live.call.engine.past_events(0),
            None => Vec::new(),
        };
        let (lines, pieces) = mpsc::channel(WAITING);
        let telling = Telling { lines, filters, until };
        tokio::task::spawn_local(telling.tell(past, news));
        Ok(streamed("application/json", Body::Pieces(None, pieces)))
    })
}

/// A client that listens.
struct Telling {
    lines: mpsc::Sender<Answered<Bytes>>,
    filters: Filters,
    /// Nanoseconds since 1970.
    until: Option<i64>,
}

impl Telling {
    /// Ends when the client has gone, or time is over.
    async fn tell(self, past: Vec<Event>, mut news: Receiver<Event>) {
        let mut latest = 0;
        for event in &past {
            latest = event.time;
            if !self.tell_one(event).await {
                return;
            }
        }
        while let Some(event) = self.next(&mut news).await {
            if event.time > latest && !self.tell_one(&event).await {
                return;
            }
        }
    }

    async fn next(&self, news: &mut Receiver<Event>) -> Option<Event> {
        let left = self.until.map_or(i64::MAX, |until| until - now());
        let left = Duration::from_nanos(u64::try_from(left).unwrap_or(0));
        let deadline = tokio::time::Instant::now() + left;
        loop {
            let heard = timeout_at(deadline, news.recv());
            match while_heard(&self.lines, heard).await?.ok()? {
                Ok(event) => return Some(event),
                // One that reads so slowly misses some, as with Docker.
                Err(RecvError::Lagged(missed)) => tracing::debug!(missed, "a listener is slow"),
                Err(RecvError::Closed) => return None,
            }
        }
    }

    /// False when there is nobody to tell, or nothing more to be told.
    async fn tell_one(&self, event: &Event) -> bool {
        if self.until.is_some_and(|until| event.time > until) {
            return false;
        }
        if !is_wanted(event, &self.filters) {
            return true;
        }
        let mut line = serde_json::to_vec(&message(event)).unwrap_or_default();
        line.push(b'\n');
        self.lines.send(Ok(line.into())).await.is_ok()
    }
}

fn now() -> i64 {
    i64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap_or(i64::MAX)
}

fn message(event: &Event) -> api::EventMessage {
    let mut message = api::EventMessage {
        kind: event.kind.to_owned(),
        action: event.action.clone(),
        actor: api::EventActor { id: event.id.clone(), attributes: event.attributes.clone() },
        scope: "local".to_owned(),
        time: event.time / 1_000_000_000,
        time_nano: event.time,
        ..Default::default()
    };
    // What clients read before events had actors.
    if matches!(event.kind, "container" | "image") {
        message.status = event.action.clone();
        message.id = event.id.clone();
        message.from = event.attributes.get("image").cloned().unwrap_or_default();
    }
    message
}

/// Docker's rules: every filter must allow the event, by any of its values.
fn is_wanted(event: &Event, filters: &Filters) -> bool {
    let name = event.attributes.get("name").map_or("", String::as_str);
    let names = |value: &str| event.id.starts_with(value) || (!name.is_empty() && name.starts_with(value));
    let image = event.attributes.get("image").map_or(name, String::as_str);
    let is_image =
        |value: &str| value == event.id || value == image || Some(value) == image.split(':').next();
    // `exec_start` finds `exec_start: sh`, too.
    let action = |value: &str| event.action == value || event.action.starts_with(&format!("{value}: "));
    filters::any(filters, "type", |value| value == event.kind)
        && filters::any(filters, "event", action)
        && filters::any(filters, "container", |value| event.kind == "container" && names(value))
        && filters::any(filters, "network", |value| event.kind == "network" && names(value))
        && filters::any(filters, "volume", |value| event.kind == "volume" && names(value))
        && filters::any(filters, "image", is_image)
        && filters::any(filters, "scope", |value| value == "local")
        && filters::labels(filters, &event.attributes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> Event {
        Event {
            kind: "container",
            action: "exec_start: sh".to_owned(),
            id: "abcdef".to_owned(),
            attributes: [("image", "busybox:1"), ("name", "one"), ("color", "red")]
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .into(),
            time: 1_700_000_000_123_456_789,
        }
    }

    #[test]
    fn an_event_on_the_wire() {
        insta::assert_json_snapshot!(message(&event()));
    }

    #[test]
    fn every_filter_must_allow_it() {
        let wanted = |pairs: &[(&str, &str)]| {
            let filters = pairs.iter().map(|(name, value)| ((*name).to_owned(), vec![(*value).to_owned()]));
            is_wanted(&event(), &filters.collect())
        };
        assert!(wanted(&[]));
        assert!(wanted(&[("type", "container"), ("event", "exec_start"), ("container", "one")]));
        assert!(wanted(&[("image", "busybox"), ("label", "color=red"), ("container", "abc")]));
        for wrong in
            [("type", "image"), ("event", "exec"), ("container", "two"), ("image", "one"), ("label", "x")]
        {
            assert!(!wanted(&[wrong]), "{wrong:?}");
        }
    }
}
