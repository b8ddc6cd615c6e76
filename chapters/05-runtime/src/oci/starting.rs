//! `create`, `start`, `run`.

use super::foreground::Foreground;
use super::making::Making;
use super::store::{Entry, Status, Store};
use super::{later_hooks, scope};
use crate::{Bundle, Created, Error, ErrorKind, Result, gate};
use clap::Args;

#[derive(Args)]
pub struct Create {
    #[command(flatten)]
    making: Making,
}

#[derive(Args)]
pub struct Run {
    #[command(flatten)]
    making: Making,
    /// Do not wait for it
    #[arg(short, long)]
    detach: bool,
    /// Do not remove the container when it has ended
    #[arg(long)]
    keep: bool,
    /// Accepted: processes that lose their parent are never taken over here
    #[arg(long)]
    no_subreaper: bool,
}

impl Create {
    pub fn run(&self, store: &Store) -> Result<u8> {
        let (mut entry, bundle) = self.making.prepare(store)?;
        let stdio = self.making.exchange.stdio(bundle.spec.process().as_ref(), None);
        let made = stdio.and_then(|stdio| {
            let gate = gate::named(&entry.folder)?;
            self.making.make(&mut entry, &bundle, stdio, gate)
        });
        match made.and_then(|_waits| gate::finish_named(&entry.folder)) {
            Ok(()) => Ok(0),
            Err(error) => Err(undo(entry, "create", error)),
        }
    }
}

impl Run {
    pub fn run(&self, store: &Store) -> Result<u8> {
        let (mut entry, bundle) = self.making.prepare(store)?;
        // Before the container exists, so that no signal is lost.
        let foreground = (!self.detach).then(Foreground::begin).transpose()?;
        let created = match self.make(&mut entry, &bundle, foreground.as_ref()) {
            Ok(created) => created,
            Err(error) => return Err(undo(entry, "run", error)),
        };
        // Other commands may come while it runs.
        drop(entry);
        let Some(foreground) = foreground else { return Ok(0) };
        let code = foreground.wait(&created);
        if !self.keep {
            // Unless another command has done so meanwhile.
            match store.open(&self.making.id) {
                Ok(entry) if entry.record.process == Some(created.identity) => remove(entry)?,
                _ => {}
            }
        }
        code
    }

    /// Makes it and starts it.
    fn make(&self, entry: &mut Entry, bundle: &Bundle, foreground: Option<&Foreground>) -> Result<Created> {
        let stdio = self.making.exchange.stdio(bundle.spec.process().as_ref(), foreground)?;
        let created = self.making.make(entry, bundle, stdio, gate::unnamed()?)?;
        created.start()?;
        entry.record.has_later_hooks.then(|| later_hooks::after_start(entry)).transpose()?;
        Ok(created)
    }
}

/// Opens the gate of a container that was created.
pub fn start(store: &Store, id: &str) -> Result<u8> {
    let entry = store.open(id)?;
    let refused = |why: &str| Err(Error::new(ErrorKind::Conflict, why));
    match entry.status() {
        Status::Created => {}
        Status::Stopped => return refused("cannot start a container that has stopped"),
        Status::Running => return refused("cannot start an already running container"),
        // Paused; or left by a `create` that was killed, since one that is at work has the lock.
        status => return refused(&format!("cannot start a container in the {status} state")),
    }
    let Some(keeper) = gate::open_named(&entry.folder)? else {
        return refused("cannot start a container that has stopped");
    };
    let started = keeper.start();
    entry.forget_gate();
    started?;
    if entry.record.has_later_hooks {
        later_hooks::after_start(&entry)?;
    }
    Ok(0)
}

/// Ends what is left of a container, and forgets it.
pub fn remove(entry: Entry) -> Result<()> {
    match (&entry.record.unit, entry.record.process) {
        (Some(unit), _) => scope::end(&entry, unit)?,
        (None, Some(process)) => crate::destroy(process, entry.record.cgroup.as_deref())?,
        // Whoever made it was killed between the record and the process.
        (None, None) => entry.cgroup()?.map(|cgroup| cgroup.remove()).transpose().map(drop)?,
    }
    if entry.record.has_later_hooks { later_hooks::remove(entry) } else { entry.remove() }
}

/// Nothing is left of a container that could not be made; the error gets runc's frame.
pub fn undo(entry: Entry, verb: &str, error: Error) -> Error {
    let _ = remove(entry);
    let message = format!("{verb} failed: unable to start container process: {error}");
    Error::new(error.kind(), message)
}
