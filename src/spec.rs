//! From Docker's request to the OCI runtime spec: pure, and the only place that knows both.
//!
//! The request has been checked when the container was created ([`crate::containers`]), so that what is wrong here is a bug.

pub mod binds;
pub mod devices;
pub mod machine;
pub mod mounts;
mod process;
mod profile;
mod resources;
mod seccomp_profile;

use std::path::{Path, PathBuf};

use namespaces::IdMap;
use oci_spec::runtime::{
    Linux, LinuxIdMapping, LinuxIdMappingBuilder, LinuxNamespace, LinuxNamespaceBuilder, LinuxNamespaceType,
    Root, Spec,
};
use privileges::user::User;

use crate::containers::Record;
use crate::error::Result;
pub use process::{capability_names, exec_process, is_no_new_privileges, rlimit_kind, seccomp};
pub use profile::{UNCONFINED, apparmor_profile};

/// What is true of this engine and its machine, whatever the container.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Who has started the engine, if not root.
    pub rootless: Option<Rootless>,
    /// The machine's controllers are all on cgroup v2.
    pub unified_cgroups: bool,
    /// A cgroup under which containers get theirs; none: they have none.
    pub cgroup_parent: Option<String>,
    /// How many processors there are.
    pub processors: usize,
    /// Which, as the kernel lists them: `0-3`.
    pub cpus_online: String,
    /// The nodes of memory, in the same way.
    pub memory_nodes: String,
    /// This executable, which can be a container's first process.
    pub executable: PathBuf,
    /// The kernel's major and minor version.
    pub kernel: (u32, u32),
    /// Containers can be held to profiles of AppArmor.
    pub apparmor: bool,
}

/// An ordinary user's engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rootless {
    /// Its user on the host.
    pub user: u32,
    /// Its group there.
    pub group: u32,
    /// Who a container's users are in the engine's own user namespace: one of the host's, or the same.
    pub uid_map: Vec<IdMap>,
    /// Who its groups are.
    pub gid_map: Vec<IdMap>,
    /// Why there is one id only, if so.
    pub why_one_id: Option<String>,
}

impl Rootless {
    /// Whether there are more ids than the user's own.
    pub fn has_ranges(&self) -> bool {
        self.why_one_id.is_none()
    }

    /// Whether containers have a group of this number.
    pub fn has_group(&self, group: u32) -> bool {
        self.gid_map.iter().any(|map| group.checked_sub(map.inside).is_some_and(|index| index < map.count))
    }
}

impl Facts {
    /// Where a container's cgroup is, below the hierarchies' mount points; none when containers have none.
    pub fn cgroup_of(&self, record: &Record) -> Option<String> {
        let own = &record.host_config.cgroup_parent;
        let parent = match own.is_empty() {
            true => self.cgroup_parent.clone()?,
            false => self.cgroup_parent.as_ref().map(|_| binds::clean(&format!("/{own}")))?,
        };
        Some(format!("{}/{}", parent.trim_end_matches('/'), record.id))
    }
}

/// Everything that a spec is made of.
pub struct Request<'a> {
    /// What the client asked for, with the image's defaults.
    pub record: &'a Record,
    /// Who runs it, looked up in the container's own passwd file.
    pub user: &'a User,
    /// The container's folder: `hosts`, `hostname` and `resolv.conf` lie in it.
    pub folder: &'a Path,
    /// The folder with the anonymous volumes.
    pub volumes: &'a Path,
    /// The machine's side.
    pub facts: &'a Facts,
    /// What the client named of the machine.
    pub machine: &'a machine::Machine,
}

/// The OCI runtime spec of a container.
pub fn spec(request: &Request<'_>) -> Result<Spec> {
    let record = request.record;
    let mut spec = Spec::default();
    let mut root = Root::default();
    // The runtime is told apart what the root is made of; this says only that there is one.
    root.set_path(PathBuf::from("rootfs")).set_readonly(Some(record.host_config.readonly_rootfs));
    spec.set_version("1.0.2".to_owned())
        .set_root(Some(root))
        .set_process(Some(process::process(request)?))
        .set_hostname(has_own_uts(record).then(|| record.config.hostname.clone()))
        .set_mounts(Some(mounts::mounts(request)?))
        .set_linux(Some(linux(request)?))
        .set_hooks(None)
        .set_annotations(record.host_config.annotations.clone().map(|map| map.into_iter().collect()));
    if !record.config.domainname.is_empty() && has_own_uts(record) {
        spec.set_domainname(Some(record.config.domainname.clone()));
    }
    Ok(spec)
}

