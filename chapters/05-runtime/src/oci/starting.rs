//! `create`, `start`, `run`.

use super::foreground;
use super::store::{Entry, Record, Status, Store};
use crate::create::create_with_gate;
use crate::plan::Bundle;
use crate::{Created, Error, ErrorKind, Identity, Result, Stdio, clock, gate, spec_from_json};
use clap::Args;
use kernel::Strace;
use oci_spec::runtime::Spec;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

/// What `create` and `run` have in common.
#[derive(Args)]
pub struct Making {
    /// The container's id
    id: String,
    /// The folder with config.json
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    bundle: PathBuf,
    /// Write the first process's number to this file
    #[arg(long, value_name = "FILE")]
    pid_file: Option<PathBuf>,
    /// A Unix socket to which the terminal's master is sent
    #[arg(long, value_name = "SOCKET")]
    console_socket: Option<PathBuf>,
    /// How many descriptors after the standard three the container inherits
    #[arg(long, value_name = "N", default_value_t = 0)]
    preserve_fds: u32,
    /// Not supported: a root that is not pivoted to can be left
    #[arg(long)]
    no_pivot: bool,
    /// Not supported
    #[arg(long)]
    no_new_keyring: bool,
}

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
    /// Not supported: a container that has ended is removed
    #[arg(long)]
    keep: bool,
}

impl Create {
    pub fn run(&self, store: &Store) -> Result<u8> {
        let (mut entry, bundle) = self.making.prepare(store)?;
        let made = self.making.detached_stdio(&bundle.spec).and_then(|stdio| {
            let gate = gate::named(&entry.folder)?;
            self.making.make(&mut entry, &bundle, stdio, gate)
        });
        match made {
            Ok(_waits) => Ok(0),
            Err(error) => Err(undo(entry, "create", error)),
        }
    }
}

impl Run {
    pub fn run(&self, store: &Store) -> Result<u8> {
        if self.keep {
            return Err(Error::not_supported("--keep"));
        }
        let (mut entry, bundle) = self.making.prepare(store)?;
        let has_terminal =
            bundle.spec.process().as_ref().and_then(|process| process.terminal()).unwrap_or_default();
        // Before the container exists, so that no signal is lost.
        let foreground = (!self.detach).then(foreground::Foreground::begin).transpose()?;
        let stdio = match &foreground {
            Some(foreground) if has_terminal && self.making.console_socket.is_none() => {
                Ok(foreground.terminal())
            }
            _ => self.making.detached_stdio(&bundle.spec),
        };
        let made = stdio.and_then(|stdio| {
            let created = self.making.make(&mut entry, &bundle, stdio, gate::unnamed()?)?;
            created.start().map(|()| created)
        });
        let mut created = match made {
            Ok(created) => created,
            Err(error) => return Err(undo(entry, "run", error)),
        };
        let Some(foreground) = foreground else {
            return Ok(0);
        };
        let code = foreground.wait(&created);
        created.destroy();
        entry.remove()?;
        code
    }
}

/// Opens the gate of a container that was created.
pub fn start(store: &Store, id: &str) -> Result<u8> {
    let entry = store.open(id)?;
    let refused = |why: &str| Err(Error::new(ErrorKind::Conflict, why));
    match entry.status() {
        Status::Created => {}
        Status::Stopped | Status::Creating => return refused("cannot start a container that has stopped"),
        Status::Running | Status::Paused => return refused("cannot start an already running container"),
    }
    match gate::open_named(&entry.folder)? {
        Some(keeper) => keeper.start()?,
        None => return refused("cannot start a container that has stopped"),
    }
    entry.forget_gate();
    Ok(0)
}

impl Making {
    /// Reads the bundle, and writes the record before anything of the container exists.
    fn prepare(&self, store: &Store) -> Result<(Entry, Bundle)> {
        for (flag, is_given) in [("--no-pivot", self.no_pivot), ("--no-new-keyring", self.no_new_keyring)] {
            if is_given {
                return Err(Error::not_supported(flag));
            }
        }
        super::processes::check_preserved(self.preserve_fds)?;
        let folder = self.bundle.canonicalize().strace(|| format!("realpath({:?})", self.bundle))?;
        let spec = read_spec(&folder)?;
        let root = spec.root().as_ref().ok_or_else(|| Error::invalid("root is missing"))?;
        let rootfs = folder.join(root.path());
        let rootfs = rootfs
            .canonicalize()
            .map_err(|error| Error::invalid(format!("root.path {rootfs:?}: {error}")))?;
        let cgroup = cgroup_path(&spec, &self.id);
        let record = Record {
            id: self.id.clone(),
            oci_version: spec.version().clone(),
            bundle: folder,
            rootfs: rootfs.clone(),
            created: clock::now(),
            annotations: spec.annotations().clone().unwrap_or_default().into_iter().collect(),
            cgroup: cgroup.clone(),
            process: None,
        };
        let bundle = Bundle {
            id: self.id.clone(),
            spec,
            root: chroot::Root::Folder(rootfs),
            cgroup,
            preserved_descriptors: self.preserve_fds,
        };
        Ok((store.add(record)?, bundle))
    }

