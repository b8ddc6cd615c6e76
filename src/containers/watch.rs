//! The watcher: one thread that hears from every supervisor, and takes note of what ends.

use std::collections::HashMap;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use supervisor::{Connection, Event, Exit};

use super::Container;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::exec::Session;

/// The supervisors that are listened to. No thread per container: a hundred sleepers cost a hundred table entries.
pub struct Watcher {
    epoll: Epoll,
    watched: Mutex<Table>,
    /// Written to end the thread.
    ending: (UnixStream, UnixStream),
}

#[derive(Default)]
struct Table {
    last_token: u64,
    entries: HashMap<u64, Watched>,
}

/// One supervisor, until it closes its end.
#[derive(Clone)]
struct Watched {
    live: Arc<Connection>,
    whose: Whose,
}

#[derive(Clone)]
enum Whose {
    Container(Arc<Container>),
    Session(Arc<Session>),
    /// A session of an older daemon, by its id.
    Stray(String),
}

/// The thread, and how to end it.
pub struct Watching {
    engine: Arc<Engine>,
    thread: JoinHandle<()>,
}

impl Watcher {
    /// A watcher of nothing yet.
    pub fn new() -> Result<Watcher> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).map_err(Error::system)?;
        let ending = UnixStream::pair().map_err(Error::system)?;
        epoll.add(&ending.0, EpollEvent::new(EpollFlags::EPOLLIN, ENDING)).map_err(Error::system)?;
        Ok(Watcher { epoll, watched: Mutex::default(), ending })
    }

    /// Listens to a container's supervisor from now on; what it said before is heard too.
    pub fn add_container(&self, container: &Arc<Container>, live: &Arc<Connection>) -> Result<()> {
        self.add(Watched { live: live.clone(), whose: Whose::Container(container.clone()) })
    }

    /// The same for an exec session's.
    pub fn add_session(&self, session: &Arc<Session>, live: &Arc<Connection>) -> Result<()> {
        self.add(Watched { live: live.clone(), whose: Whose::Session(session.clone()) })
    }

    /// The same for the session of an older daemon, which nobody can ask for: it is only cleaned up after.
    pub fn add_stray(&self, id: String, live: Arc<Connection>) -> Result<()> {
        self.add(Watched { live, whose: Whose::Stray(id) })
    }

    fn add(&self, watched: Watched) -> Result<()> {
        let mut table = self.table();
        table.last_token += 1;
        let token = table.last_token;
        let live = watched.live.clone();
        table.entries.insert(token, watched);
        self.epoll.add(live.as_fd(), EpollEvent::new(EpollFlags::EPOLLIN, token)).map_err(Error::system)
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whose supervisor has something to say, perhaps nobody's until the patience ends; none: the thread shall end.
    fn wait(&self, patience: EpollTimeout) -> nix::Result<Option<Vec<u64>>> {
        let mut events = [EpollEvent::empty(); 32];
        let count = match self.epoll.wait(&mut events, patience) {
            Err(Errno::EINTR) => 0,
            result => result?,
        };
        let tokens: Vec<u64> = events[..count].iter().map(EpollEvent::data).collect();
        Ok(Some(tokens).filter(|tokens| !tokens.contains(&ENDING)))
    }

    fn remove(&self, token: u64) {
        if let Some(watched) = self.table().entries.remove(&token) {
            // The descriptor is open still, since the table held it; the kernel has no other reason to refuse.
            let _ = self.epoll.delete(watched.live.as_fd());
        }
    }
}

/// After so long without an event, the memory that the last ones took is given back to the kernel.
const QUIET_MILLISECONDS: u16 = 5000;

/// The token of the watcher's own descriptor; those of supervisors count from one.
const ENDING: u64 = 0;

impl Engine {
    /// Starts the watcher's thread.
    pub fn watch(self: Arc<Engine>) -> Result<Watching> {
        let engine = self.clone();
        let thread = std::thread::Builder::new().name("watcher".to_owned()).stack_size(256 * 1024);
        let thread = thread.spawn(move || engine.listen()).map_err(Error::system)?;
        Ok(Watching { engine: self, thread })
    }

    fn listen(self: Arc<Engine>) {
        let mut patience = EpollTimeout::NONE;
        loop {
            match self.watcher.wait(patience) {
                Ok(Some(tokens)) if tokens.is_empty() => {
                    kernel::trim_heap();
                    patience = EpollTimeout::NONE;
                }
                Ok(Some(tokens)) => {
                    tokens.into_iter().for_each(|token| self.hear(token));
                    patience = EpollTimeout::from(QUIET_MILLISECONDS);
                }
                Ok(None) => return,
                Err(error) => {
                    tracing::error!(%error, "the watcher cannot wait for supervisors");
                    return;
                }
            }
        }
    }

    fn hear(self: &Arc<Engine>, token: u64) {
        let Some(watched) = self.watcher.table().entries.get(&token).cloned() else {
            return;
        };
        match watched.live.next_event() {
            Ok(Some(Event::Exited(exit))) => self.ended(&watched.whose, exit),
            Ok(Some(event)) => tracing::debug!(?event, "a supervisor reports"),
            Ok(None) => {
                self.watcher.remove(token);
                self.vanished(&watched);
            }
            Err(error) => {
                tracing::warn!(%error, "a supervisor cannot be understood");
                self.watcher.remove(token);
                self.vanished(&watched);
            }
        }
    }

    fn ended(self: &Arc<Engine>, whose: &Whose, exit: Exit) {
        match whose {
            Whose::Container(container) => self.container_ended(container, exit),
            Whose::Session(session) => self.session_ended(session, exit),
            Whose::Stray(id) => self.delete_session_folder(id),
        }
    }

    /// After its report a supervisor's end is expected. Without one it was killed: then what it left is ended, too.
    fn vanished(self: &Arc<Engine>, watched: &Watched) {
        let (folder, expected) = match &watched.whose {
            Whose::Container(container) => {
                (self.run_folder(&container.id), !container.is_served_by(&watched.live))
            }
            Whose::Session(session) => {
                (self.session_folder(&session.id), !session.is_served_by(&watched.live))
            }
            Whose::Stray(id) => (self.session_folder(id), false),
        };
        if expected {
            return;
        }
        let exit = match supervisor::read_exit(&folder) {
            Ok(Some(exit)) => exit,
            _ => {
                if let Err(error) = supervisor::destroy(&folder) {
                    tracing::warn!(%error, "what a killed supervisor left cannot be ended");
                }
                killed_exit()
            }
        };
        self.ended(&watched.whose, exit);
    }
}

/// How a container ended whose supervisor was killed before it could say: with it, by SIGKILL.
pub fn killed_exit() -> Exit {
    Exit { code: 137, signal: Some(9), oom_killed: false, finished_at: jiff::Timestamp::now().to_string() }
}

impl Watching {
    /// Ends the thread; supervisors and their containers are not concerned.
    pub fn stop(self) {
        use std::io::Write;
        // A thread that has ended already needs no word, and one that panicked has been logged.
        let _ = (&self.engine.watcher.ending.1).write_all(b"x");
        let _ = self.thread.join();
    }
}
