//! Create: a request and an image become a record on disk.

use std::fs;

use images::{Image, RunConfig};
use supervisor::states::State;

use super::{Container, Record, names, remove, validate};
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::spec::{Facts, mounts::SHM_SIZE};

impl Engine {
    /// Makes a container, and returns its id once it would survive a crash.
    pub fn create(
        &self,
        name: Option<&str>,
        platform: Option<&str>,
        request: &api::ContainerCreateRequest,
    ) -> Result<api::ContainerCreateResponse> {
        validate::validate(request, &self.facts)?;
        let image = self.image_for_container(&request.config.image)?;
        crate::images::check_platform(&image, platform, &request.config.image)?;
        let id = names::random_id();
        let mut record = merge(&id, request, &image, &self.facts)?;
        self.runtimes.settle(&mut record.host_config)?;
        record.name = self.reserve_name(name, &id)?;
        let made = self.make_folder(&mut record);
        if let Err(error) = made {
            self.names().release(&record.name);
            return Err(error);
        }
        let container = Container::new(record);
        let name = container.inside().record.name.clone();
        self.names().insert(&name, container.clone());
        self.tell(&container.inside(), "create", &[]);
        Ok(api::ContainerCreateResponse { id, warnings: warnings(request, &image) })
    }

    fn reserve_name(&self, name: Option<&str>, id: &str) -> Result<String> {
        let mut names = self.names();
        let name = match name.filter(|name| !name.is_empty()) {
            Some(name) => names::validate(name)?.to_owned(),
            None => names.invent(),
        };
        names.reserve(&name, id)?;
        Ok(name)
    }

    /// The folder becomes a container by its container.json, which is written last; without it, a new daemon deletes it.
    fn make_folder(&self, record: &mut Record) -> Result<()> {
        let folder = self.container_folder(&record.id);
        let made = (|| {
            // The layers must not vanish between the look-up of the image and the record that names them.
            let _hold = self.snapshots.hold(&layers::chain_ids(&record.layers));
            self.snapshots.lower_dirs(&record.layers)?;
            remove::make_private(&folder).map_err(Error::system)?;
            for part in ["diff", "work"] {
                fs::create_dir(folder.join(part)).map_err(Error::system)?;
            }
            self.make_volumes(record)?;
            record.write(&folder).map_err(Error::system)
        })();
        if made.is_err() {
            for unfinished in [folder].into_iter().chain(self.volume_folders(record)) {
                if let Err(error) = remove::remove_tree(&unfinished) {
                    tracing::warn!(folder = %unfinished.display(), %error, "a half-made folder stays");
                }
            }
        }
        made
    }
}

/// The request over the image's defaults.
fn merge(id: &str, request: &api::ContainerCreateRequest, image: &Image, facts: &Facts) -> Result<Record> {
    let defaults = &image.config.config;
    let mut config = request.config.clone();
    merge_command(&mut config, defaults);
    merge_maps(&mut config, defaults);
    merge_words(&mut config, defaults);
    let mut host_config = request.host_config.clone();
    complete_host_config(&mut host_config, facts);
    if config.hostname.is_empty() {
        config.hostname = if host_config.network_mode == "host" || host_config.uts_mode == "host" {
            own_hostname()
        } else {
            id[..12].to_owned()
        };
    }
    let parts = [&config.entrypoint, &config.cmd];
    let command: Vec<String> = parts.into_iter().flatten().flatten().cloned().collect();
    if command.is_empty() {
        return Err(Error::new(ErrorKind::InvalidParameter, "No command specified"));
    }
    Ok(Record {
        id: id.to_owned(),
        name: String::new(),
        created: jiff::Timestamp::now().to_string(),
        image_id: image.id.to_string(),
        layers: image.config.rootfs.diff_ids.clone(),
        command,
        config,
        host_config,
        volumes: Vec::new(),
        state: State::Created { failure: None },
    })
}

