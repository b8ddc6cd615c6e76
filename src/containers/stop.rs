//! Stop, kill, restart, resize: what is done to a container that runs.

use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use supervisor::states::State;

use super::{Change, Container, signals};
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};

/// What a container without a stop signal of its own gets.
const STOP_SIGNAL: i32 = Signal::SIGTERM as i32;

/// Seconds that a container has to end after its stop signal, unless it is told others.
const STOP_TIMEOUT: i64 = 10;

/// How long the kernel gets to end what was killed. A process in uninterruptible sleep may outlast it.
const KILL_PATIENCE: Duration = Duration::from_secs(10);

/// How long the watcher may take to hear that a supervisor has ended.
const HEARING: Duration = Duration::from_secs(2);

impl Engine {
    /// Sends the stop signal, waits (seconds; -1 for ever; none: the container's own), kills.
    pub fn stop(&self, reference: &str, signal: Option<&str>, timeout: Option<i64>) -> Result<Change> {
        let container = self.container(reference)?;
        let (own_signal, own_timeout) = {
            let inside = container.inside();
            if !inside.runs() {
                return Ok(Change::NotModified);
            }
            (inside.record.stop_signal(), inside.record.config.stop_timeout)
        };
        let signal = signal.filter(|text| !text.is_empty()).map_or(Ok(own_signal), signals::parse)?;
        let seconds = timeout.or(own_timeout).unwrap_or(STOP_TIMEOUT);
        let sent = self.signal(&container, signal);
        let deadline =
            u64::try_from(seconds).ok().map(|seconds| Instant::now() + Duration::from_secs(seconds));
        let ended = container
            .wait_until(if sent.is_ok() { deadline } else { Some(Instant::now()) }, |inside| !inside.runs());
        if !ended {
            self.kill_unless_ended(&container)?;
        }
        self.tell(&container.inside(), "stop", &[]);
        Ok(Change::Done)
    }

    /// Sends a signal (`TERM`, `SIGTERM`, `15`; none: KILL, which is waited for).
    pub fn kill(&self, reference: &str, signal: Option<&str>) -> Result<()> {
        let cannot =
            |error: Error| Error::new(error.kind(), format!("Cannot kill container: {reference}: {error}"));
        let asked = signal.filter(|text| !text.is_empty());
        let number = match asked.map(signals::parse).transpose() {
            Ok(number) => number.unwrap_or(Signal::SIGKILL as i32),
            // Docker takes every number for a signal, and then finds that there is none.
            Err(error) if asked.is_some_and(|text| text.parse::<u32>().is_ok_and(|number| number > 0)) => {
                let message =
                    format!("The linux daemon does not support signal {}", asked.unwrap_or_default());
                return Err(cannot(Error::new(error.kind(), message)));
            }
            Err(error) => return Err(error),
        };
        let container = self.container(reference).map_err(cannot)?;
        if number == Signal::SIGKILL as i32 {
            self.kill_and_wait(&container).map_err(cannot)
        } else {
            self.signal(&container, number).map_err(cannot)
        }
    }

    /// Stops and starts.
    pub fn restart(
        self: &Arc<Engine>,
        reference: &str,
        signal: Option<&str>,
        timeout: Option<i64>,
    ) -> Result<()> {
        let container = self.container(reference)?;
        let cannot =
            |error: Error| Error::new(error.kind(), format!("Cannot restart container {reference}: {error}"));
        // A container with --rm would be gone between the two.
        self.keeping(&container, || {
            self.stop(&container.id, signal, timeout)?;
            self.start(&container.id)
        })
        .map_err(cannot)?;
        self.tell(&container.inside(), "restart", &[]);
        Ok(())
    }

    fn keeping<T>(&self, container: &Container, verb: impl FnOnce() -> Result<T>) -> Result<T> {
        container.inside().restarting = true;
        let result = verb();
        container.inside().restarting = false;
        result
    }

    /// Sets the size of a container's terminal, in characters.
    pub fn resize(&self, reference: &str, width: u16, height: u16) -> Result<()> {
        let container = self.container(reference)?;
        let live = container.inside().running()?;
        live.resize(width, height).map_err(Error::system)?;
        let size = [("height", height.to_string()), ("width", width.to_string())];
        self.tell(&container.inside(), "resize", &size);
        Ok(())
    }

    /// Ends a container for certain, and waits until it has.
    pub fn kill_and_wait(&self, container: &Container) -> Result<()> {
        self.signal(container, Signal::SIGKILL as i32)?;
        let deadline = Instant::now() + KILL_PATIENCE;
        if container.wait_until(Some(deadline), |inside| !inside.runs()) {
            return Ok(());
        }
        let id = &container.id;
        let message = format!("tried to kill container, but did not receive an exit event: {id}");
        Err(Error::new(ErrorKind::System, message))
    }

    /// The same, for a container whose end is welcome however it comes.
    pub fn kill_unless_ended(&self, container: &Container) -> Result<()> {
        match self.kill_and_wait(container) {
            Err(error) if error.kind() == ErrorKind::Conflict && !container.inside().runs() => Ok(()),
            result => result,
        }
    }

    /// Sends a signal to the first process. One that should end a frozen container thaws it, since a frozen process
    /// acts on no signal.
    fn signal(&self, container: &Container, number: i32) -> Result<()> {
        let (live, thaw) = {
            let inside = container.inside();
            let ends = number == Signal::SIGKILL as i32 || number == inside.record.stop_signal();
            (inside.running()?, ends && matches!(inside.state(), State::Paused(_)))
        };
        if let Err(error) = live.signal(number) {
            // It may have ended just now, which the watcher is about to hear.
            let ended = container.wait_until(Some(Instant::now() + HEARING), |inside| !inside.runs());
            return if ended { self.signal(container, number) } else { Err(Error::system(error)) };
        }
        self.tell(&container.inside(), "kill", &[("signal", number.to_string())]);
        if !thaw {
            return Ok(());
        }
        // Who removes a container by force holds its action already.
        let thawed = self.change_freezer_of(container, &container.id, false);
        // On v2 a kill reaches the frozen as well, and runc thaws what it kills: what is ending needs no thaw.
        thawed.or_else(|error| {
            let ended = container.wait_until(Some(Instant::now() + HEARING), |inside| !inside.runs());
            if ended { Ok(()) } else { Err(error) }
        })
    }
}

impl super::Record {
    /// The signal that asks the container to end.
    pub fn stop_signal(&self) -> i32 {
        let own = self.config.stop_signal.as_deref().filter(|text| !text.is_empty());
        // It was checked when the container was created.
        own.and_then(|text| signals::parse(text).ok()).unwrap_or(STOP_SIGNAL)
    }
}
