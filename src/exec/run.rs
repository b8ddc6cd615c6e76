//! Starting an exec session: from what was asked for to a process in the container's namespaces.

use std::fs;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use runtime::Identity;
use supervisor::{Kind, Launch, LaunchError};

use super::Session;
use crate::apparmor;
use crate::containers::attach::Client;
use crate::containers::{Record, rootfs};
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::spec;

impl Engine {
    /// Runs a session that [`Engine::startable_session`] has let through. A client that is there sees a failure as output,
    /// as Docker's do: they have been told 101 by then.
    pub fn exec_run(
        self: &Arc<Engine>,
        session: &Arc<Session>,
        client: Option<Client>,
        terminal_size: Option<(u16, u16)>,
    ) -> Result<()> {
        let watching = client.as_ref().map(|client| (client.connection.try_clone(), client.options.framed));
        let result = self.exec_launch(session, client, terminal_size);
        let Err(error) = result else { return Ok(()) };
        session.ends(126);
        self.delete_session_folder(&session.id);
        match watching {
            Some((Ok(connection), framed)) => say(connection, framed, &error.to_string()),
            _ => Err(error),
        }
    }

    fn exec_launch(
        self: &Arc<Engine>,
        session: &Arc<Session>,
        client: Option<Client>,
        terminal_size: Option<(u16, u16)>,
    ) -> Result<()> {
        let container = self.container(&session.container)?;
        let (record, target) = {
            let inside = container.inside();
            inside.running()?;
            let pid = inside.state().process().map_or(0, |process| process.pid);
            (inside.record.clone(), Identity { pid, start_time: inside.start_time })
        };
        let launch = self.exec_plan(session, &record, target, terminal_size)?;
        let folder = self.session_folder(&session.id);
        fs::create_dir_all(&folder).map_err(Error::system)?;
        let (live, target) = supervisor::launch(&folder, &launch).map_err(in_dockers_words)?;
        let live = Arc::new(live);
        if let Some(client) = client {
            client.attach(&live)?;
        }
        self.tell_of_session("exec_start", session, &container, &[]);
        {
            // Before the start: a command may have ended, and its client have asked how, before we come round again.
            let mut now = session.now();
            now.live = Some(live.clone());
            now.pid = target.pid;
        }
        live.start().map_err(in_dockers_words)?;
        self.watcher.add_session(session, &live)
    }

    fn exec_plan(
        &self,
        session: &Session,
        record: &Record,
        target: Identity,
        terminal_size: Option<(u16, u16)>,
    ) -> Result<Launch> {
        let request = &session.request;
        let layers = self.snapshots.lower_dirs(&record.layers)?;
        let upper = self.container_folder(&record.id).join("diff");
        let wanted = if request.user.is_empty() { &record.config.user } else { &request.user };
        let groups = record.host_config.group_add.clone().unwrap_or_default();
        let user = rootfs::resolve_user(&upper, &layers, wanted, &groups)?;
        let process = spec::exec_process(record, request, &user, &self.facts)?;
        apparmor::make_ready(Some(&process))?;
        Ok(Launch {
            version: supervisor::VERSION,
            id: session.id.clone(),
            kind: Kind::Exec {
                container: record.id.clone(),
                target,
                cgroup: self.facts.cgroup_of(record),
                process: Box::new(process),
                seccomp: spec::seccomp(&record.host_config, &self.facts)?.map(Box::new),
            },
            terminal: request.tty,
            console_size: terminal_size.or(request.console_size.map(|[height, width]| (width, height))),
            open_stdin: request.attach_stdin,
            stdin_once: true,
            log: None,
            runtime: self.other_runtime(record)?,
        })
    }
}

/// runc's words with those of its callers around them.
fn in_dockers_words(error: LaunchError) -> Error {
    let failure = match error {
        LaunchError::Failed(failure) => failure,
        LaunchError::Supervisor(error) => return Error::system(error),
    };
    let whose = if failure.whole { "" } else { "exec failed: unable to start container process: " };
    let message = format!("OCI runtime exec failed: {whose}{}: unknown", failure.message);
    Error::new(ErrorKind::InvalidParameter, message)
}

/// Writes a refusal where the output would have been.
fn say(connection: OwnedFd, framed: bool, text: &str) -> Result<()> {
    use std::io::Write;
    let text = format!("{text}\r\n");
    let mut connection = fs::File::from(connection);
    let mut bytes = Vec::new();
    if framed {
        bytes.extend([1, 0, 0, 0]);
        bytes.extend((text.len() as u32).to_be_bytes());
    }
    bytes.extend(text.as_bytes());
    connection.write_all(&bytes).map_err(Error::system)
}
