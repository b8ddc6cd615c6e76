//! The plan: from an OCI spec to what the chapters below carry out. Pure.

mod checks;
mod confinement;
mod copies;
mod hooks;
mod hosts_cgroups;
mod id_maps;
mod limits;
mod listener;
mod net_devices;
mod privilege;
mod refusals;
mod root;
mod scheduling;
mod state;
mod sysctls;

pub use copies::{Copied, SeenElsewhere};
pub use hooks::{Hook, Hooks};
pub use id_maps::IdMapped;
pub(crate) use limits::limits;
pub use listener::Listener;
pub use net_devices::NetDevice;
pub(crate) use privilege::{capabilities, word};
#[cfg(target_os = "linux")]
pub(crate) use root::shows_cgroups;
#[cfg(target_os = "linux")]
pub(crate) use scheduling::processors;
pub use state::State;

use crate::{Error, ErrorKind, Result};
use chroot::MountOp;
use namespaces::{IdMap, Join, Namespaces, SpawnPlan, TimeOffset};
use oci_spec::runtime::{Linux, LinuxIdMapping, LinuxNamespaceType, LinuxSeccomp, Mount, Spec};
use std::path::PathBuf;

/// A spec, and what it does not say.
#[derive(Debug)]
pub struct Bundle {
    /// The container's id.
    pub id: String,
    /// The OCI spec.
    pub spec: Spec,
    /// What its root is made of.
    pub root: chroot::Root,
    /// The cgroup to make, below the cgroup mount points; None: no cgroup at all.
    pub cgroup: Option<String>,
    /// How many descriptors after the standard three the process inherits.
    pub preserved_descriptors: u32,
    /// Where its config.json is; hooks are told.
    pub folder: PathBuf,
    /// It keeps the session keyring of whoever makes it, instead of one of its own.
    pub keeps_keyring: bool,
    /// Whoever makes it is not root of the machine, whatever their number is: a user namespace may be around them.
    pub rootless: bool,
}

/// What is to be done, by whom: each part is data of the chapter that does it.
#[derive(Debug)]
pub struct Plan {
    /// The process and its namespaces: chapter 02.
    pub spawn: SpawnPlan,
    /// Its root: chapter 01.
    pub root: Vec<MountOp>,
    /// Binds in it that are copied before there is a process.
    pub copied: Vec<Copied>,
    /// The propagation of that root's own mount, where it is not that of whatever it is copied from.
    pub root_propagation: Option<chroot::Propagation>,
    /// The host's network devices that become its own.
    pub net_devices: Vec<NetDevice>,
    /// What it is limited to: chapter 03.
    pub limits: cgroups::Limits,
    /// What it becomes.
    pub process: Process,
    /// What others have to do meanwhile.
    pub hooks: Option<Hooks>,
}

/// What a process becomes.
#[derive(Debug, Default)]
pub struct Process {
    /// The command and its arguments.
    pub arguments: Vec<String>,
    /// `NAME=value`
    pub environment: Vec<String>,
    /// Its working directory.
    pub folder: PathBuf,
    /// Make the working directory when it is missing.
    pub makes_folder: bool,
    /// It has a terminal.
    pub terminal: bool,
    /// The terminal's columns and rows.
    pub console_size: Option<(u16, u16)>,
    /// The terminal is bound over /dev/console.
    pub console: bool,
    /// Settings of its namespaces as paths below /proc/sys, written before its root is entered.
    pub sysctls: Vec<(String, String)>,
    /// It joins somebody's user namespace, which may forbid setgroups(2): only from inside is that seen.
    pub joins_user_namespace: bool,
    /// How many descriptors after the standard three it inherits.
    pub preserved_descriptors: u32,
    /// What it may do: chapter 04.
    pub privileges: privileges::Plan,
    /// Who is asked by its filter.
    pub listener: Option<Listener>,
}

