//! What the engine does with networks: the default bridge, made when a container first joins it.

use std::fs::{self, File};
use std::net::Ipv4Addr;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

pub use network::Endpoint;
use network::{Bridge, Leases};
use serde::{Deserialize, Serialize};

use crate::containers::{Record, names};
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};

/// The bridge's name unless `--bridge` says another.
const DEFAULT_BRIDGE: &str = "coracle0";

/// The file in a container's run folder that says which address it has: a new daemon reads it.
const ENDPOINT_FILE: &str = "network.json";

/// The default network.
pub struct Networks {
    /// The bridge's name; none: containers have their loopback device only.
    bridge: Option<String>,
    /// Why there is no bridge, in words.
    pub why_no_bridge: Option<&'static str>,
    /// The network's id, the same for ever in one data root.
    pub id: String,
    state: Mutex<State>,
}

/// The bridge as it stands, once a container has joined it, and who has which address.
#[derive(Default)]
struct State {
    bridge: Option<Bridge>,
    leases: Option<Leases>,
}

/// An address for a container that is about to start.
pub struct Lease {
    bridge: Bridge,
    container: String,
    address: Ipv4Addr,
}

impl Lease {
    /// The container's address.
    pub fn address(&self) -> Ipv4Addr {
        self.address
    }
}

/// What is kept of the network in the data root.
#[derive(Serialize, Deserialize)]
struct Kept {
    id: String,
}

