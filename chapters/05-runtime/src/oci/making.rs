//! What `create` and `run` have in common: a bundle is read, recorded, and made a container.

use super::descriptors::Descriptors;
use super::exchange::Exchange;
use super::store::{Entry, Record, Store};
use super::{no_processes, scope, unknown_capabilities};
use crate::create::create_with_gate;
use crate::plan::{Bundle, capabilities};
use crate::{Created, Error, ErrorKind, Identity, Result, Stdio, clock, gate, spec_from_json};
use clap::Args;
use kernel::Strace;
use oci_spec::runtime::{Hook, LinuxNamespaceType, Process, Spec};
use privileges::CapSet;
use std::path::{Path, PathBuf};

/// What `create` and `run` have in common.
#[derive(Args)]
pub struct Making {
    /// The container's id
    pub id: String,
    /// The folder with config.json
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    pub bundle: PathBuf,
    #[command(flatten)]
    pub exchange: Exchange,
    /// Not supported: a root that is not pivoted to can be left
    #[arg(long)]
    pub no_pivot: bool,
    /// Keep the session keyring of whoever makes the container
    #[arg(long)]
    pub no_new_keyring: bool,
}

impl Making {
    /// Reads the bundle, and writes the record before anything of the container exists.
    pub fn prepare(&self, store: &Store) -> Result<(Entry, Bundle)> {
        self.check()?;
        let descriptors = Descriptors::inherited(self.exchange.preserve_fds)?;
        let folder = self.bundle.canonicalize().strace(|| format!("realpath({:?})", self.bundle))?;
        let (mut spec, bytes) = read_config(&folder.join("config.json"))?;
        descriptors.tell(spec.process_mut().as_mut());
        let rootfs = root_folder(&folder, &spec)?;
        let unit = if store.asks_systemd { scope::unit_of(&spec, &self.id, store.rootless)? } else { None };
        let bundle = Bundle {
            id: self.id.clone(),
            root: chroot::Root::Folder(rootfs.clone()),
            cgroup: store.cgroup_path(&spec, &self.id),
            preserved_descriptors: descriptors.count(),
            keeps_keyring: self.no_new_keyring,
            rootless: !kernel::is_root(),
            folder,
            spec,
        };
        Ok((store.add(Record { unit, ..record_of(&bundle, rootfs) }, &bytes)?, bundle))
    }

    pub fn check(&self) -> Result<()> {
        let why = "--no-pivot is not supported: a process could leave such a root; put it on a file system that is mounted";
        if self.no_pivot { Err(Error::new(ErrorKind::NotSupported, why)) } else { Ok(()) }
    }

    pub fn make(
        &self,
        entry: &mut Entry,
        bundle: &Bundle,
        stdio: Stdio,
        gate: (gate::Gate, gate::Keeper),
    ) -> Result<Created> {
        let process = bundle.spec.process().as_ref();
        missing_capabilities(&bundle.spec, process)?.into_iter().for_each(unknown_capabilities::warn_of);
        // The child waits until it is recorded: a kill -9 of ours ends it before, and leaves it to `delete` after.
        let created = create_with_gate(bundle, stdio, gate, |identity: Identity| {
            entry.record.process = Some(identity);
            entry.write()?;
            let unit = entry.record.unit.clone();
            unit.map_or(Ok(()), |unit| scope::enter(entry, bundle, &unit))
        })?;
        self.exchange.tell(created.identity)?;
        Ok(created)
    }
}

/// What we do not have we cannot give. In a user namespace of its own, a container has everything.
pub fn missing_capabilities(spec: &Spec, process: Option<&Process>) -> Result<Option<CapSet>> {
    let namespaces = spec.linux().iter().flat_map(|linux| linux.namespaces().iter().flatten());
    if namespaces.into_iter().any(|namespace| namespace.typ() == LinuxNamespaceType::User) {
        return Ok(None);
    }
    let sets = capabilities(&process.and_then(|process| process.capabilities().clone()))?;
    let missing = (sets.bounding.0 | sets.permitted.0) & !kernel::capget()?.permitted;
    Ok((missing != 0).then_some(CapSet(missing)))
}

/// The file, and what it says. What is kept for later are its bytes: writing what was understood would lose what was not.
fn read_config(path: &Path) -> Result<(Spec, Vec<u8>)> {
    let bytes = std::fs::read(path).strace(|| format!("read({path:?})"))?;
    let read = match spec_from_json(&bytes) {
        Ok(spec) => Ok((spec, bytes)),
        // Each error begins with its place in the file.
        Err(refused) if refused.to_string().starts_with("process.capabilities.") => {
            unknown_capabilities::read_without(&bytes, refused)
        }
        Err(refused) => Err(refused),
    };
    let (mut spec, bytes) = read.map_err(|error| Error::invalid(format!("{}: {error}", path.display())))?;
    let resources = spec.linux().as_ref().and_then(|linux| linux.resources().as_ref());
    if resources.is_some_and(|resources| resources.pids().is_some()) {
        no_processes::take(&mut spec, &bytes);
    }
    Ok((spec, bytes))
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
        unit: None,
        unit_inode: None,
        has_later_hooks: has_later_hooks(&bundle.spec),
        process: None,
    }
}

fn has_later_hooks(spec: &Spec) -> bool {
    let some = |list: &Option<Vec<Hook>>| list.as_ref().is_some_and(|list| !list.is_empty());
    spec.hooks().as_ref().is_some_and(|hooks| some(hooks.poststart()) || some(hooks.poststop()))
}
