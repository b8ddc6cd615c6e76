//! Start: the way from a record to a running process.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use runtime::Identity;
use supervisor::states::{Event, Process, StartFailure, State};
use supervisor::{Connection, Failure, FailureKind, Kind, Launch, LaunchError, LogFile};

use super::{Change, Container, Record, files, remove, rootfs, volumes};
use crate::apparmor;
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::networks::Endpoint;
use crate::spec;

impl Engine {
    /// Starts a created or ended container, and returns when its command is executed.
    pub fn start(self: &Arc<Engine>, reference: &str) -> Result<Change> {
        let container = self.container(reference)?;
        let started = {
            let _action = container.action();
            if container.inside().startable()? == Change::NotModified {
                return Ok(Change::NotModified);
            }
            container.wait_for_tickets();
            self.run(&container).map_err(|refused| self.start_failed(&container, refused))
        };
        if started.is_err() && container.inside().record.host_config.auto_remove {
            self.remove_ended(&container);
        }
        started.map(|()| Change::Done)
    }

    /// Everything between the record and the running process, in order. What it made so far it takes back on its own
    /// when it fails: the supervisor of a container that was not started ends with its connection.
    fn run(self: &Arc<Engine>, container: &Arc<Container>) -> std::result::Result<(), Refused> {
        let record = container.inside().record.clone();
        let run_folder = self.run_folder(&container.id);
        let lease = self.networks.lease(&record)?;
        let launch = self.prepare(&record, &run_folder, lease.as_ref())?;
        let (live, target) = supervisor::launch(&run_folder, &launch)?;
        let attach = |lease| self.networks.attach(lease, target.pid, &run_folder);
        let endpoint = lease.as_ref().map(attach).transpose()?;
        let live = Arc::new(live);
        container.inside().goes_live(&live, endpoint);
        let started_at = live.start()?;
        self.started(container, &live, target, started_at)
    }

    /// Writes what the supervisor reads: the files that are bound into the container, the spec, and the launch.
    fn prepare(
        &self,
        record: &Record,
        run_folder: &Path,
        lease: Option<&crate::networks::Lease>,
    ) -> Result<Launch> {
        let folder = self.container_folder(&record.id);
        let layers = self.snapshots.lower_dirs(&record.layers)?;
        let groups = record.host_config.group_add.clone().unwrap_or_default();
        let user = rootfs::resolve_user(&folder.join("diff"), &layers, &record.config.user, &groups)?;
        let address = lease.map(|lease| lease.address());
        files::write(&folder, record, address)?;
        volumes::make_sources(record)?;
        let machine = self.look_up(record)?;
        let request = spec::Request {
            record,
            user: &user,
            folder: &folder,
            volumes: &self.places.data_root.join("volumes"),
            facts: &self.facts,
            machine: &machine,
        };
        let spec = spec::spec(&request)?;
        apparmor::make_ready(spec.process().as_ref())?;
        // That of an end that could not be recorded is still there, and must not be taken for the next one's.
        remove::remove_tree(run_folder).map_err(Error::system)?;
        fs::create_dir_all(run_folder).map_err(Error::system)?;
        let json = runtime::spec_to_json(&spec).map_err(Error::system)?;
        fs::write(run_folder.join("config.json"), json).map_err(Error::system)?;
        Ok(Launch {
            version: supervisor::VERSION,
            id: record.id.clone(),
            kind: Kind::Container {
                root: chroot::Root::Overlay {
                    lower: layers,
                    upper: folder.join("diff"),
                    work: folder.join("work"),
                },
                cgroup: self.facts.cgroup_of(record),
            },
            terminal: record.config.tty,
            console_size: console_size(&record.host_config),
            open_stdin: record.config.open_stdin,
            stdin_once: record.config.stdin_once,
            log: log_file(&folder, record)?,
            runtime: self.other_runtime(record)?,
        })
    }

    fn started(
        self: &Arc<Engine>,
        container: &Arc<Container>,
        live: &Arc<Connection>,
        target: Identity,
        started_at: String,
    ) -> std::result::Result<(), Refused> {
        let mut inside = container.inside();
        let process = Process { pid: target.pid, started_at };
        inside.apply(Event::Started(process)).map_err(|refusal| Error::system(refusal.to_string()))?;
        inside.start_time = target.start_time;
        self.tell(&inside, "start", &[]);
        let record = inside.record.clone();
        drop(inside);
        // A container that removes itself is gone after its end whatever happens, so that its file need not say more
        // than that it was created; this saves a sync on the way of `run --rm`.
        // Nor does it fail the start: the run folder says that it runs, to whoever adopts it.
        if !record.host_config.auto_remove
            && let Err(error) = record.write(&self.container_folder(&container.id))
        {
            tracing::error!(container = container.id, %error, "the start is not recorded");
        }
        self.watcher.add_container(container, live).map_err(Refused::Refused)
    }

