//! Inspect: everything about one container.

use std::path::Path;

use supervisor::states::State;

use super::{Inside, Record, wait};
use crate::engine::Engine;
use crate::error::Result;
use crate::networks::Endpoint;
use crate::spec::{self, binds};

/// Go's zero time, which Docker shows for what has not happened.
pub const NEVER: &str = "0001-01-01T00:00:00Z";

impl Engine {
    /// All that is known of a container; with `size` how much it has written.
    pub fn inspect(&self, reference: &str, size: bool) -> Result<api::ContainerInspectResponse> {
        let container = self.container(reference)?;
        let sessions = self.sessions_of(&container.id);
        let inside = container.inside();
        let record = inside.record.clone();
        let state = state(&inside);
        let network_settings = self.network_settings(&inside);
        drop(inside);
        let sizes = if size { Some(self.sizes(&record)?) } else { None };
        let folder = self.container_folder(&record.id);
        let file = |name: &str| folder.join(name).display().to_string();
        let log = format!("{}-json.log", record.id);
        Ok(api::ContainerInspectResponse {
            created: record.created.clone(),
            path: record.command.first().cloned().unwrap_or_default(),
            args: record.command.get(1..).unwrap_or_default().to_vec(),
            state,
            image: record.image_id.clone(),
            resolv_conf_path: file("resolv.conf"),
            hostname_path: file("hostname"),
            hosts_path: file("hosts"),
            log_path: if record.host_config.log_config.kind == "none" { String::new() } else { file(&log) },
            name: format!("/{}", record.name),
            driver: "overlay2".to_owned(),
            platform: "linux".to_owned(),
            app_armor_profile: spec::apparmor_profile(&record.host_config, &self.facts).unwrap_or_default(),
            exec_ids: Some(sessions).filter(|sessions| !sessions.is_empty()),
            graph_driver: self.graph_driver(&record, &folder),
            size_rw: sizes.map(|(rw, _)| rw),
            size_root_fs: sizes.map(|(rw, image)| rw + image),
            mounts: self.mount_points(&record),
            network_settings,
            id: record.id,
            host_config: record.host_config,
            config: record.config,
            ..Default::default()
        })
    }

    fn graph_driver(&self, record: &Record, folder: &Path) -> api::GraphDriver {
        let lower = self.snapshots.lower_dirs(&record.layers).unwrap_or_default();
        let lower: Vec<String> = lower.iter().map(|layer| layer.display().to_string()).collect();
        let path = |name: &str| folder.join(name).display().to_string();
        let data = [("LowerDir", lower.join(":")), ("UpperDir", path("diff")), ("WorkDir", path("work"))];
        let data = data.map(|(name, value)| (name.to_owned(), value)).into();
        api::GraphDriver { data: Some(data), name: "overlay2".to_owned() }
    }

    /// Bytes that the container has written, and bytes of its image.
    pub fn sizes(&self, record: &Record) -> Result<(i64, i64)> {
        let written = tree_size(&self.container_folder(&record.id).join("diff"));
        let mut image = 0;
        for layer in layers::chain_ids(&record.layers) {
            image += self.snapshots.size(&layer)?;
        }
        Ok((written as i64, image as i64))
    }

    /// What of the host appears in a container.
    pub fn mount_points(&self, record: &Record) -> Vec<api::MountPoint> {
        let host = &record.host_config;
        let mut points: Vec<api::MountPoint> = Vec::new();
        for bind in host.binds.iter().flatten().filter_map(|text| binds::parse(text).ok()) {
            points.push(api::MountPoint {
                kind: "bind".to_owned(),
                source: bind.source,
                destination: bind.destination,
                mode: bind.mode,
                rw: bind.writable,
                propagation: bind.propagation,
                ..Default::default()
            });
        }
        points.extend(host.mounts.iter().flatten().map(mount_point));
        for (volume, folder) in record.volumes.iter().zip(self.volume_folders(record)) {
            points.push(api::MountPoint {
                kind: "volume".to_owned(),
                name: volume.name.clone(),
                source: folder.join("_data").display().to_string(),
                destination: volume.destination.clone(),
                driver: "local".to_owned(),
                rw: true,
                ..Default::default()
            });
        }
        points
    }

