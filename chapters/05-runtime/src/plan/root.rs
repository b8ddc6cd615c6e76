//! The container's root, from the spec's mounts and devices: what chapter 01 plans.

use super::hosts_cgroups;
use crate::{Bundle, Error, Result};
use cgroups::Layout;
use chroot::{Device, DeviceKind, Mount, Propagation, RootSpec, What, parse_options};
use namespaces::{Namespaces, SpawnPlan};
use oci_spec::runtime::{Linux, LinuxDevice, LinuxDeviceType};
use std::path::{Path, PathBuf};

/// What chapter 01 shall make.
pub fn root_spec(bundle: &Bundle, linux: &Linux, layout: &Layout, spawn: &SpawnPlan) -> Result<RootSpec> {
    let mounts = mounts(bundle, layout, spawn)?;
    let root = bundle.spec.root().as_ref();
    Ok(RootSpec {
        root: bundle.root.clone(),
        devices: devices(linux)?,
        masked_paths: paths(linux.masked_paths()),
        readonly_paths: paths(linux.readonly_paths()),
        readonly: root.and_then(|root| root.readonly()).unwrap_or_default(),
        propagation: propagation(linux, &mounts)?,
        mounts,
        rootless: bundle.rootless || spawn.has(Namespaces::USER),
    })
}

fn mounts(bundle: &Bundle, layout: &Layout, spawn: &SpawnPlan) -> Result<Vec<Mount>> {
    let joins = spawn.join.iter().map(|join| join.kind).collect::<Namespaces>();
    let shares_cgroups = bundle.rootless && !(spawn.new | joins).contains(Namespaces::CGROUP);
    let mut mounts = Vec::new();
    for entry in bundle.spec.mounts().iter().flatten() {
        if shows_cgroups(entry) && shares_cgroups {
            mounts.push(hosts_cgroups::view(entry.destination()));
        } else if shows_cgroups(entry) {
            let words = entry.options().clone().unwrap_or_default();
            let (group, options) = (bundle.cgroup.as_deref(), parse_options(&words));
            mounts.extend(cgroups::view(layout, group, entry.destination(), options));
        } else {
            mounts.push(mount(entry, &bundle.folder)?);
        }
    }
    Ok(mounts)
}

/// Such a mount names no file system: what is seen there depends on the machine.
pub fn shows_cgroups(mount: &oci_spec::runtime::Mount) -> bool {
    mount.typ().as_deref() == Some("cgroup")
}

fn paths(paths: &Option<Vec<String>>) -> Vec<PathBuf> {
    paths.iter().flatten().map(PathBuf::from).collect()
}

fn mount(mount: &oci_spec::runtime::Mount, bundle: &Path) -> Result<Mount> {
    let words = mount.options().clone().unwrap_or_default();
    let what = what(mount, &words, bundle)?;
    let mut options = parse_options(&words);
    if matches!(what, What::Bind { .. }) {
        // mount(2) looks at no data of a bind, and there are specs that have such words.
        options.data.clear();
    }
    // A relative destination, which old specs have, means one below the root.
    let destination = Path::new("/").join(mount.destination());
    Ok(Mount { destination, what, options })
}

/// What is seen there: options say that it is a bind, and the type says it only where they do not.
fn what(mount: &oci_spec::runtime::Mount, words: &[String], bundle: &Path) -> Result<What> {
    let has = |word: &str| words.iter().any(|option| option == word);
    let source = mount.source().clone().unwrap_or_default();
    let fstype = mount.typ().clone().unwrap_or_default();
    if has("remount") {
        return Ok(What::Remount);
    }
    if has("bind") || has("rbind") || fstype == "bind" {
        // A relative source is one of the bundle's, wherever we were called.
        return Ok(What::Bind { source: bundle.join(source), recursive: has("rbind") });
    }
    if fstype.is_empty() {
        let destination = mount.destination().display();
        return Err(Error::invalid(format!("the mount on {destination} has neither a type nor bind")));
    }
    let source = source.display().to_string();
    let source = if source.is_empty() { fstype.clone() } else { source };
    Ok(What::Filesystem { fstype, source })
}

