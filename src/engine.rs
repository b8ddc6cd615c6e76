//! The engine: one handle per chapter, and what the verbs share.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use cgroups::{Cgroup, Layout};
use layers::{Ownership, Snapshots};

use crate::apparmor;
use crate::containers::Record;
use crate::containers::names::Names;
use crate::containers::watch::Watcher;
use crate::daemon::Places;
use crate::error::{Error, ErrorKind, Result};
use crate::events::Events;
use crate::exec::Sessions;
use crate::networks::Networks;
use crate::runtimes::Runtimes;
use crate::spec::{Facts, Rootless};
use crate::system;

/// What the daemon's command line says to the engine.
#[derive(Clone, Debug)]
pub struct Options {
    /// The engine's folders.
    pub places: Places,
    /// The default bridge's name; `none` for no such network.
    pub bridge: Option<String>,
    /// Where containers get their cgroups.
    pub cgroup_parent: Option<String>,
    /// The log says everything.
    pub debug: bool,
    /// Who has started it, if not root.
    pub rootless: Option<Rootless>,
    /// Who may run containers.
    pub runtimes: Runtimes,
}

/// A complete engine over one data root and one exec root. Its methods block; `serve` calls them from its own threads.
pub struct Engine {
    /// The engine's folders.
    pub places: Places,
    /// What is true of the machine.
    pub facts: Facts,
    /// The log says everything.
    pub debug: bool,
    /// The machine's cgroup hierarchies (chapter 03).
    pub cgroups: Layout,
    /// Images (chapter 06).
    pub store: images::Store,
    /// Their unpacked layers (chapter 07).
    pub snapshots: Snapshots,
    /// The default network (chapter 10).
    pub networks: Networks,
    /// Who may run containers.
    pub runtimes: Runtimes,
    /// Who listens to supervisors (chapter 12).
    pub watcher: Watcher,
    /// Who is told what happens.
    pub events: Events,
    /// Exec sessions.
    pub sessions: Sessions,
    names: Mutex<Names>,
}

/// Major and minor version of the kernel; nobody's for one that does not say.
fn kernel_version() -> (u32, u32) {
    let release = system::kernel_release();
    let mut numbers = release.split(['.', '-']).map_while(|part| part.parse().ok());
    (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default())
}

/// The cgroup of all containers, unless the command line says another.
const CGROUP_PARENT: &str = "/coracle";

impl Engine {
    /// Opens everything on disk. The caller holds the locks on both roots.
    pub fn open(options: Options) -> Result<Engine> {
        let places = options.places;
        let rootless = options.rootless;
        if rootless.is_some() && options.runtimes.has_others() {
            // It would mount the root and make devices as root of the machine.
            let message =
                "--add-runtime: another runtime needs root's engine; start the daemon as root, or without it";
            return Err(Error::new(ErrorKind::NotSupported, message));
        }
        let folder = |name: &str| places.data_root.join(name);
        for name in ["containers", "volumes"] {
            std::fs::create_dir_all(folder(name)).map_err(Error::system)?;
        }
        let cgroups = Layout::detect().map_err(Error::system)?;
        let cgroup_parent = match rootless {
            // Without a delegated cgroup there is none; limits are refused by name.
            Some(_) => cgroups.delegated(),
            None => Some(options.cgroup_parent.unwrap_or_else(|| CGROUP_PARENT.to_owned())),
        };
        let ownership = match &rootless {
            None => Ownership::True,
            Some(rootless) if rootless.has_ranges() => Ownership::Mapped,
            Some(_) => Ownership::Squashed,
        };
        let is_rootless = rootless.is_some();
        let facts = Facts {
            rootless,
            unified_cgroups: cgroups.is_unified(),
            cgroup_parent,
            processors: std::thread::available_parallelism().map_or(1, usize::from),
            cpus_online: system::read_word("/sys/devices/system/cpu/online"),
            memory_nodes: system::read_word("/sys/devices/system/node/online"),
            executable: std::env::current_exe().map_err(Error::system)?,
            kernel: kernel_version(),
            apparmor: !is_rootless && apparmor::is_usable(),
        };
        Ok(Engine {
            store: images::Store::open(folder("images"))?,
            snapshots: Snapshots::open(folder("snapshots"), ownership)?,
            networks: Networks::open(&places.data_root, options.bridge.as_deref(), is_rootless)?,
            runtimes: options.runtimes,
            watcher: Watcher::new()?,
            events: Events::default(),
            sessions: Sessions::default(),
            names: Mutex::default(),
            debug: options.debug,
            cgroups,
            facts,
            places,
        })
    }

    /// The containers, by id and by name. Not held while anything slow is done.
    pub fn names(&self) -> MutexGuard<'_, Names> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The cgroup of a container that runs.
    pub fn cgroup_of(&self, record: &Record) -> Result<Cgroup> {
        let path = self.facts.cgroup_of(record).ok_or_else(|| {
            Error::new(
                ErrorKind::NotSupported,
                "containers have no cgroup here: none is delegated to this user",
            )
        })?;
        Cgroup::open(&self.cgroups, &path).map_err(Error::system)
    }

    /// What is left for a daemon that ends: to take away what no container uses.
    pub fn close(&self) {
        self.networks.close();
        let parent = self.facts.cgroup_parent.as_deref().filter(|_| self.facts.rootless.is_none());
        if let Some(parent) = parent {
            // A cgroup with a container in it stays, as it must.
            if let Err(error) =
                Cgroup::open(&self.cgroups, parent).and_then(|cgroup| cgroup.remove_if_empty())
            {
                tracing::debug!(%error, "the parent cgroup stays");
            }
        }
        if self.runtimes.has_others() {
            self.remove_idle_runtime_states();
        }
        for emptied in self.run_folders() {
            // Folders of containers that run on keep it.
            let _ = std::fs::remove_dir(emptied);
        }
    }

    /// The folders with one folder for each that runs.
    pub fn run_folders(&self) -> [PathBuf; 2] {
        ["containers", "exec"].map(|name| self.places.exec_root.join(name))
    }
}
