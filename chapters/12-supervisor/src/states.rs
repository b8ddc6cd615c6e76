//! What a container can be, and the one function that changes it: `apply(State, Event)`.
//!
//! ```text
//!            Started                Paused
//!  Created ───────────▶ Running ◀───────────▶ Paused        Resumed back
//!     │  StartFailed        │ Exited             │ Exited
//!     └──▶ Created          ▼                    │
//!                        Exited ◀────────────────┘
//!                           │ Started ──▶ Running
//!  Created, Exited, Dead ───┴─ RemovalBegan ──▶ Removing ── RemovalFailed ──▶ Dead
//! ```
//!
//! Each state carries what is true in it and nothing else: a container that is not running has no pid.

use crate::Exit;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A container's state. Its name, as Docker's clients know it, is [`State::status`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "lowercase")]
pub enum State {
    /// Never started, or never successfully.
    Created {
        /// Why the last attempt to start it failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failure: Option<StartFailure>,
    },
    /// Its first process runs.
    Running(Process),
    /// It exists, but its cgroup is frozen.
    Paused(Process),
    /// Its first process has ended.
    Exited {
        /// When it was started, RFC 3339 with nanoseconds.
        started_at: String,
        /// How it ended.
        exit: Exit,
        /// Why an attempt to start it again failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failure: Option<StartFailure>,
    },
    /// It is being taken apart; nothing else may be done to it.
    Removing,
    /// Taking it apart failed half way; only another removal is possible.
    Dead {
        /// What stood in the way.
        reason: String,
    },
}

/// The first process of a container that runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Process {
    /// As the host sees it.
    pub pid: i32,
    /// When it was started, RFC 3339 with nanoseconds.
    pub started_at: String,
}

/// A start that did not succeed, as `docker inspect` shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StartFailure {
    /// The exit code that Docker reports: 127 not found, 126 not executable, 128 for the rest.
    pub code: i32,
    /// The text in Docker's words.
    pub message: String,
}

/// What happened, or is asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The first process executes the container's command.
    Started(Process),
    /// It could not.
    StartFailed(StartFailure),
    /// The cgroup was frozen.
    Paused,
    /// The cgroup was thawed.
    Resumed,
    /// The first process has ended.
    Exited(Exit),
    /// Removal begins.
    RemovalBegan,
    /// Removal did not succeed.
    RemovalFailed(String),
}

/// Why an event does not apply to a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It runs already.
    AlreadyRunning,
    /// Its first process is not there.
    NotRunning,
    /// It is frozen already.
    AlreadyPaused,
    /// It is not frozen.
    NotPaused,
    /// It is frozen, so it cannot be started.
    Paused,
    /// It runs, so it cannot be removed.
    Running,
    /// It is being removed.
    BeingRemoved,
    /// A removal failed; it can only be removed again.
    Dead,
    /// The event makes sense only while it is being removed.
    NotBeingRemoved,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Refusal::AlreadyRunning => "is already running",
            Refusal::NotRunning => "is not running",
            Refusal::AlreadyPaused => "is already paused",
            Refusal::NotPaused => "is not paused",
            Refusal::Paused => "is paused, unpause it first",
            Refusal::Running => "is running, stop it first",
            Refusal::BeingRemoved => "is marked for removal",
            Refusal::Dead => "is dead and can only be removed",
            Refusal::NotBeingRemoved => "is not being removed",
        })
    }
}

impl std::error::Error for Refusal {}

