//! What the engine does with exec sessions: a further process in a container that runs.

mod run;

use std::collections::HashMap;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use supervisor::{AttachOptions, Connection, Exit};

use crate::containers::{Container, names};
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};

/// How long a session that has ended can still be inspected, as long as dockerd keeps it.
const REMEMBERED: Duration = Duration::from_secs(5 * 60);

/// One exec session.
pub struct Session {
    /// 64 hexadecimal digits.
    pub id: String,
    /// The container's.
    pub container: String,
    /// What was asked for.
    pub request: api::ExecCreateRequest,
    /// Keys that detach a client.
    pub detach_keys: Option<String>,
    now: Mutex<Now>,
    /// Told when the session has ended.
    ended: Condvar,
}

/// What changes in a session's life.
#[derive(Default)]
struct Now {
    started: bool,
    live: Option<Arc<Connection>>,
    pid: i32,
    exit_code: Option<i32>,
    ended_at: Option<Instant>,
}

/// All sessions by id.
#[derive(Default)]
pub struct Sessions {
    by_id: Mutex<HashMap<String, Arc<Session>>>,
}

impl Sessions {
    fn table(&self) -> MutexGuard<'_, HashMap<String, Arc<Session>>> {
        self.by_id.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state now. A client that saw its stream end asks for the exit code at once. The supervisor has written it into
    /// `folder` before it let the client go, or was killed; what is left is that the watcher takes note of it, which it does
    /// before it deletes the folder.
    fn settled(&self, folder: &Path) -> MutexGuard<'_, Now> {
        let now = self.now();
        let over = now.live.as_ref().is_some_and(|live| has_hung_up(live) || live.is_ending())
            || now.live.is_some() && matches!(supervisor::read_exit(folder), Ok(Some(_)));
        if !over {
            return now;
        }
        let ended = self.ended.wait_timeout_while(now, HEARING, |now| now.live.is_some());
        ended.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Its process has ended, or could not be started.
    fn ends(&self, code: i32) {
        let mut now = self.now();
        now.live = None;
        now.pid = 0;
        now.exit_code = Some(code);
        now.ended_at = Some(Instant::now());
        self.ended.notify_all();
    }

    /// How a client of this session is served.
    pub fn attach_options(&self, detach_keys: Vec<u8>) -> AttachOptions {
        AttachOptions {
            stdin: self.request.attach_stdin,
            stdout: self.request.attach_stdout,
            stderr: self.request.attach_stderr,
            framed: !self.request.tty,
            detach_keys: if self.request.tty { detach_keys } else { Vec::new() },
        }
    }

    /// Whether this supervisor still holds the session's process, as far as we have heard.
    pub fn is_served_by(&self, live: &Arc<Connection>) -> bool {
        self.now().live.as_ref().is_some_and(|own| Arc::ptr_eq(own, live))
    }
}

impl Engine {
    /// Prepares a session, and returns its id.
    pub fn exec_create(&self, reference: &str, request: &api::ExecCreateRequest) -> Result<String> {
        let container = self.container(reference)?;
        ensure_runs(&container, reference)?;
        if request.cmd.as_ref().is_none_or(Vec::is_empty) {
            return Err(Error::new(ErrorKind::InvalidParameter, "No exec command specified"));
        }
        let session = Arc::new(Session {
            id: names::random_id(),
            container: container.id.clone(),
            request: request.clone(),
            detach_keys: Some(request.detach_keys.clone()).filter(|keys| !keys.is_empty()),
            now: Mutex::default(),
            ended: Condvar::new(),
        });
        let id = session.id.clone();
        self.tell_of_session("exec_create", &session, &container, &[]);
        let mut sessions = self.sessions.table();
        sessions.retain(|_, session| session.now().ended_at.is_none_or(|ended| ended.elapsed() < REMEMBERED));
        sessions.insert(id.clone(), session);
        Ok(id)
    }

    /// What a session is, and how it ended.
    pub fn exec_inspect(&self, id: &str) -> Result<api::ExecInspectResponse> {
        let session = self.session(id)?;
        let command = session.request.cmd.clone().unwrap_or_default();
        let now = session.settled(&self.session_folder(id));
        Ok(api::ExecInspectResponse {
            id: session.id.clone(),
            running: now.live.is_some(),
            exit_code: now.exit_code.map(i64::from),
            process_config: api::ExecProcessConfig {
                tty: session.request.tty,
                entrypoint: command.first().cloned().unwrap_or_default(),
                arguments: command.get(1..).unwrap_or_default().to_vec(),
                privileged: session.request.privileged,
                user: session.request.user.clone(),
            },
            open_stdin: session.request.attach_stdin,
            open_stderr: session.request.attach_stderr,
            open_stdout: session.request.attach_stdout,
            can_remove: now.exit_code.is_some(),
            container_id: session.container.clone(),
            detach_keys: session.detach_keys.clone().unwrap_or_default(),
            pid: now.pid.into(),
        })
    }