/// Plans a container. Fails with [`crate::ErrorKind::NotSupported`] on the first field that asks for more than is done here, with its
/// JSON path.
pub fn plan(bundle: &Bundle, layout: &cgroups::Layout) -> Result<Plan> {
    let spec = &bundle.spec;
    refusals::check(spec)?;
    checks::check(spec)?;
    let linux = spec.linux().as_ref().ok_or_else(|| Error::invalid("linux is missing"))?;
    let spawn = spawn_plan(spec, linux)?;
    let process = first_process(bundle, linux, &spawn)?;
    let root = root_steps(&root::root_spec(bundle, linux, layout, &spawn)?, linux)?;
    let devices = linux.net_devices().as_ref();
    Ok(Plan {
        copied: if has_copies(spec) { copies::copied(spec, &root, &spawn)? } else { Vec::new() },
        root,
        root_propagation: root::later_propagation(linux)?,
        net_devices: devices.map_or(Ok(Vec::new()), |devices| net_devices::of(devices, &spawn))?,
        limits: limits(linux)?,
        process,
        hooks: spec.hooks().as_ref().map(|hooks| Hooks::of(spec, hooks)).transpose()?,
        spawn,
    })
}

/// The steps that make its root, and label what is mounted in it.
fn root_steps(root: &chroot::RootSpec, linux: &Linux) -> Result<Vec<MountOp>> {
    let mut steps = chroot::plan(root);
    if let Some(label) = linux.mount_label() {
        confinement::label_mounts(&mut steps, label)?;
    }
    Ok(steps)
}

impl Plan {
    /// Whether the kernel must have AppArmor or SELinux for what the spec asks.
    pub fn is_confined(&self) -> bool {
        let is_label = |step: &MountOp| matches!(step, MountOp::Label(_));
        self.process.privileges.confinement.is_some() || self.root.iter().any(is_label)
    }
}

/// Whether a bind asks that the owners of its files are seen as others, or shows what another process sees (`/proc/PID/root/…`).
fn has_copies(spec: &Spec) -> bool {
    let is_copied = |mount: &Mount| {
        let mut words = mount.options().iter().flatten();
        let source: Vec<_> = mount.source().iter().flat_map(|source| source.iter().take(4)).collect();
        mount.uid_mappings().is_some()
            || mount.gid_mappings().is_some()
            || words.any(|word| word == "idmap" || word == "ridmap")
            || matches!(source[..], [_, proc, _, root] if proc == "proc" && root == "root")
    };
    spec.mounts().iter().flatten().any(is_copied)
}

/// A container's first process has more to do than one that is added later: the container is still to be made.
fn first_process(bundle: &Bundle, linux: &Linux, spawn: &SpawnPlan) -> Result<Process> {
    let process = bundle.spec.process().as_ref().ok_or_else(|| Error::invalid("process is missing"))?;
    let mut process = process_plan(process, linux.seccomp().as_ref(), &bundle.id)?;
    if let (Some([_, ..]), [_, ..]) = (process.privileges.additional_gids.as_deref(), &spawn.gid_map[..]) {
        id_maps::check_groups(&process.privileges, &spawn.gid_map)?;
    }
    if bundle.keeps_keyring {
        process.privileges.keyring = None;
    }
    privilege::add_container(&mut process.privileges.scheduling, linux)?;
    Ok(Process {
        sysctls: linux.sysctl().as_ref().map_or(Ok(Vec::new()), |all| sysctls::sysctls(all, spawn))?,
        makes_folder: true,
        console: true,
        joins_user_namespace: spawn.joins(Namespaces::USER),
        preserved_descriptors: bundle.preserved_descriptors,
        ..process
    })
}

/// Plans one more process of a container that runs, whose id is `container`.
pub fn process_plan(
    process: &oci_spec::runtime::Process,
    seccomp: Option<&LinuxSeccomp>,
    container: &str,
) -> Result<Process> {
    refusals::check_process(process)?;
    checks::check_process(process)?;
    let size = process.console_size();
    Ok(Process {
        arguments: process.args().clone().unwrap_or_default(),
        environment: process.env().clone().unwrap_or_default(),
        folder: process.cwd().clone(),
        terminal: process.terminal().unwrap_or_default(),
        console_size: size.as_ref().map(|size| (size.width() as u16, size.height() as u16)),
        privileges: privilege::privileges(process, seccomp, &format!("_ses.{container}"))?,
        listener: seccomp.map(Listener::of).transpose()?.flatten(),
        ..Process::default()
    })
}

impl Process {
    /// Where setgroups(2) is forbidden, nobody becomes a member of other groups, nor leaves those that they came with.
    pub fn keep_groups(&mut self) -> Result<()> {
        let privileges = &mut self.privileges;
        let others = privileges.additional_gids.take().unwrap_or_default();
        let Some(group) = others.iter().find(|group| **group != privileges.gid) else { return Ok(()) };
        let why = "this user namespace forbids setgroups(2)";
        Err(Error::invalid(format!("process.user.additionalGids: group {group}: {why}")))
    }
}