    fn network_settings(&self, inside: &Inside) -> api::NetworkSettings {
        let endpoint = self.endpoint_settings(inside);
        let name = Engine::network_name(&inside.record.host_config.network_mode).to_owned();
        let mut settings =
            api::NetworkSettings { networks: [(name, endpoint.clone())].into(), ..Default::default() };
        if let State::Running(process) | State::Paused(process) = inside.state() {
            settings.sandbox_id = inside.record.id.clone();
            settings.sandbox_key = format!("/proc/{}/ns/net", process.pid);
        }
        if inside.record.joins_bridge() {
            settings.endpoint_id = endpoint.endpoint_id;
            settings.gateway = endpoint.gateway;
            settings.ip_address = endpoint.ip_address;
            settings.ip_prefix_len = endpoint.ip_prefix_len;
            settings.mac_address = endpoint.mac_address;
        }
        settings
    }

    /// A container's place on its network; without an address while it does not run.
    pub fn endpoint_settings(&self, inside: &Inside) -> api::EndpointSettings {
        let mut settings = api::EndpointSettings::default();
        let mode = Engine::network_name(&inside.record.host_config.network_mode);
        if mode == "bridge" {
            settings.network_id = self.networks.id.clone();
        }
        if let Some(Endpoint { address, prefix, gateway, mac, .. }) = &inside.endpoint {
            settings.endpoint_id = inside.record.id.clone();
            settings.gateway = gateway.to_string();
            settings.ip_address = address.to_string();
            settings.ip_prefix_len = (*prefix).into();
            settings.mac_address = mac.to_string();
        }
        settings
    }
}

fn mount_point(mount: &api::Mount) -> api::MountPoint {
    let propagation = mount.bind_options.clone().unwrap_or_default().propagation;
    let default = if mount.kind == "bind" { "rprivate" } else { "" };
    api::MountPoint {
        kind: mount.kind.clone(),
        source: mount.source.clone(),
        destination: binds::clean(&mount.target),
        rw: !mount.read_only,
        propagation: if propagation.is_empty() { default.to_owned() } else { propagation },
        ..Default::default()
    }
}

/// The state in Docker's words.
pub fn state(inside: &Inside) -> api::ContainerState {
    let state = inside.state();
    let mut shown = api::ContainerState {
        status: state.status().to_owned(),
        exit_code: wait::exit_code(state).into(),
        started_at: NEVER.to_owned(),
        finished_at: NEVER.to_owned(),
        ..Default::default()
    };
    match state {
        State::Running(process) | State::Paused(process) => {
            shown.running = true;
            shown.paused = matches!(state, State::Paused(_));
            shown.pid = process.pid.into();
            shown.started_at = process.started_at.clone();
        }
        State::Exited { started_at, exit, failure } => {
            shown.oom_killed = exit.oom_killed;
            shown.started_at = started_at.clone();
            shown.finished_at = exit.finished_at.clone();
            shown.error = failure.as_ref().map(|failure| failure.message.clone()).unwrap_or_default();
        }
        State::Created { failure } => {
            shown.error = failure.as_ref().map(|failure| failure.message.clone()).unwrap_or_default();
        }
        State::Dead { reason } => {
            shown.dead = true;
            shown.error = reason.clone();
        }
        State::Removing => {}
    }
    shown
}

/// Bytes of all files below a folder. What vanishes meanwhile counts for nothing.
fn tree_size(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return 0;
    };
    let size = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => tree_size(&entry.path()),
        Ok(metadata) if metadata.is_file() => metadata.len(),
        _ => 0,
    };
    entries.flatten().map(size).sum()
}
