//! Wait: told once when a container has ended, or is gone.

use supervisor::states::State;
use tokio::sync::oneshot;

use super::Inside;
use crate::engine::Engine;
use crate::error::Result;

/// What to wait for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WaitCondition {
    /// Does not run now, or when it next ends.
    #[default]
    NotRunning,
    /// The next end, even when it does not run now.
    NextExit,
    /// It has been removed.
    Removed,
}

/// How a wait ended.
#[derive(Clone, Debug, Default)]
pub struct WaitResult {
    /// The exit status that a shell would see.
    pub status_code: i64,
    /// What went wrong while waiting, or at the start.
    pub error: Option<String>,
}

/// One who waits.
pub struct Waiter {
    condition: WaitCondition,
    told: oneshot::Sender<WaitResult>,
}

impl Engine {
    /// A promise of the result; `serve` sends the response's headers before it is kept.
    pub fn wait(&self, reference: &str, condition: WaitCondition) -> Result<oneshot::Receiver<WaitResult>> {
        let container = self.container(reference)?;
        let mut inside = container.inside();
        let (told, promise) = oneshot::channel();
        let already = inside.gone || (condition == WaitCondition::NotRunning && !inside.runs());
        if already {
            // Its receiver is in our hands still, so nobody can have dropped it.
            let _ = told.send(inside.result());
        } else {
            inside.waiters.retain(|waiter| !waiter.told.is_closed());
            inside.waiters.push(Waiter { condition, told });
        }
        Ok(promise)
    }
}

impl Inside {
    /// Keeps the promises to those who wait for an end.
    pub fn tell_of_end(&mut self) {
        self.tell_waiters(|condition| condition != WaitCondition::Removed);
    }

    /// Keeps the promises to everybody: there will be no further end.
    pub fn tell_of_removal(&mut self, status_code: i64) {
        let result = WaitResult { status_code, error: None };
        for waiter in self.waiters.drain(..) {
            // Who has gone meanwhile needs no answer.
            let _ = waiter.told.send(result.clone());
        }
    }

    fn tell_waiters(&mut self, chosen: impl Fn(WaitCondition) -> bool) {
        let result = self.result();
        for waiter in self.waiters.extract_if(.., |waiter| chosen(waiter.condition)) {
            // Who has gone meanwhile needs no answer.
            let _ = waiter.told.send(result.clone());
        }
    }

    fn result(&self) -> WaitResult {
        let code = match self.state() {
            // It ended before its removal began.
            State::Removing | State::Dead { .. } => self.last_code,
            state => exit_code(state),
        };
        WaitResult { status_code: code.into(), error: None }
    }
}

/// The exit code that Docker shows for a state.
pub fn exit_code(state: &State) -> i32 {
    match state {
        State::Exited { failure: Some(failure), .. } | State::Created { failure: Some(failure) } => {
            failure.code
        }
        State::Exited { exit, .. } => exit.code,
        _ => 0,
    }
}