fn spawn_plan(spec: &Spec, linux: &Linux) -> Result<SpawnPlan> {
    let mut plan = SpawnPlan {
        uid_map: id_map(linux.uid_mappings()),
        gid_map: id_map(linux.gid_mappings()),
        hostname: spec.hostname().clone(),
        domainname: spec.domainname().clone(),
        time_offsets: time_offsets(linux),
        ..SpawnPlan::default()
    };
    take_namespaces(&mut plan, linux)?;
    check_namespaces(&plan)?;
    Ok(plan)
}

/// Those without a path are made, the others are joined.
fn take_namespaces(plan: &mut SpawnPlan, linux: &Linux) -> Result<()> {
    for namespace in linux.namespaces().iter().flatten() {
        let kind = namespace_kind(namespace.typ());
        if plan.has(kind) {
            return Err(Error::invalid(format!("linux.namespaces: {} twice", word(&namespace.typ()))));
        }
        match namespace.path().as_ref().filter(|path| !path.as_os_str().is_empty()) {
            Some(path) => plan.join.push(Join { kind, path: path.clone() }),
            None => plan.new |= kind,
        }
    }
    // Its owner gives the right to join the others.
    plan.join.sort_by_key(|join| join.kind != Namespaces::USER);
    Ok(())
}

const NO_MOUNT_NAMESPACE: &str =
    "linux.namespaces: must have one of type mount: the mounts would be the host's, and remain";

fn check_namespaces(plan: &SpawnPlan) -> Result<()> {
    if !plan.has(Namespaces::MNT) {
        return Err(Error::new(ErrorKind::NotSupported, NO_MOUNT_NAMESPACE));
    }
    let named = plan.hostname.as_ref().or(plan.domainname.as_ref()).is_some_and(|name| !name.is_empty());
    if named && !plan.has(Namespaces::UTS) {
        return Err(Error::invalid("unable to set hostname without a private UTS namespace"));
    }
    if !plan.time_offsets.is_empty() && !plan.new.contains(Namespaces::TIME) {
        return Err(Error::invalid("linux.timeOffsets without a new time namespace"));
    }
    let has_own = plan.new.contains(Namespaces::USER);
    let maps = [("uidMappings", &plan.uid_map), ("gidMappings", &plan.gid_map)];
    if let Some((name, _)) = maps.iter().find(|(_, map)| map.is_empty() == has_own) {
        let why = "a new user namespace and both maps need each other";
        return Err(Error::invalid(format!("linux.{name}: {why}")));
    }
    Ok(())
}

pub(crate) fn namespace_kind(kind: LinuxNamespaceType) -> Namespaces {
    match kind {
        LinuxNamespaceType::Mount => Namespaces::MNT,
        LinuxNamespaceType::Cgroup => Namespaces::CGROUP,
        LinuxNamespaceType::Uts => Namespaces::UTS,
        LinuxNamespaceType::Ipc => Namespaces::IPC,
        LinuxNamespaceType::User => Namespaces::USER,
        LinuxNamespaceType::Pid => Namespaces::PID,
        LinuxNamespaceType::Network => Namespaces::NET,
        LinuxNamespaceType::Time => Namespaces::TIME,
    }
}

fn id_map(ranges: &Option<Vec<LinuxIdMapping>>) -> Vec<IdMap> {
    let map = |range: &LinuxIdMapping| IdMap {
        inside: range.container_id(),
        outside: range.host_id(),
        count: range.size(),
    };
    ranges.iter().flatten().map(map).collect()
}

fn time_offsets(linux: &Linux) -> Vec<TimeOffset> {
    let mut offsets: Vec<TimeOffset> = linux
        .time_offsets()
        .iter()
        .flatten()
        .map(|(clock, offset)| TimeOffset {
            clock: clock.clone(),
            seconds: offset.secs().unwrap_or_default(),
            nanoseconds: offset.nanosecs().unwrap_or_default(),
        })
        .collect();
    offsets.sort_by(|one, other| one.clock.cmp(&other.clock));
    offsets
}

#[cfg(test)]
mod tests;
