//! `exec`: one more process in a container.

mod asked;

use super::descriptors::Descriptors;
use super::exchange::Exchange;
use super::foreground::Foreground;
use super::store::{Entry, Status, Store};
use super::{making, unknown_capabilities};
use crate::{Addition, Created, Error, ErrorKind, Result, Stdio};
use asked::Asked;
use clap::Args;
use oci_spec::runtime::{Process, Spec};

#[derive(Args)]
pub struct Exec {
    /// The container
    id: String,
    /// The command and its arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<String>,
    /// Give it a terminal
    #[arg(short, long)]
    tty: bool,
    /// Do not wait for it
    #[arg(short, long)]
    detach: bool,
    #[command(flatten)]
    exchange: Exchange,
    /// Also in a container that is paused
    #[arg(long)]
    ignore_paused: bool,
    #[command(flatten)]
    asked: Asked,
}

impl Exec {
    pub fn run(&self, store: &Store) -> Result<u8> {
        let descriptors = Descriptors::promised(self.exchange.preserve_fds)?;
        let mut entry = store.open(&self.id)?;
        let status = entry.status();
        self.check_status(status)?;
        if status == Status::Paused {
            // The process stands still as soon as it is in the group: whoever lets that go on must not wait for us.
            entry.unlock();
        }
        let spec = entry.spec()?;
        let process = self.process(&spec)?;
        let foreground = (!self.detach).then(Foreground::begin).transpose()?;
        let stdio = self.exchange.stdio(Some(&process), foreground.as_ref())?;
        let created = self.add(&entry, &spec, (&process, descriptors.count()), stdio)?;
        self.exchange.tell(created.identity)?;
        created.start()?;
        // Other commands may come while it runs.
        drop(entry);
        foreground.map_or(Ok(0), |foreground| foreground.wait(&created))
    }

    fn check_status(&self, status: Status) -> Result<()> {
        let refused = |why: &str| Err(Error::new(ErrorKind::Conflict, why));
        match status {
            Status::Running | Status::Created => Ok(()),
            Status::Paused if self.ignore_paused => Ok(()),
            Status::Paused => refused("cannot exec in a paused container (use --ignore-paused to override)"),
            Status::Creating | Status::Stopped => refused("cannot exec in a stopped container"),
        }
    }

    /// The container's own process with another command, and with what else is asked.
    fn process(&self, spec: &Spec) -> Result<Process> {
        let mut process = spec.process().clone().ok_or_else(|| Error::invalid("process is missing"))?;
        process.set_args(Some(self.command.clone()));
        process.set_terminal(Some(self.tty));
        process.set_console_size(None);
        if self.asked != Asked::default() {
            process = self.asked.change(process)?;
            let missing = making::missing_capabilities(spec, Some(&process))?;
            missing.into_iter().for_each(unknown_capabilities::warn_of);
        }
        if process.args().as_ref().is_none_or(|command| command.is_empty()) {
            return Err(Error::invalid("process args cannot be empty"));
        }
        Ok(process)
    }

    /// Makes it. An error gets runc's frame.
    fn add(&self, entry: &Entry, spec: &Spec, process: (&Process, u32), stdio: Stdio) -> Result<Created> {
        let cgroup = match &self.asked.cgroup[..] {
            [] => entry.cgroup()?,
            below => Some(asked::group_below(entry.record.cgroup.as_deref(), below)?),
        };
        let addition = Addition {
            container: &self.id,
            target: entry.process()?,
            cgroup: cgroup.as_ref(),
            process: process.0,
            seccomp: spec.linux().as_ref().and_then(|linux| linux.seccomp().as_ref()),
            preserved_descriptors: process.1,
            state: Some(entry.state("running")),
        };
        crate::exec(&addition, stdio).map_err(framed)
    }
}

fn framed(error: Error) -> Error {
    Error::new(error.kind(), format!("exec failed: unable to start container process: {error}"))
}
