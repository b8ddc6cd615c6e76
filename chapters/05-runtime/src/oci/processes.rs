//! `exec`: one more process in a container.

mod asked;

use super::descriptors::Descriptors;
use super::foreground::Foreground;
use super::making::{stdio, write_pid};
use super::store::{Entry, Status, Store};
use crate::{Addition, Created, Error, ErrorKind, Result, Stdio};
use asked::Changes;
use clap::Args;
use oci_spec::runtime::{Process, Spec};
use std::path::PathBuf;

#[derive(Args)]
pub struct Exec {
    /// The container
    id: String,
    /// The command and its arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<String>,
    /// Read the whole process from this file instead
    #[arg(short, long, value_name = "FILE")]
    process: Option<PathBuf>,
    #[command(flatten)]
    changes: Changes,
    /// Give it a terminal
    #[arg(short, long)]
    tty: bool,
    /// Do not wait for it
    #[arg(short, long)]
    detach: bool,
    /// Write its number to this file
    #[arg(long, value_name = "FILE")]
    pid_file: Option<PathBuf>,
    /// A Unix socket to which its terminal's master is sent
    #[arg(long, value_name = "SOCKET")]
    console_socket: Option<PathBuf>,
    /// How many descriptors after the standard three it inherits
    #[arg(long, value_name = "N", default_value_t = 0)]
    preserve_fds: u32,
    /// Also in a container that is paused
    #[arg(long)]
    ignore_paused: bool,
    /// A cgroup below the container's own, which must be there
    #[arg(long, value_name = "PATH")]
    cgroup: Option<String>,
    /// Not supported
    #[arg(long, value_name = "LABEL")]
    process_label: Option<String>,
    /// Not supported
    #[arg(long, value_name = "PROFILE")]
    apparmor: Option<String>,
}

impl Exec {
    pub fn run(&self, store: &Store) -> Result<u8> {
        self.refuse_labels()?;
        let mut entry = store.open(&self.id)?;
        let descriptors = Descriptors::inherited(self.preserve_fds)?;
        let status = entry.status();
        self.check_status(status)?;
        if status == Status::Paused {
            // The process stands still as soon as it is in the group: whoever lets that go on must not wait for us.
            entry.unlock();
        }
        let spec = entry.spec()?;
        let mut process = self.process(&spec)?;
        descriptors.tell(&mut process);
        let foreground = (!self.detach).then(Foreground::begin).transpose()?;
        let stdio = self.stdio(&process, foreground.as_ref())?;
        let created = self.add(&entry, &spec, (&process, descriptors.count()), stdio)?;
        if let Some(path) = &self.pid_file {
            write_pid(path, created.identity)?;
        }
        created.start()?;
        // Other commands may come while it runs.
        drop(entry);
        foreground.map_or(Ok(0), |foreground| foreground.wait(&created))
    }

    fn refuse_labels(&self) -> Result<()> {
        for (flag, value) in [("--process-label", &self.process_label), ("--apparmor", &self.apparmor)] {
            if value.is_some() {
                return Err(Error::not_supported(flag));
            }
        }
        Ok(())
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

    /// The container's own process with another command, and with what else is asked; or the whole from a file.
    fn process(&self, spec: &Spec) -> Result<Process> {
        if let Some(path) = &self.process {
            return asked::read(path);
        }
        if self.command.is_empty() {
            return Err(Error::invalid("process args cannot be empty"));
        }
        let mut process = spec.process().clone().ok_or_else(|| Error::invalid("process is missing"))?;
        process.set_args(Some(self.command.clone()));
        process.set_terminal(Some(self.tty));
        process.set_console_size(None);
        if self.changes != Changes::default() {
            self.changes.make(&mut process)?;
        }
        Ok(process)
    }

    /// Our own terminal, if we wait in front of it; else what a caller has for it.
    fn stdio(&self, process: &Process, foreground: Option<&Foreground>) -> Result<Stdio> {
        let has_terminal = process.terminal().unwrap_or_default();
        match foreground {
            Some(foreground) if has_terminal && self.console_socket.is_none() => Ok(foreground.terminal()),
            _ => stdio(has_terminal, self.console_socket.as_deref(), None),
        }
    }

    /// Makes it. An error gets runc's frame.
    fn add(
        &self,
        entry: &Entry,
        spec: &Spec,
        (process, preserved_descriptors): (&Process, u32),
        stdio: Stdio,
    ) -> Result<Created> {
        let own = entry.record.cgroup.clone();
        let cgroup = match &self.cgroup {
            Some(path) => Some(asked::group_below(own, path)?),
            None => own,
        };
        let addition = Addition {
            container: &self.id,
            target: entry.process()?,
            cgroup: cgroup.as_deref(),
            process,
            seccomp: spec.linux().as_ref().and_then(|linux| linux.seccomp().as_ref()),
            preserved_descriptors,
            state: Some(entry.state("running")),
        };
        crate::exec(&addition, stdio).map_err(|error| {
            Error::new(error.kind(), format!("exec failed: unable to start container process: {error}"))
        })
    }
}