    /// A supervisor that was killed while another runtime was at work has left what that one made.
    fn delete_half_made(&self, record: &Record) {
        if matches!(self.other_runtime(record), Ok(Some(_)))
            && let Err(error) = supervisor::destroy(&self.run_folder(&record.id))
        {
            tracing::warn!(container = record.id, %error, "what its runtime has made stays");
        }
    }

    /// Takes note of a start that failed, and says so in Docker's words.
    fn start_failed(&self, container: &Container, refused: Refused) -> Error {
        let mut inside = container.inside();
        inside.live = None;
        inside.drop_pending();
        let endpoint = inside.endpoint.take();
        let (code, error) = refused.in_dockers_words();
        let failure = StartFailure { code, message: error.to_string() };
        // Refused only for a container that runs, which this one does not.
        let _ = inside.apply(Event::StartFailed(failure));
        let record = inside.record.clone();
        drop(inside);
        self.networks.release(&container.id, endpoint);
        self.delete_half_made(&record);
        if let Err(error) = fs::remove_dir_all(self.run_folder(&container.id)) {
            tracing::debug!(container = container.id, %error, "no run folder to remove");
        }
        if let Err(error) = record.write(&self.container_folder(&container.id)) {
            tracing::warn!(container = container.id, %error, "the failed start is not recorded");
        }
        error
    }
}

impl super::Inside {
    fn startable(&self) -> Result<Change> {
        let conflict = |message: &str| Err(Error::new(ErrorKind::Conflict, message));
        match self.state() {
            State::Created { .. } | State::Exited { .. } => Ok(Change::Done),
            State::Running(_) => Ok(Change::NotModified),
            State::Paused(_) => conflict("cannot start a paused container, try unpause instead"),
            State::Removing => conflict("container is marked for removal and cannot be started"),
            State::Dead { .. } => conflict("container is marked for removal and cannot be started"),
        }
    }

    fn goes_live(&mut self, live: &Arc<Connection>, endpoint: Option<Endpoint>) {
        self.live = Some(live.clone());
        self.endpoint = endpoint;
        self.attach_pending(live);
    }
}

/// Why a start did not succeed.
enum Refused {
    /// The engine's own refusal, in Docker's words already.
    Refused(Error),
    /// The runtime's.
    Failed(Failure),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Refused {
        Refused::Refused(error)
    }
}

impl From<LaunchError> for Refused {
    fn from(error: LaunchError) -> Refused {
        match error {
            LaunchError::Failed(failure) => Refused::Failed(failure),
            LaunchError::Supervisor(error) => Refused::Refused(Error::system(error)),
        }
    }
}

impl Refused {
    /// The exit code that Docker records, and what it says: runc's words with those of its callers around them.
    fn in_dockers_words(self) -> (i32, Error) {
        let failure = match self {
            Refused::Refused(error) => return (128, error),
            Refused::Failed(failure) => failure,
        };
        let kind = match failure.kind {
            FailureKind::CommandNotFound | FailureKind::CommandNotExecutable | FailureKind::Invalid => {
                ErrorKind::InvalidParameter
            }
            FailureKind::NotSupported => return (128, Error::new(ErrorKind::NotSupported, failure.message)),
            FailureKind::System => ErrorKind::System,
        };
        let whose =
            if failure.whole { "" } else { "runc create failed: unable to start container process: " };
        let message = format!(
            "failed to create shim task: OCI runtime create failed: {whose}{}: unknown",
            failure.message
        );
        (failure.kind.exit_code(), Error::new(kind, message))
    }
}

fn console_size(host_config: &api::HostConfig) -> Option<(u16, u16)> {
    let [height, width] = host_config.console_size?;
    (height > 0 && width > 0).then_some((width, height))
}

fn log_file(folder: &Path, record: &Record) -> Result<Option<LogFile>> {
    let log = &record.host_config.log_config;
    if log.kind == "none" {
        return Ok(None);
    }
    let options = super::log_options::parse(log)?;
    Ok(Some(LogFile {
        path: folder.join(format!("{}-json.log", record.id)),
        max_size: options.max_size,
        max_file: options.max_file,
    }))
}