/// What the root itself shall be, once it is the root; private or slave it is from the beginning.
pub fn later_propagation(linux: &Linux) -> Result<Option<Propagation>> {
    let is_later = |one: &Propagation| matches!(one.flag, Propagation::SHARED | Propagation::UNBINDABLE);
    Ok(root_propagation(linux)?.filter(is_later))
}

/// What the spec says that the root shall be.
fn root_propagation(linux: &Linux) -> Result<Option<Propagation>> {
    let Some(word) = linux.rootfs_propagation().as_deref().filter(|word| !word.is_empty()) else {
        return Ok(None);
    };
    let propagation = Propagation::from_word(word).ok_or_else(|| {
        let why = "must be private, slave, shared or unbindable, perhaps with an r before";
        Error::invalid(format!("linux.rootfsPropagation {word:?}: {why}"))
    })?;
    Ok(Some(propagation))
}

/// Mounts that the host makes later are seen inside only where a bind asks for it.
fn propagation(linux: &Linux, mounts: &[Mount]) -> Result<Propagation> {
    let slave = Propagation { flag: Propagation::SLAVE, recursive: true };
    match root_propagation(linux)?.map(|propagation| propagation.flag) {
        Some(Propagation::PRIVATE) => return Ok(Propagation::RPRIVATE),
        Some(Propagation::SLAVE) => return Ok(slave),
        _ => {}
    }
    let follows = |mount: &Mount| {
        let flag = mount.options.propagation.map(|propagation| propagation.flag);
        matches!(flag, Some(Propagation::SLAVE | Propagation::SHARED))
    };
    Ok(if mounts.iter().any(follows) { slave } else { Propagation::RPRIVATE })
}

/// Devices that every container has (config-linux.md, "Default Devices"); /dev/console and /dev/ptmx come otherwise.
const DEFAULT_DEVICES: &[(&str, u64, u64)] = &[
    ("/dev/null", 1, 3),
    ("/dev/zero", 1, 5),
    ("/dev/full", 1, 7),
    ("/dev/random", 1, 8),
    ("/dev/urandom", 1, 9),
    ("/dev/tty", 5, 0),
];

fn devices(linux: &Linux) -> Result<Vec<Device>> {
    let named: Vec<Device> = linux.devices().iter().flatten().map(device).collect::<Result<_>>()?;
    let default = |(path, major, minor): &(&str, u64, u64)| Device {
        path: path.into(),
        kind: DeviceKind::Character,
        major: *major,
        minor: *minor,
        mode: 0o666,
        uid: 0,
        gid: 0,
    };
    let mut devices: Vec<Device> = DEFAULT_DEVICES.iter().map(default).collect();
    devices.retain(|device| named.iter().all(|named| named.path != device.path));
    devices.extend(named);
    Ok(devices)
}

fn device(device: &LinuxDevice) -> Result<Device> {
    let number =
        |number: i64| u64::try_from(number).map_err(|_| Error::invalid("linux.devices: a negative number"));
    Ok(Device {
        path: device.path().clone(),
        kind: match device.typ() {
            LinuxDeviceType::C | LinuxDeviceType::U => DeviceKind::Character,
            LinuxDeviceType::B => DeviceKind::Block,
            LinuxDeviceType::P => DeviceKind::Pipe,
            LinuxDeviceType::A => return Err(Error::invalid("linux.devices: type \"a\" is no device")),
        },
        major: number(device.major())?,
        minor: number(device.minor())?,
        mode: device.file_mode().unwrap_or(0o666),
        uid: device.uid().unwrap_or_default(),
        gid: device.gid().unwrap_or_default(),
    })
}
