//! The plan: which steps, in which order, make a root. Pure, so that it can be read, tested and drawn without a kernel.

use crate::{Attributes, Device, DeviceKind, Mount, MountOptions, Propagation, Root, What};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What a container's root shall be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootSpec {
    /// What it is made of.
    pub root: Root,
    /// What is mounted inside, in order.
    pub mounts: Vec<Mount>,
    /// The device nodes.
    pub devices: Vec<Device>,
    /// Paths whose contents are hidden.
    pub masked_paths: Vec<PathBuf>,
    /// Paths that can be read but not written.
    pub readonly_paths: Vec<PathBuf>,
    /// The root itself cannot be written.
    pub readonly: bool,
    /// The propagation of the host's mounts while the root is made: private unless a bind shall see later mounts.
    pub propagation: Propagation,
    /// Made in a user namespace by an ordinary user: devices are bound from the host, overlayfs keeps its marks in `user.*`.
    pub rootless: bool,
}

impl RootSpec {
    /// The least that programs expect: the host's /proc, bound, in a folder.
    pub fn folder(folder: PathBuf) -> RootSpec {
        let proc = What::Bind { source: "/proc".into(), recursive: true };
        RootSpec {
            root: Root::Folder(folder),
            mounts: vec![Mount { destination: "/proc".into(), what: proc, options: MountOptions::default() }],
            devices: Vec::new(),
            masked_paths: Vec::new(),
            readonly_paths: Vec::new(),
            readonly: false,
            propagation: Propagation::RPRIVATE,
            rootless: false,
        }
    }
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum MountOp {
    /// What is mounted from now on does not travel back to the host.
    CutOff(Propagation),
    /// Mounts the root, and takes it as the fence for every path that follows.
    Root {
        /// What it is made of.
        root: Root,
        /// Marks of overlayfs are in `user.*` attributes.
        rootless: bool,
    },
    /// Mounts something inside the root.
    Mount(Mount),
    /// Makes a device node.
    Node(Device),
    /// Binds the host's device node: an ordinary user may not make one.
    BindNode(Device),
    /// Makes a symbolic link, in the place of a file that is there.
    Symlink {
        /// Where.
        path: PathBuf,
        /// What it says.
        target: PathBuf,
    },
    /// File systems that are made inside from here on bear this label of SELinux.
    Label(String),
    /// Makes the root the process's root, and lets go of the host's.
    PivotRoot,
    /// Hides a file under /dev/null, a folder under an empty one.
    Mask(PathBuf),
    /// Makes what is mounted at a path, or the path itself, read-only.
    ReadOnly(PathBuf),
    /// Makes the root's own mount read-only.
    ReadOnlyRoot,
}

/// Symbolic links that every container has (OCI runtime spec: runtime-linux.md, "Dev symbolic links"; config-linux.md for ptmx; core as
/// runc makes it).
const LINKS: &[(&str, &str)] = &[
    ("/dev/fd", "/proc/self/fd"),
    ("/dev/stdin", "/proc/self/fd/0"),
    ("/dev/stdout", "/proc/self/fd/1"),
    ("/dev/stderr", "/proc/self/fd/2"),
    ("/dev/core", "/proc/kcore"),
    ("/dev/ptmx", "pts/ptmx"),
];

/// The steps that make this root.
///
/// The order matters: the host is cut off first; nodes and links go onto the /dev that is mounted before; masks are laid
/// from inside the new root, where no link of the image can lead a path out of it.
pub fn plan(spec: &RootSpec) -> Vec<MountOp> {
    let mut steps = vec![MountOp::CutOff(spec.propagation)];
    steps.push(MountOp::Root { root: spec.root.clone(), rootless: spec.rootless });
    steps.extend(spec.mounts.iter().map(|mount| MountOp::Mount(resolved(mount, spec.propagation))));
    steps.extend(spec.devices.iter().map(|device| node(device, spec.rootless)));
    if has_dev(spec) {
        steps.extend(LINKS.iter().map(|(path, target)| link(path, target)));
    }
    steps.push(MountOp::PivotRoot);
    steps.extend(spec.readonly_paths.iter().cloned().map(MountOp::ReadOnly));
    steps.extend(spec.masked_paths.iter().cloned().map(MountOp::Mask));
    if spec.readonly {
        steps.push(MountOp::ReadOnlyRoot);
    }
    steps
}

fn link(path: &str, target: &str) -> MountOp {
    MountOp::Symlink { path: path.into(), target: target.into() }
}

/// What is mounted inside stays there, unless it says otherwise: new file systems, and copies of mounts that were cut off
/// altogether, do so of themselves. A bind is as writable as its source: `rw` does not make it more so.
fn resolved(mount: &Mount, cut_off: Propagation) -> Mount {
    let mut mount = mount.clone();
    let (options, is_private) = (&mut mount.options, |one: Propagation| one.flag == Propagation::PRIVATE);
    match mount.what {
        What::Filesystem { .. } => {
            options.propagation = options.propagation.filter(|asked| !is_private(*asked))
        }
        What::Bind { .. } | What::Detached(_) => {
            options.attributes.clear &= !Attributes::RDONLY;
            let propagation = options.propagation.unwrap_or(Propagation::RPRIVATE);
            let is_so_already = is_private(propagation) && is_private(cut_off);
            options.propagation = (!is_so_already).then_some(propagation);
        }
        What::Symlink { .. } | What::Remount => {}
    }
    mount
}

/// An ordinary user may make a pipe, but no device.
fn node(device: &Device, rootless: bool) -> MountOp {
    if rootless && device.kind != DeviceKind::Pipe {
        MountOp::BindNode(device.clone())
    } else {
        MountOp::Node(device.clone())
    }
}

/// Whether /dev is a file system of the container's own; the host's /dev, bound, is left as it is.
fn has_dev(spec: &RootSpec) -> bool {
    let is_dev = |mount: &&Mount| mount.destination.as_os_str() == "/dev";
    spec.mounts.iter().rev().find(is_dev).is_some_and(|mount| matches!(mount.what, What::Filesystem { .. }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse_options;

    fn filesystem(destination: &str, fstype: &str, options: &[&str]) -> Mount {
        let options = options.iter().map(|word| word.to_string()).collect::<Vec<_>>();
        let what = What::Filesystem { fstype: fstype.into(), source: fstype.into() };
        Mount { destination: destination.into(), what, options: parse_options(&options) }
    }

    #[test]
    fn the_order_of_a_typical_root() {
        let spec = RootSpec {
            root: Root::Overlay {
                lower: vec!["/l2".into(), "/l1".into()],
                upper: "/u".into(),
                work: "/w".into(),
            },
            mounts: vec![
                filesystem("/proc", "proc", &["nosuid", "noexec", "nodev"]),
                filesystem("/dev", "tmpfs", &["nosuid", "strictatime", "mode=755", "size=65536k"]),
                Mount {
                    destination: "/data".into(),
                    what: What::Bind { source: "/srv".into(), recursive: true },
                    options: MountOptions {
                        propagation: Some(Propagation::RPRIVATE),
                        ..MountOptions::default()
                    },
                },
            ],
            devices: vec![],
            masked_paths: vec!["/proc/kcore".into()],
            readonly_paths: vec!["/proc/sys".into()],
            readonly: true,
            propagation: Propagation::RPRIVATE,
            rootless: false,
        };
        insta::assert_debug_snapshot!(plan(&spec));
    }
}