/// An entrypoint of the request's own takes the image's command out of use; `--entrypoint ""` (one empty word) both.
fn merge_command(config: &mut api::ContainerConfig, defaults: &RunConfig) {
    let empty = |words: &Option<Vec<String>>| words.as_ref().is_none_or(Vec::is_empty);
    if empty(&config.entrypoint) {
        if empty(&config.cmd) {
            config.cmd = defaults.cmd.clone();
        }
        config.entrypoint = defaults.entrypoint.clone().filter(|words| !words.is_empty());
    }
    if config.entrypoint.as_ref().is_some_and(|words| words.len() == 1 && words[0].is_empty()) {
        config.entrypoint = None;
    }
}

fn merge_maps(config: &mut api::ContainerConfig, defaults: &RunConfig) {
    let name = |variable: &str| variable.split('=').next().unwrap_or_default().to_owned();
    let asked = config.env.take().unwrap_or_default();
    let known: Vec<String> = asked.iter().map(|variable| name(variable)).collect();
    let inherited = defaults.env.iter().filter(|variable| !known.contains(&name(variable)));
    // Docker lists what was asked for first, then what the image adds.
    let env: Vec<String> = asked.iter().cloned().chain(inherited.cloned()).collect();
    config.env = Some(env);
    let mut labels = defaults.labels.clone();
    labels.extend(config.labels.take().unwrap_or_default());
    config.labels = Some(labels);
    if !defaults.volumes.is_empty() {
        let more = defaults.volumes.keys().map(|path| (path.clone(), api::Empty {}));
        config.volumes.get_or_insert_default().extend(more);
    }
    if !defaults.exposed_ports.is_empty() {
        let more = defaults.exposed_ports.keys().map(|port| (port.clone(), api::Empty {}));
        config.exposed_ports.get_or_insert_default().extend(more);
    }
}

fn merge_words(config: &mut api::ContainerConfig, defaults: &RunConfig) {
    if config.user.is_empty() {
        config.user = defaults.user.clone();
    }
    if config.working_dir.is_empty() {
        config.working_dir = defaults.working_dir.clone();
    }
    if config.stop_signal.as_ref().is_none_or(String::is_empty) {
        config.stop_signal = Some(defaults.stop_signal.clone()).filter(|signal| !signal.is_empty());
    }
    if config.shell.is_none() {
        config.shell = Some(defaults.shell.clone()).filter(|words| !words.is_empty());
    }
}

/// What Docker fills in for fields that the client left open, so that `inspect` says what holds.
fn complete_host_config(host: &mut api::HostConfig, facts: &Facts) {
    let fill = |field: &mut String, value: &str| {
        if field.is_empty() {
            *field = value.to_owned();
        }
    };
    fill(&mut host.log_config.kind, "json-file");
    fill(&mut host.network_mode, "default");
    fill(&mut host.ipc_mode, "private");
    fill(&mut host.restart_policy.name, "no");
    // As Docker chooses: a cgroup namespace hides nothing on v1, where each controller has a tree of its own.
    fill(&mut host.cgroupns_mode, if facts.unified_cgroups { "private" } else { "host" });
    if host.shm_size == 0 {
        host.shm_size = SHM_SIZE;
    }
    let owned = |paths: &[&str]| paths.iter().map(|path| (*path).to_owned()).collect();
    // A privileged container sees and changes what its host does.
    let hidden = |paths: &[&str]| if host.privileged { Vec::new() } else { owned(paths) };
    let (masked, readonly) = (hidden(privileges::masked_paths()), hidden(privileges::readonly_paths()));
    host.masked_paths.get_or_insert(masked);
    host.readonly_paths.get_or_insert(readonly);
    // Swap as large again as memory, unless told otherwise.
    if host.memory > 0 && host.memory_swap == 0 {
        host.memory_swap = host.memory * 2;
    }
    host.memory_swappiness = host.memory_swappiness.filter(|value| *value != -1);
}

fn own_hostname() -> String {
    nix::unistd::gethostname().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn warnings(request: &api::ContainerCreateRequest, image: &Image) -> Vec<String> {
    let test = image.config.config.healthcheck.as_ref().and_then(|check| check["Test"][0].as_str());
    let unchecked = request.config.healthcheck.is_none() && test.is_some_and(|kind| kind != "NONE");
    let warning = "The image's HEALTHCHECK is not run: health checks are not supported by coracle yet";
    unchecked.then(|| warning.to_owned()).into_iter().collect()
}
