//! The end of a container: recorded, told, and cleaned up after.

use std::sync::Arc;

use supervisor::states::{self, Event};
use supervisor::{Connection, Exit};

use super::{Container, remove};
use crate::engine::Engine;

impl Engine {
    /// Takes note of a container's end. Called by the watcher, and at start-up for what ended without a daemon.
    ///
    /// The order is what makes a kill of the daemon harmless: the exit code is on disk before the run folder, which has it
    /// as well, goes; the run folder is gone before anybody learns that the container can be started again, since the next
    /// supervisor meets us at the same place.
    pub fn container_ended(self: &Arc<Engine>, container: &Arc<Container>, exit: Exit) {
        let endpoint = container.inside().endpoint.take();
        self.networks.release(&container.id, endpoint);
        let removes_itself = {
            let inside = container.inside();
            inside.record.host_config.auto_remove && !inside.restarting
        };
        if !removes_itself {
            self.record_end(container, &exit);
        }
        self.tell_of_end(container, &exit);
        if removes_itself {
            self.remove_in_background(container);
        }
    }

    fn record_end(&self, container: &Container, exit: &Exit) {
        let mut record = container.inside().record.clone();
        if let Ok(state) = states::apply(record.state, Event::Exited(exit.clone())) {
            record.state = state;
            if let Err(error) = record.write(&self.container_folder(&container.id)) {
                // The run folder says it as well, and a later daemon looks there.
                tracing::error!(container = container.id, %error, "the end is not recorded");
                return;
            }
            if let Err(error) = remove::remove_tree(&self.run_folder(&container.id)) {
                tracing::warn!(container = container.id, %error, "the run folder stays");
            }
        }
    }

    fn tell_of_end(&self, container: &Container, exit: &Exit) {
        let mut inside = container.inside();
        inside.live = None;
        let lasted = inside.seconds_since_start(exit);
        if let Err(refusal) = inside.apply(Event::Exited(exit.clone())) {
            tracing::warn!(container = container.id, %refusal, "an end out of turn");
        }
        if exit.oom_killed {
            self.tell(&inside, "oom", &[]);
        }
        self.tell(&inside, "die", &[("execDuration", lasted), ("exitCode", exit.code.to_string())]);
        inside.tell_of_end();
        drop(inside);
        container.changed.notify_all();
    }

    /// Deleting a large folder takes long, and the watcher has others to hear.
    fn remove_in_background(self: &Arc<Engine>, container: &Arc<Container>) {
        let (engine, ended) = (self.clone(), container.clone());
        let thread = std::thread::Builder::new().name("remover".to_owned()).stack_size(256 * 1024);
        if let Err(error) = thread.spawn(move || engine.remove_ended(&ended)) {
            tracing::warn!(%error, "no thread to remove a container");
            self.remove_ended(container);
        }
    }
}

impl Container {
    /// Whether this supervisor still holds the container's process, as far as we have heard.
    pub fn is_served_by(&self, live: &Arc<Connection>) -> bool {
        self.inside().live.as_ref().is_some_and(|own| Arc::ptr_eq(own, live))
    }
}

impl super::Inside {
    fn seconds_since_start(&self, exit: &Exit) -> String {
        let parse = |time: &str| time.parse::<jiff::Timestamp>().ok();
        let started = self.state().process().and_then(|process| parse(&process.started_at));
        let lasted =
            started.zip(parse(&exit.finished_at)).map(|(start, end)| end.as_second() - start.as_second());
        lasted.unwrap_or(0).max(0).to_string()
    }
}
