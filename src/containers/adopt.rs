//! Adoption: what a new daemon makes of the containers that it finds, whatever the old one was doing when it ended.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use runtime::Identity;
use supervisor::states::{Process, State};
use supervisor::{Connection, Event, Exit};

use super::{Container, Record, remove, watch};
use crate::engine::Engine;
use crate::error::{Error, Result};

/// What dockerd says of a container that was running when the machine went down.
const LOST_WITH_THE_MACHINE: i32 = 255;

/// What is left of a container in the exec root.
enum Found {
    /// Its supervisor answers: it runs.
    Running(Connection, Process, Identity),
    /// It ended while no daemon listened.
    Ended(Exit),
    /// Its supervisor was killed, or had not started it yet.
    Lost,
    /// Nothing.
    Nothing,
}

impl Engine {
    /// Reads every container's record, finds out what became of it, and removes what was half made or half removed.
    pub fn adopt(self: &Arc<Engine>) -> Result<()> {
        for folder in folders_in(&self.places.data_root.join("containers"))? {
            let record = match Record::read(&folder) {
                Ok(record) if folder.ends_with(&record.id) => record,
                // Without a record it never was acknowledged; under another name it was being removed.
                Ok(_) => {
                    delete(&folder);
                    continue;
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    delete(&folder);
                    continue;
                }
                Err(error) => {
                    tracing::error!(folder = %folder.display(), %error, "a container cannot be read; it is left alone");
                    continue;
                }
            };
            self.adopt_container(record)?;
        }
        self.delete_strays()?;
        self.networks.remove_stale();
        Ok(())
    }

    fn adopt_container(self: &Arc<Engine>, record: Record) -> Result<()> {
        let (name, id) = (record.name.clone(), record.id.clone());
        let folder = self.run_folder(&id);
        let was = record.state.clone();
        let container = Container::new(record);
        self.names().insert(&name, container.clone());
        match find(&folder)? {
            Found::Running(live, process, target) => {
                return self.adopt_running(&container, live, process, target);
            }
            // The old daemon had recorded it, and was killed before it could clean up.
            Found::Ended(exit) if ended_at(&was) == Some(exit.finished_at.as_str()) => delete(&folder),
            Found::Ended(exit) => {
                container.inside().record.state = running_before(was.clone(), &exit.finished_at);
                self.container_ended(&container, exit);
            }
            Found::Lost => {
                supervisor::destroy(&folder).map_err(Error::system)?;
                match was.process() {
                    Some(_) => self.container_ended(&container, watch::killed_exit()),
                    None => delete(&folder),
                }
            }
            Found::Nothing if was.process().is_some() => {
                let exit = Exit { code: LOST_WITH_THE_MACHINE, ..watch::killed_exit() };
                self.container_ended(&container, Exit { signal: None, ..exit });
            }
            Found::Nothing => {}
        }
        self.finish_removal(&container, &was);
        Ok(())
    }

    /// A removal that was begun is carried on; a container with `--rm` that has ended is removed.
    fn finish_removal(&self, container: &Container, was: &State) {
        match was {
            State::Removing => {
                container.inside().record.state =
                    State::Dead { reason: "its removal was interrupted".to_owned() };
                self.remove_ended(container);
            }
            State::Exited { .. } if container.inside().record.host_config.auto_remove => {
                self.remove_ended(container)
            }
            _ => {}
        }
    }

    fn adopt_running(
        self: &Arc<Engine>,
        container: &Arc<Container>,
        live: Connection,
        process: Process,
        target: Identity,
    ) -> Result<()> {
        let live = Arc::new(live);
        {
            let mut inside = container.inside();
            let frozen = self.is_frozen(&inside.record);
            inside.record.state = if frozen { State::Paused(process) } else { State::Running(process) };
            inside.start_time = target.start_time;
            inside.live = Some(live.clone());
            inside.endpoint = match self.networks.adopt(&inside.record, &self.run_folder(&container.id)) {
                Ok(endpoint) => endpoint,
                Err(error) => {
                    tracing::warn!(container = container.id, %error, "the container's place on the bridge is not known");
                    None
                }
            };
        }
        tracing::info!(container = container.id, "adopted");
        self.watcher.add_container(container, &live)
    }

    /// Run folders without a container, exec sessions of the old daemon, volumes of containers that are no more.
    fn delete_strays(&self) -> Result<()> {
        let known: Vec<String> = self.names().all().iter().map(|container| container.id.clone()).collect();
        let [containers, sessions] = self.run_folders();
        for folder in folders_in(&containers)?.into_iter().filter(|folder| !is_named_in(folder, &known)) {
            end_and_delete(&folder);
        }
        for folder in folders_in(&sessions)? {
            self.adopt_session(&folder)?;
        }
        let containers = self.names().all();
        let volumes: Vec<String> = containers
            .iter()
            .flat_map(|c| c.inside().record.volumes.clone())
            .map(|volume| volume.name)
            .collect();
        for folder in folders_in(&self.places.data_root.join("volumes"))? {
            if !is_named_in(&folder, &volumes) {
                delete(&folder);
            }
        }
        Ok(())
    }