/// The only way from one state to the next.
pub fn apply(state: State, event: Event) -> Result<State, Refusal> {
    use State::{Created, Dead, Exited, Paused, Removing, Running};
    match (state, event) {
        (Removing, Event::RemovalFailed(reason)) => Ok(Dead { reason }),
        (Removing, _) => Err(Refusal::BeingRemoved),
        (_, Event::RemovalFailed(_)) => Err(Refusal::NotBeingRemoved),

        (Created { .. } | Exited { .. } | Dead { .. }, Event::RemovalBegan) => Ok(Removing),
        (Running(_) | Paused(_), Event::RemovalBegan) => Err(Refusal::Running),
        (Dead { .. }, _) => Err(Refusal::Dead),

        (Created { .. } | Exited { .. }, Event::Started(process)) => Ok(Running(process)),
        (Running(_), Event::Started(_) | Event::StartFailed(_)) => Err(Refusal::AlreadyRunning),
        (Paused(_), Event::Started(_) | Event::StartFailed(_)) => Err(Refusal::Paused),

        (Created { .. }, Event::StartFailed(failure)) => Ok(Created { failure: Some(failure) }),
        (Exited { started_at, exit, .. }, Event::StartFailed(failure)) => {
            Ok(Exited { started_at, exit, failure: Some(failure) })
        }

        (Running(process), Event::Paused) => Ok(Paused(process)),
        (Paused(process), Event::Resumed) => Ok(Running(process)),
        (Created { .. } | Running(_) | Exited { .. }, Event::Resumed) => Err(Refusal::NotPaused),
        (Paused(_), Event::Paused) => Err(Refusal::AlreadyPaused),

        (Running(process) | Paused(process), Event::Exited(exit)) => {
            Ok(Exited { started_at: process.started_at, exit, failure: None })
        }
        (Created { .. } | Exited { .. }, Event::Paused | Event::Exited(_)) => Err(Refusal::NotRunning),
    }
}

impl State {
    /// The word that Docker's API uses.
    pub fn status(&self) -> &'static str {
        match self {
            State::Created { .. } => "created",
            State::Running(_) => "running",
            State::Paused(_) => "paused",
            State::Exited { .. } => "exited",
            State::Removing => "removing",
            State::Dead { .. } => "dead",
        }
    }

    /// The first process, when there is one: running or paused.
    pub fn process(&self) -> Option<&Process> {
        match self {
            State::Running(process) | State::Paused(process) => Some(process),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process() -> Process {
        Process { pid: 42, started_at: "2026-01-01T00:00:00.000000000Z".into() }
    }

    fn failure() -> StartFailure {
        StartFailure { code: 127, message: "no such thing".into() }
    }

    fn states() -> Vec<State> {
        let exited =
            |failure| State::Exited { started_at: process().started_at, exit: Exit::default(), failure };
        vec![
            State::Created { failure: None },
            State::Created { failure: Some(failure()) },
            State::Running(process()),
            State::Paused(process()),
            exited(None),
            exited(Some(failure())),
            State::Removing,
            State::Dead { reason: "busy".into() },
        ]
    }

    fn events() -> Vec<Event> {
        vec![
            Event::Started(process()),
            Event::StartFailed(failure()),
            Event::Paused,
            Event::Resumed,
            Event::Exited(Exit::default()),
            Event::RemovalBegan,
            Event::RemovalFailed("busy".into()),
        ]
    }

    /// The whole table, one line a pair, so that a change of any transition is seen in review.
    #[test]
    fn every_pair_of_state_and_event() {
        let mut table = String::new();
        for state in states() {
            for event in events() {
                let name = format!("{event:?}");
                let name = name.split(['(', ' ']).next().unwrap_or_default();
                let outcome = match apply(state.clone(), event) {
                    Ok(next) => next.status().to_string(),
                    Err(refusal) => format!("refused: {refusal}"),
                };
                table.push_str(&format!("{:9} {name:14} {outcome}\n", state.status()));
            }
        }
        insta::assert_snapshot!(table);
    }

    #[test]
    fn only_a_running_or_paused_container_has_a_process() {
        for state in states() {
            assert_eq!(state.process().is_some(), matches!(state.status(), "running" | "paused"));
        }
    }

    #[test]
    fn a_pause_keeps_the_process_and_a_restart_forgets_the_exit() {
        let paused = apply(State::Running(process()), Event::Paused).unwrap();
        assert_eq!(paused, State::Paused(process()));
        let exited = apply(paused, Event::Exited(Exit { code: 3, ..Exit::default() })).unwrap();
        assert!(matches!(&exited, State::Exited { exit, .. } if exit.code == 3));
        assert_eq!(apply(exited, Event::Started(process())), Ok(State::Running(process())));
    }

    #[test]
    fn every_state_survives_its_json() {
        for state in states() {
            let json = serde_json::to_string(&state).unwrap();
            assert_eq!(serde_json::from_str::<State>(&json).unwrap(), state, "{json}");
        }
    }
}