    fn make(
        &self,
        entry: &mut Entry,
        bundle: &Bundle,
        stdio: Stdio,
        gate: (gate::Gate, gate::Keeper),
    ) -> Result<Created> {
        // The child waits until it is recorded: a kill -9 of ours ends it before, and leaves it to `delete` after.
        let created = create_with_gate(bundle, stdio, gate, |identity: Identity| {
            entry.record.process = Some(identity);
            entry.write()
        })?;
        if let Some(path) = &self.pid_file {
            write_pid(path, created.identity)?;
        }
        Ok(created)
    }

    fn detached_stdio(&self, spec: &Spec) -> Result<Stdio> {
        let process = spec.process().as_ref();
        stdio(
            process.and_then(|process| process.terminal()).unwrap_or_default(),
            self.console_socket.as_deref(),
            process
                .and_then(|process| process.console_size())
                .map(|size| (size.width() as u16, size.height() as u16)),
        )
    }
}

/// For a process that we do not wait for: our own standard streams, or a terminal for whoever listens on the socket.
pub fn stdio(terminal: bool, console_socket: Option<&Path>, size: Option<(u16, u16)>) -> Result<Stdio> {
    match (terminal, console_socket) {
        (true, Some(path)) => {
            let socket = UnixStream::connect(path).strace(|| format!("connect({path:?})"))?;
            Ok(Stdio::Terminal { size, console_socket: Some(OwnedFd::from(socket)) })
        }
        (true, None) => Err(Error::invalid(
            "cannot allocate tty if the container is detached without setting a console socket",
        )),
        (false, Some(_)) => {
            Err(Error::invalid("cannot use a console socket if the container has no terminal"))
        }
        (false, None) => own_streams(),
    }
}

/// Copies, since the child closes what it was given.
pub fn own_streams() -> Result<Stdio> {
    let copy = |stream: std::os::fd::BorrowedFd<'_>| {
        stream.try_clone_to_owned().strace(|| "dup(a standard stream)".into())
    };
    Ok(Stdio::Files([
        copy(std::io::stdin().as_fd())?,
        copy(std::io::stdout().as_fd())?,
        copy(std::io::stderr().as_fd())?,
    ]))
}

/// In one step, as whoever waits for the file expects.
pub fn write_pid(path: &Path, identity: Identity) -> Result<()> {
    let beside = path.with_extension("new");
    let written =
        std::fs::write(&beside, identity.pid.to_string()).and_then(|()| std::fs::rename(&beside, path));
    Ok(written.strace(|| format!("write({path:?})"))?)
}

/// The config.json of a bundle.
pub fn read_spec(folder: &Path) -> Result<Spec> {
    let path = folder.join("config.json");
    let bytes = std::fs::read(&path).strace(|| format!("read({path:?})"))?;
    spec_from_json(&bytes).map_err(|error| Error::invalid(format!("{}: {error}", path.display())))
}

/// The spec's, or one of our own. An ordinary user has none unless the spec says so.
fn cgroup_path(spec: &Spec, id: &str) -> Option<String> {
    let path = spec.linux().as_ref().and_then(|linux| linux.cgroups_path().clone());
    match path.filter(|path| !path.as_os_str().is_empty()) {
        Some(path) => Some(Path::new("/").join(path).display().to_string()),
        // Not below a group for all of them, which would stay when the last one has gone.
        None => nix::unistd::geteuid().is_root().then(|| format!("/coracle-oci-{id}")),
    }
}

/// Nothing is left of a container that could not be made; the error gets runc's frame.
fn undo(entry: Entry, verb: &str, error: Error) -> Error {
    if let Some(process) = entry.record.process {
        let _ = crate::destroy(process, entry.record.cgroup.as_deref());
    }
    let _ = entry.remove();
    let message = format!("{verb} failed: unable to start container process: {error}");
    Error::new(error.kind(), message)
}
