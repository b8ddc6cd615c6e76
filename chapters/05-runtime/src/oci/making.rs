//! What `create` and `run` have in common: a bundle is read, recorded, and made a container.

use super::descriptors::Descriptors;
use super::store::{Entry, Record, Store};
use super::unknown_capabilities;
use crate::create::create_with_gate;
use crate::plan::Bundle;
use crate::{Created, Error, ErrorKind, Identity, Result, Stdio, clock, gate, spec_from_json};
use clap::Args;
use kernel::Strace;
use oci_spec::runtime::{Hook, Process, Spec};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

/// What `create` and `run` have in common.
#[derive(Args)]
pub struct Making {
    /// The container's id
    pub id: String,
    /// The folder with config.json
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    bundle: PathBuf,
    /// Write the first process's number to this file
    #[arg(long, value_name = "FILE")]
    pid_file: Option<PathBuf>,
    /// A Unix socket to which the terminal's master is sent
    #[arg(long, value_name = "SOCKET")]
    pub console_socket: Option<PathBuf>,
    /// How many descriptors after the standard three the container inherits
    #[arg(long, value_name = "N", default_value_t = 0)]
    preserve_fds: u32,
    /// Not supported: a root that is not pivoted to can be left
    #[arg(long)]
    no_pivot: bool,
    /// Keep the session keyring of whoever makes the container
    #[arg(long)]
    no_new_keyring: bool,
}

impl Making {
    /// Reads the bundle, and writes the record before anything of the container exists.
    pub fn prepare(&self, store: &Store) -> Result<(Entry, Bundle)> {
        if self.no_pivot {
            let why = "--no-pivot is not supported: a process could leave such a root; put it on a file system that is mounted";
            return Err(Error::new(ErrorKind::NotSupported, why));
        }
        let descriptors = Descriptors::inherited(self.preserve_fds)?;
        let folder = self.bundle.canonicalize().strace(|| format!("realpath({:?})", self.bundle))?;
        let (mut spec, bytes) = read_config(&folder.join("config.json"))?;
        if let Some(process) = spec.process_mut() {
            descriptors.tell(process);
        }
        let rootfs = root_folder(&folder, &spec)?;
        let bundle = Bundle {
            id: self.id.clone(),
            root: chroot::Root::Folder(rootfs.clone()),
            cgroup: store.cgroup_path(&spec, &self.id),
            preserved_descriptors: descriptors.count(),
            keeps_keyring: self.no_new_keyring,
            folder,
            spec,
        };
        let entry = store.add(record_of(&bundle, rootfs), &bytes)?;
        Ok((entry, bundle))
    }

    pub fn make(
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

    /// Where its input and output are, if we do not wait for it.
    pub fn detached_stdio(&self, spec: &Spec) -> Result<Stdio> {
        let process = spec.process().as_ref();
        let has_terminal = process.and_then(Process::terminal).unwrap_or_default();
        let size = process.and_then(Process::console_size);
        let size = size.map(|size| (size.width() as u16, size.height() as u16));
        stdio(has_terminal, self.console_socket.as_deref(), size)
    }
}

/// The file, and what it says. What is kept for later are its bytes: writing what was understood would lose what was not.
fn read_config(path: &Path) -> Result<(Spec, Vec<u8>)> {
    let bytes = std::fs::read(path).strace(|| format!("read({path:?})"))?;
    let read = match spec_from_json(&bytes) {
        Ok(spec) => Ok((spec, bytes)),
        Err(refused) => unknown_capabilities::read_without(&bytes, refused),
    };
    read.map_err(|error| Error::invalid(format!("{}: {error}", path.display())))
}

/// Relative to the bundle, unless it is absolute.
fn root_folder(bundle: &Path, spec: &Spec) -> Result<PathBuf> {
    let root = spec.root().as_ref().ok_or_else(|| Error::invalid("root is missing"))?;
    let path = bundle.join(root.path());
    path.canonicalize().map_err(|error| Error::invalid(format!("root.path {path:?}: {error}")))
}

/// What is to be known of it later.
fn record_of(bundle: &Bundle, rootfs: PathBuf) -> Record {
    Record {
        id: bundle.id.clone(),
        oci_version: bundle.spec.version().clone(),
        bundle: bundle.folder.clone(),
        rootfs,
        created: clock::now(),
        annotations: bundle.spec.annotations().clone().unwrap_or_default().into_iter().collect(),
        cgroup: bundle.cgroup.clone(),
        has_later_hooks: has_later_hooks(&bundle.spec),
        process: None,
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
fn own_streams() -> Result<Stdio> {
    let copy =
        |stream: BorrowedFd<'_>| stream.try_clone_to_owned().strace(|| "dup(a standard stream)".into());
    let (stdin, stdout, stderr) = (std::io::stdin(), std::io::stdout(), std::io::stderr());
    Ok(Stdio::Files([copy(stdin.as_fd())?, copy(stdout.as_fd())?, copy(stderr.as_fd())?]))
}

/// In one step, as whoever waits for the file expects.
pub fn write_pid(path: &Path, identity: Identity) -> Result<()> {
    let beside = path.with_extension("new");
    let written =
        std::fs::write(&beside, identity.pid.to_string()).and_then(|()| std::fs::rename(&beside, path));
    Ok(written.strace(|| format!("write({path:?})"))?)
}

fn has_later_hooks(spec: &Spec) -> bool {
    let some = |list: &Option<Vec<Hook>>| list.as_ref().is_some_and(|list| !list.is_empty());
    spec.hooks().as_ref().is_some_and(|hooks| some(hooks.poststart()) || some(hooks.poststop()))
}