    /// Starts a session that nobody watches.
    pub fn exec_start_detached(self: &Arc<Engine>, id: &str, terminal: bool) -> Result<()> {
        let session = self.startable_session(id, terminal)?;
        self.exec_run(&session, None, None)
    }

    /// Sets the size of a session's terminal, in characters.
    pub fn exec_resize(&self, id: &str, width: u16, height: u16) -> Result<()> {
        let session = self.session(id)?;
        let live = session.now().live.clone();
        let not_running = || Error::new(ErrorKind::NotFound, format!("No such exec instance: {id}"));
        live.ok_or_else(not_running)?.resize(width, height).map_err(Error::system)
    }

    /// A session that may be started, and only once.
    pub fn startable_session(&self, id: &str, terminal: bool) -> Result<Arc<Session>> {
        let session = self.session(id)?;
        let container = self.container(&session.container)?;
        ensure_runs(&container, &container.id)?;
        if terminal != session.request.tty {
            let message = "the terminal that exec start asks for is not what exec create asked for";
            return Err(Error::new(ErrorKind::InvalidParameter, message));
        }
        let mut now = session.now();
        if now.ended_at.is_some() {
            let message = format!("Error: Exec command {id} has already run");
            return Err(Error::new(ErrorKind::Conflict, message));
        }
        if std::mem::replace(&mut now.started, true) {
            let message = format!("Error: Exec command {id} is already running");
            return Err(Error::new(ErrorKind::Conflict, message));
        }
        drop(now);
        Ok(session)
    }

    fn session(&self, id: &str) -> Result<Arc<Session>> {
        let found = self.sessions.table().get(id).cloned();
        found.ok_or_else(|| Error::new(ErrorKind::NotFound, format!("No such exec instance: {id}")))
    }

    /// The ids of a container's sessions that run.
    pub fn sessions_of(&self, container: &str) -> Vec<String> {
        let sessions = self.sessions.table();
        let own = sessions
            .values()
            .filter(|session| session.container == container && session.now().live.is_some());
        own.map(|session| session.id.clone()).collect()
    }

    /// Forgets the sessions of a container that is gone.
    pub fn forget_sessions(&self, container: &str) {
        self.sessions.table().retain(|_, session| session.container != container);
    }

    /// The folder that a session's supervisor and the daemon meet in.
    pub fn session_folder(&self, id: &str) -> PathBuf {
        self.places.exec_root.join("exec").join(id)
    }

    /// Nothing of a session's run folder is needed once its end has been heard of.
    pub fn delete_session_folder(&self, id: &str) {
        if let Err(error) = crate::containers::remove_tree(&self.session_folder(id)) {
            tracing::warn!(session = id, %error, "the run folder stays");
        }
    }

    /// Takes note of a session's end, and only then lets go of the folder that says so as well.
    pub fn session_ended(&self, session: &Session, exit: Exit) {
        session.ends(exit.code);
        self.delete_session_folder(&session.id);
        if let Ok(container) = self.container(&session.container) {
            let code = [("exitCode", exit.code.to_string())];
            self.tell_of_session("exec_die", session, &container, &code);
        }
    }

    fn tell_of_session(
        &self,
        action: &str,
        session: &Session,
        container: &Container,
        more: &[(&str, String)],
    ) {
        let mut attributes = container.inside().event_attributes();
        attributes.insert("execID".to_owned(), session.id.clone());
        attributes.extend(more.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
        // An end has no command line behind it.
        let action = match more {
            [] => format!("{action}: {}", session.request.cmd.clone().unwrap_or_default().join(" ")),
            _ => action.to_owned(),
        };
        self.events.publish("container", action, &container.id, attributes);
    }
}

/// How long the watcher may take to hear what a supervisor has said.
const HEARING: Duration = Duration::from_secs(10);

/// Whether a supervisor is gone.
fn has_hung_up(live: &Connection) -> bool {
    // Hanging up is told without being asked for.
    let mut descriptors = [PollFd::new(live.as_fd(), PollFlags::empty())];
    poll(&mut descriptors, PollTimeout::ZERO).is_ok_and(|ready| ready > 0)
}

fn ensure_runs(container: &Container, reference: &str) -> Result<()> {
    let inside = container.inside();
    inside.running()?;
    if let supervisor::states::State::Paused(_) = inside.state() {
        let message = format!("Container {reference} is paused, unpause the container before exec");
        return Err(Error::new(ErrorKind::Conflict, message));
    }
    Ok(())
}