    /// A session that still runs is waited for, though nobody can ask for it any more; others are cleaned up after.
    fn adopt_session(&self, folder: &Path) -> Result<()> {
        let id = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match find(folder)? {
            Found::Running(live, ..) => self.watcher.add_stray(id, Arc::new(live)),
            Found::Ended(_) | Found::Nothing => {
                delete(folder);
                Ok(())
            }
            Found::Lost => {
                end_and_delete(folder);
                Ok(())
            }
        }
    }
}

fn ended_at(state: &State) -> Option<&str> {
    match state {
        State::Exited { exit, .. } => Some(&exit.finished_at),
        _ => None,
    }
}

/// The state just before an end that nobody heard of. The start may not have been heard of either.
fn running_before(was: State, finished_at: &str) -> State {
    match was {
        State::Running(_) | State::Paused(_) => was,
        _ => State::Running(Process { pid: 0, started_at: finished_at.to_owned() }),
    }
}

/// How long a supervisor may take from its daemon's end to its own, or to the start that it was told just before.
const SETTLING: Duration = Duration::from_secs(10);

/// What is there once it is settled: a supervisor in the middle of making its container learns only afterwards that its
/// daemon has gone, or that it was told to start.
fn find(folder: &Path) -> Result<Found> {
    let deadline = Instant::now() + SETTLING;
    loop {
        match find_now(folder)? {
            Found::Lost if Instant::now() < deadline && has_supervisor(folder) => {
                std::thread::sleep(Duration::from_millis(2));
            }
            found => return Ok(found),
        }
    }
}

fn has_supervisor(folder: &Path) -> bool {
    supervisors().any(|(_, of)| of == folder)
}

/// The processes that call themselves supervisors, as [`supervisor::launch`] names them, and of which folders.
pub fn supervisors() -> impl Iterator<Item = (u32, PathBuf)> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    processes.filter_map(|process| {
        let line = fs::read(process.path().join("cmdline")).ok()?;
        let folder = line.strip_prefix(b"supervise\0supervise\0")?.strip_suffix(b"\0")?;
        Some((process.file_name().to_str()?.parse().ok()?, OsStr::from_bytes(folder).into()))
    })
}

fn find_now(folder: &Path) -> Result<Found> {
    if !folder.exists() {
        return Ok(Found::Nothing);
    }
    if let Some(live) = supervisor::connect(folder).map_err(Error::system)?
        && let Some((process, target)) = introduced(&live)?
    {
        return Ok(Found::Running(live, process, target));
    }
    // Asked after the connection has failed: a supervisor writes its last word before it goes.
    Ok(supervisor::read_exit(folder).map_err(Error::system)?.map_or(Found::Lost, Found::Ended))
}

/// A supervisor introduces itself by `Created` and `Started`. One that was never told to start ends with the daemon that
/// launched it, and says no more.
fn introduced(live: &Connection) -> Result<Option<(Process, Identity)>> {
    let mut target = None;
    loop {
        // A connection that breaks is one that a supervisor has not taken any more.
        match live.next_event().unwrap_or(None) {
            Some(Event::Created(found)) => target = Some(found),
            Some(Event::Started { at }) => {
                let Some(target) = target else { return Ok(None) };
                return Ok(Some((Process { pid: target.pid, started_at: at }, target)));
            }
            Some(Event::Detached) => {}
            // It ends right now: its exit.json says how.
            Some(Event::Exited(_) | Event::Failed(_)) | None => return Ok(None),
        }
    }
}

fn folders_in(folder: &Path) -> Result<Vec<PathBuf>> {
    match fs::read_dir(folder) {
        Ok(entries) => Ok(entries.flatten().map(|entry| entry.path()).collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(Error::system(error)),
    }
}

fn is_named_in(folder: &Path, names: &[String]) -> bool {
    folder.file_name().is_some_and(|own| names.iter().any(|name| own == name.as_str()))
}

fn end_and_delete(folder: &Path) {
    if let Err(error) = supervisor::destroy(folder) {
        tracing::warn!(folder = %folder.display(), %error, "what a killed supervisor left cannot be ended");
    }
    delete(folder);
}

fn delete(folder: &Path) {
    if let Err(error) = remove::remove_tree(folder) {
        tracing::warn!(folder = %folder.display(), %error, "a stale folder stays");
    }
}