fn linux(request: &Request<'_>) -> Result<Linux> {
    let host = &request.record.host_config;
    let mut linux = Linux::default();
    let rootless = request.facts.rootless.as_ref();
    linux
        .set_uid_mappings(rootless.map(|rootless| mappings(&rootless.uid_map)))
        .set_gid_mappings(rootless.map(|rootless| mappings(&rootless.gid_map)))
        .set_namespaces(Some(namespaces(request)))
        .set_resources(Some(resources::resources(host, request.facts, request.machine)?))
        .set_cgroups_path(request.facts.cgroup_of(request.record).map(PathBuf::from))
        .set_devices(Some(devices::nodes(&request.machine.devices)).filter(|nodes| !nodes.is_empty()))
        .set_seccomp(process::seccomp(host, request.facts)?)
        .set_rootfs_propagation(None)
        .set_masked_paths(Some(paths(&host.masked_paths, privileges::masked_paths())))
        .set_readonly_paths(Some(paths(&host.readonly_paths, privileges::readonly_paths())))
        .set_sysctl(sysctl(request));
    Ok(linux)
}

fn mappings(maps: &[IdMap]) -> Vec<LinuxIdMapping> {
    let mapping = |map: &IdMap| {
        let builder = LinuxIdMappingBuilder::default();
        let builder = builder.container_id(map.inside).host_id(map.outside).size(map.count);
        builder.build().expect("all three fields are given")
    };
    maps.iter().map(mapping).collect()
}

fn namespaces(request: &Request<'_>) -> Vec<LinuxNamespace> {
    let host = &request.record.host_config;
    let mut kinds = vec![LinuxNamespaceType::Mount];
    if has_own_uts(request.record) {
        kinds.push(LinuxNamespaceType::Uts);
    }
    if host.pid_mode.is_empty() {
        kinds.push(LinuxNamespaceType::Pid);
    }
    if host.ipc_mode != "host" && request.machine.shares_ipc_with.is_none() {
        kinds.push(LinuxNamespaceType::Ipc);
    }
    if host.network_mode != "host" {
        kinds.push(LinuxNamespaceType::Network);
    }
    if host.cgroupns_mode == "private" {
        kinds.push(LinuxNamespaceType::Cgroup);
    }
    if request.facts.rootless.is_some() {
        kinds.push(LinuxNamespaceType::User);
    }
    let one = |kind| LinuxNamespaceBuilder::default().typ(kind).build().expect("a namespace without a path");
    let joined = |(kind, path)| {
        LinuxNamespaceBuilder::default().typ(kind).path(path).build().expect("a namespace with a path")
    };
    let pid = request.machine.pid_namespace.clone().map(|path| (LinuxNamespaceType::Pid, path));
    let ipc = request
        .machine
        .shares_ipc_with
        .map(|process| (LinuxNamespaceType::Ipc, format!("/proc/{process}/ns/ipc").into()));
    kinds.into_iter().map(one).chain(pid.into_iter().chain(ipc).map(joined)).collect()
}

/// Whether the first process shall be ours. In another's PID namespace it would not be the one that orphans go to.
fn has_init(host: &api::HostConfig) -> bool {
    host.init == Some(true) && host.pid_mode.is_empty()
}

fn has_own_uts(record: &Record) -> bool {
    record.host_config.uts_mode != "host"
}

fn paths(asked: &Option<Vec<String>>, default: &[&str]) -> Vec<String> {
    asked.clone().unwrap_or_else(|| default.iter().map(|path| (*path).to_owned()).collect())
}

/// Docker's own two: anybody in the container may bind low ports and send pings, unless it shares the host's network.
fn sysctl(request: &Request<'_>) -> Option<std::collections::HashMap<String, String>> {
    let host = &request.record.host_config;
    let asked = host.sysctls.clone().unwrap_or_default();
    (!asked.is_empty()).then(|| asked.into_iter().collect())
}

#[cfg(test)]
mod tests;
