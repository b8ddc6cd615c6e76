//! Looks up what a request names of the machine: device nodes, disks, another container's namespaces.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::{Container, Record};
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::spec::machine::{Disk, Disks, Machine, Node};

/// What a container has of its own below /dev, so that a privileged one does not get the host's.
const OWN: [&str; 6] = ["/dev/pts", "/dev/ptmx", "/dev/shm", "/dev/fd", "/dev/mqueue", "/dev/console"];

impl Engine {
    /// As things are now: a device may have gone since the container was created.
    pub fn look_up(&self, record: &Record) -> Result<Machine> {
        let host = &record.host_config;
        Ok(Machine {
            devices: self.devices(host)?,
            disks: disks(host)?,
            pid_namespace: self.pid_namespace(&host.pid_mode)?,
            shares_ipc_with: self.shares_ipc_with(&host.ipc_mode)?,
        })
    }

    /// An ordinary user can make no device; they have what they could open anyway.
    fn devices(&self, host: &api::HostConfig) -> Result<Vec<Node>> {
        match host.privileged {
            true if self.facts.rootless.is_some() => Ok(Vec::new()),
            true => Ok(all_devices()),
            false => asked_for(host),
        }
    }

    fn pid_namespace(&self, mode: &str) -> Result<Option<PathBuf>> {
        let Some(reference) = mode.strip_prefix("container:") else {
            return Ok(None);
        };
        let other = self.container(reference)?;
        let id = &other.id;
        let process = first_process(&other, || format!("cannot join PID of a non running container: {id}"))?;
        Ok(Some(format!("/proc/{process}/ns/pid").into()))
    }

    /// A container that wants its IPC namespace for itself says so by the default, `private`.
    fn shares_ipc_with(&self, mode: &str) -> Result<Option<i32>> {
        let Some(reference) = mode.strip_prefix("container:") else {
            return Ok(None);
        };
        let other = self.container(reference)?;
        let id = &other.id;
        let refusal = |why: &str| format!("can't join IPC of container {id}: {why}");
        let process = first_process(&other, || refusal(&format!("container {id} is not running")))?;
        if ["private", "none"].contains(&other.inside().record.host_config.ipc_mode.as_str()) {
            let why = "non-shareable IPC (hint: use IpcMode:shareable for the donor container)";
            return Err(Error::new(ErrorKind::System, refusal(why)));
        }
        Ok(Some(process))
    }
}

/// The process by which its namespaces are found; `refusal` is said of a container that has none.
fn first_process(container: &Container, refusal: impl Fn() -> String) -> Result<i32> {
    let process = container.inside().state().process().map(|process| process.pid);
    process.ok_or_else(|| Error::new(ErrorKind::Conflict, refusal()))
}

fn asked_for(host: &api::HostConfig) -> Result<Vec<Node>> {
    let mut nodes = Vec::new();
    for device in host.devices.iter().flatten() {
        let wanted = |error: io::Error| {
            let message = format!(
                "error gathering device information while adding custom device \"{}\": {}",
                device.path_on_host,
                in_words(&error)
            );
            Error::because(ErrorKind::System, message, error)
        };
        // A link below /dev, such as /dev/disk/by-id/…, means what it leads to.
        let real = fs::canonicalize(&device.path_on_host).map_err(wanted)?;
        let inside = if device.path_in_container.is_empty() {
            &device.path_on_host
        } else {
            &device.path_in_container
        };
        let access = if device.cgroup_permissions.is_empty() { "rwm" } else { &device.cgroup_permissions };
        if real.is_dir() {
            below(&real, Path::new(inside), access, &mut nodes);
        } else {
            let not_one = || wanted(io::Error::other("not a device node"));
            nodes.push(node(&real, inside, access).map_err(wanted)?.ok_or_else(not_one)?);
        }
    }
    Ok(nodes)
}

/// Docker's words for what an open would say.
fn in_words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file or directory".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}

/// Every device of the host, for a container that may do everything.
fn all_devices() -> Vec<Node> {
    let mut nodes = Vec::new();
    below(Path::new("/dev"), Path::new("/dev"), "rwm", &mut nodes);
    nodes
}

/// The devices in a folder and the folders in it. One that goes away meanwhile is left out.
fn below(folder: &Path, inside: &Path, access: &str, nodes: &mut Vec<Node>) {
    let mut entries: Vec<_> = fs::read_dir(folder).into_iter().flatten().flatten().collect();
    entries.sort_by_key(|entry| entry.file_name());
    for entry in entries {
        let path = entry.path();
        let inside = inside.join(entry.file_name());
        if OWN.iter().any(|own| Path::new(own) == inside) {
            continue;
        }
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => below(&path, &inside, access, nodes),
            Ok(kind) if kind.is_char_device() || kind.is_block_device() => {
                nodes.extend(node(&path, &inside.to_string_lossy(), access).ok().flatten());
            }
            _ => {}
        }
    }
}

/// None: the file is no device.
fn node(path: &Path, inside: &str, access: &str) -> io::Result<Option<Node>> {
    let metadata = fs::metadata(path)?;
    let kind = metadata.file_type();
    if !(kind.is_block_device() || kind.is_char_device()) {
        return Ok(None);
    }
    let (major, minor) = numbers(&metadata);
    Ok(Some(Node {
        path: inside.to_owned(),
        is_block: kind.is_block_device(),
        major,
        minor,
        mode: metadata.mode() & 0o7777,
        owner: (metadata.uid(), metadata.gid()),
        access: access.to_owned(),
    }))
}

fn numbers(metadata: &fs::Metadata) -> (u32, u32) {
    (rustix::fs::major(metadata.rdev()), rustix::fs::minor(metadata.rdev()))
}

fn disks(host: &api::HostConfig) -> Result<Disks> {
    let bounds = |list: &Option<Vec<api::ThrottleDevice>>| {
        list.iter().flatten().map(|device| disk(&device.path, device.rate)).collect::<Result<Vec<_>>>()
    };
    let weights = host.blkio_weight_device.iter().flatten();
    Ok(Disks {
        weights: weights.map(|device| disk(&device.path, device.weight.into())).collect::<Result<_>>()?,
        read_bytes: bounds(&host.blkio_device_read_bps)?,
        write_bytes: bounds(&host.blkio_device_write_bps)?,
        read_operations: bounds(&host.blkio_device_read_iops)?,
        write_operations: bounds(&host.blkio_device_write_iops)?,
    })
}

fn disk(path: &str, value: u64) -> Result<Disk> {
    let metadata = fs::metadata(path).map_err(|error| {
        Error::because(ErrorKind::InvalidParameter, format!("disk {path}: {}", in_words(&error)), error)
    })?;
    if !metadata.file_type().is_block_device() {
        return Err(Error::new(ErrorKind::InvalidParameter, format!("disk {path}: not a block device")));
    }
    let (major, minor) = numbers(&metadata);
    Ok((major, minor, value))
}
