//! `exec`: one more process in a container.

use super::descriptors::Descriptors;
use super::foreground::Foreground;
use super::making::{stdio, write_pid};
use super::store::{Status, Store};
use crate::document::from_json;
use crate::plan::State;
use crate::{Addition, Error, ErrorKind, Result};
use clap::Args;
use kernel::Strace;
use oci_spec::runtime::{Capability, LinuxCapabilities, Process, Spec, User};
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
    /// Its working directory
    #[arg(long, value_name = "DIR")]
    cwd: Option<PathBuf>,
    /// NAME=value for its environment
    #[arg(short, long, value_name = "NAME=VALUE")]
    env: Vec<String>,
    /// `UID[:GID]`
    #[arg(short, long, value_name = "UID[:GID]")]
    user: Option<String>,
    /// Further groups
    #[arg(short = 'g', long, value_name = "GID")]
    additional_gids: Vec<u32>,
    /// A further capability
    #[arg(short, long, value_name = "NAME")]
    cap: Vec<String>,
    /// No execve gives it more privileges
    #[arg(long)]
    no_new_privs: bool,
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
        for (flag, value) in [("--process-label", &self.process_label), ("--apparmor", &self.apparmor)] {
            if value.is_some() {
                return Err(Error::not_supported(flag));
            }
        }
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
        let has_terminal = process.terminal().unwrap_or_default();
        let foreground = (!self.detach).then(Foreground::begin).transpose()?;
        let stdio = match &foreground {
            Some(foreground) if has_terminal && self.console_socket.is_none() => foreground.terminal(),
            _ => stdio(has_terminal, self.console_socket.as_deref(), None)?,
        };
        let cgroup = self.cgroup_below(entry.record.cgroup.as_deref())?;
        let target = entry.process()?;
        let state = State::new(&spec, &self.id, entry.record.bundle.clone());
        let addition = Addition {
            container: &self.id,
            target,
            cgroup: cgroup.as_deref(),
            process: &process,
            seccomp: spec.linux().as_ref().and_then(|linux| linux.seccomp().as_ref()),
            preserved_descriptors: descriptors.count(),
            state: Some(State { status: "running", pid: target.pid, ..state }),
        };
        let failed = |error: Error| {
            Error::new(error.kind(), format!("exec failed: unable to start container process: {error}"))
        };
        let created = crate::exec(&addition, stdio).map_err(failed)?;
        if let Some(path) = &self.pid_file {
            write_pid(path, created.identity)?;
        }
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

    /// The container's own group, or one that its processes have made below it.
    fn cgroup_below(&self, own: Option<&str>) -> Result<Option<String>> {
        let Some(path) = &self.cgroup else { return Ok(own.map(String::from)) };
        let own = own.ok_or_else(|| Error::not_supported("--cgroup, in a container without a cgroup,"))?;
        if path.contains(':') || path.split('/').any(|part| part == "..") {
            let why = format!("--cgroup {path:?}: must be the path of a group below the container's own");
            return Err(Error::invalid(why));
        }
        Ok(Some(format!("{own}/{}", path.trim_matches('/'))))
    }

    /// The container's own process, with what the flags change; or the whole from a file.
    fn process(&self, spec: &Spec) -> Result<Process> {
        if let Some(path) = &self.process {
            let bytes = std::fs::read(path).strace(|| format!("read({path:?})"))?;
            return from_json(&bytes).map_err(|error| Error::invalid(format!("{}: {error}", path.display())));
        }
        if self.command.is_empty() {
            return Err(Error::invalid("process args cannot be empty"));
        }
        let mut process = spec.process().clone().ok_or_else(|| Error::invalid("process is missing"))?;
        process.set_args(Some(self.command.clone()));
        process.set_terminal(Some(self.tty));
        process.set_console_size(None);
        if let Some(folder) = &self.cwd {
            process.set_cwd(folder.clone());
        }
        let mut environment = process.env().clone().unwrap_or_default();
        for entry in &self.env {
            // In the place of one of the same name, which a program might find first.
            let name = |entry: &str| entry.split('=').next().map(String::from);
            environment.retain(|own| name(own) != name(entry));
            environment.push(entry.clone());
        }
        process.set_env(Some(environment));
        if self.no_new_privs {
            process.set_no_new_privileges(Some(true));
        }
        if self.user.is_some() || !self.additional_gids.is_empty() {
            let user = self.user(process.user())?;
            process.set_user(user);
        }
        if !self.cap.is_empty() {
            let capabilities = self.capabilities(process.capabilities().clone().unwrap_or_default())?;
            process.set_capabilities(Some(capabilities));
        }
        Ok(process)
    }

    fn user(&self, of_container: &User) -> Result<User> {
        let mut user = of_container.clone();
        if let Some(text) = &self.user {
            let number = |text: &str| {
                text.parse::<u32>().map_err(|_| Error::invalid(format!("user {text:?} is no number")))
            };
            let (uid, gid) = text.split_once(':').unwrap_or((text, "0"));
            user.set_uid(number(uid)?);
            user.set_gid(number(gid)?);
        }
        if !self.additional_gids.is_empty() {
            user.set_additional_gids(Some(self.additional_gids.clone()));
        }
        Ok(user)
    }

    /// Into all sets but the ambient one.
    fn capabilities(&self, mut sets: LinuxCapabilities) -> Result<LinuxCapabilities> {
        let parse = |name: &String| serde_json::from_value::<Capability>(name.clone().into());
        let more: Vec<Capability> = self
            .cap
            .iter()
            .map(parse)
            .collect::<Result<_, _>>()
            .map_err(|error| Error::invalid(error.to_string()))?;
        let with = |set: &Option<oci_spec::runtime::Capabilities>| {
            let mut set = set.clone().unwrap_or_default();
            set.extend(more.iter().copied());
            Some(set)
        };
        let (bounding, effective, permitted) =
            (with(sets.bounding()), with(sets.effective()), with(sets.permitted()));
        sets.set_bounding(bounding);
        sets.set_effective(effective);
        sets.set_permitted(permitted);
        Ok(sets)
    }
}