impl Networks {
    /// Reads the network's id, or makes one up. Makes no bridge.
    pub fn open(data_root: &Path, bridge: Option<&str>, rootless: bool) -> Result<Networks> {
        let why_no_bridge = match bridge {
            _ if rootless => {
                Some("an ordinary user cannot make links: containers have their loopback device only")
            }
            Some("none") => {
                Some("the default bridge is disabled: containers have their loopback device only")
            }
            _ => None,
        };
        let name = bridge.filter(|name| !name.is_empty()).unwrap_or(DEFAULT_BRIDGE);
        Ok(Networks {
            bridge: why_no_bridge.is_none().then(|| name.to_owned()),
            why_no_bridge,
            id: network_id(&data_root.join("networks")).map_err(Error::system)?,
            state: Mutex::default(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An address on the bridge for a container that wants one; the bridge is made if it is not there.
    pub fn lease(&self, record: &Record) -> Result<Option<Lease>> {
        let mode = &record.host_config.network_mode;
        if !record.joins_bridge() && !["none", "host"].contains(&mode.as_str()) {
            return Err(Error::new(ErrorKind::NotFound, format!("network {mode} not found")));
        }
        let Some(name) = self.bridge.as_deref().filter(|_| record.joins_bridge()) else {
            return Ok(None);
        };
        let mut state = self.state();
        let bridge = network::ensure_bridge(name).map_err(network_error)?;
        state.bridge = Some(bridge.clone());
        let address = state.leases(&bridge, &self.id).allocate(&record.id).map_err(network_error)?;
        Ok(Some(Lease { bridge, container: record.id.clone(), address }))
    }

    /// Plugs a container's network namespace into the bridge, and writes down where, for the next daemon.
    pub fn attach(&self, lease: &Lease, pid: i32, run_folder: &Path) -> Result<Endpoint> {
        let netns = File::open(format!("/proc/{pid}/ns/net")).map_err(Error::system)?;
        let endpoint = network::attach(&lease.bridge, netns.as_fd(), lease.address).map_err(network_error)?;
        let json = serde_json::to_vec(&endpoint).map_err(Error::system)?;
        fs::write(run_folder.join(ENDPOINT_FILE), json).map_err(Error::system)?;
        tracing::debug!(container = lease.container, address = %lease.address, "joined the bridge");
        Ok(endpoint)
    }

    /// Gives a container's address back. The cable goes with the network namespace, or is taken away in the background: that
    /// takes the kernel tens of milliseconds, for which nobody who waits for the container's end should wait.
    pub fn release(&self, container: &str, endpoint: Option<Endpoint>) {
        if let Some(leases) = &mut self.state().leases {
            leases.release(container);
        }
        let Some(endpoint) = endpoint else { return };
        let unplug = move || {
            if let Err(error) = network::detach(&endpoint) {
                tracing::warn!(link = endpoint.host_link, %error, "a cable stays on the bridge");
            }
        };
        let thread = std::thread::Builder::new().name("unplug".to_owned()).stack_size(256 * 1024);
        if let Err(error) = thread.spawn(unplug) {
            tracing::warn!(container, %error, "no thread to unplug a cable, which goes with its namespace");
        }
    }

    /// Finds the place of a container that outlived its daemon.
    pub fn adopt(&self, record: &Record, run_folder: &Path) -> Result<Option<Endpoint>> {
        let Some(name) = self.bridge.as_deref().filter(|_| record.joins_bridge()) else {
            return Ok(None);
        };
        let Ok(json) = fs::read(run_folder.join(ENDPOINT_FILE)) else {
            return Ok(None);
        };
        let endpoint: Endpoint = serde_json::from_slice(&json).map_err(Error::system)?;
        let mut state = self.state();
        let bridge = network::ensure_bridge(name).map_err(network_error)?;
        state.bridge = Some(bridge.clone());
        state.leases(&bridge, &self.id).claim(endpoint.address, &record.id).map_err(network_error)?;
        Ok(Some(endpoint))
    }

    /// Takes the bridge away unless a container is on it: the daemon ends.
    pub fn close(&self) {
        let state = self.state();
        let in_use = state.leases.as_ref().is_some_and(|leases| !leases.held.is_empty());
        let Some(bridge) = state.bridge.as_ref().filter(|_| !in_use) else {
            return;
        };
        if let Err(error) = network::remove_bridge(&bridge.name) {
            tracing::warn!(bridge = bridge.name, %error, "the bridge stays");
        }
    }

    /// Takes away what a killed daemon left: a bridge that no container of ours is on.
    pub fn remove_stale(&self) {
        let Some(name) = &self.bridge else { return };
        if self.state().bridge.is_none()
            && let Err(error) = network::remove_bridge(name)
        {
            tracing::debug!(bridge = name, %error, "no stale bridge to remove");
        }
    }
}

impl State {
    fn leases(&mut self, bridge: &Bridge, id: &str) -> &mut Leases {
        // Another subnet means that the bridge was made anew, so that no container can be on it yet.
        self.leases = self.leases.take().filter(|leases| leases.subnet == bridge.subnet);
        self.leases.get_or_insert_with(|| Leases::new("bridge", id, bridge.subnet))
    }
}

impl Record {
    /// Whether the container asked for the default network.
    pub fn joins_bridge(&self) -> bool {
        matches!(self.host_config.network_mode.as_str(), "" | "default" | "bridge")
    }
}

impl Engine {
    /// The name that Docker shows for a container's network.
    pub fn network_name(mode: &str) -> &str {
        match mode {
            "" | "default" => "bridge",
            mode => mode,
        }
    }
}

fn network_id(folder: &Path) -> std::io::Result<String> {
    let file: PathBuf = folder.join("bridge.json");
    if let Ok(bytes) = fs::read(&file)
        && let Ok(kept) = serde_json::from_slice::<Kept>(&bytes)
    {
        return Ok(kept.id);
    }
    fs::create_dir_all(folder)?;
    let kept = Kept { id: names::random_id() };
    fs::write(&file, serde_json::to_vec(&kept)?)?;
    Ok(kept.id)
}

fn network_error(error: network::Error) -> Error {
    let kind = match error.kind() {
        network::ErrorKind::PermissionDenied => ErrorKind::Forbidden,
        _ => ErrorKind::System,
    };
    Error::because(kind, error.to_string(), error)
}
