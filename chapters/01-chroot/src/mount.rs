//! What is mounted inside a root, and how: plain data.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// One mount inside the root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    /// Where, as a path inside the root; made if it is missing.
    pub destination: PathBuf,
    /// What is seen there.
    pub what: What,
    /// With which attributes.
    pub options: MountOptions,
}

impl Mount {
    /// Whether mounts that the container makes there shall appear on the host.
    pub fn is_shared(&self) -> bool {
        let flag = self.options.propagation.map(|propagation| propagation.flag);
        flag == Some(Propagation::SHARED) && matches!(self.what, What::Bind { .. })
    }
}

/// What a mount makes visible.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum What {
    /// A file system of its own: proc, tmpfs, devpts…
    Filesystem {
        /// Its type, as /proc/filesystems names it.
        fstype: String,
        /// What /proc/mounts shows as its device.
        source: String,
    },
    /// A file or folder of the host.
    Bind {
        /// The host's path.
        source: PathBuf,
        /// With the mounts below it.
        recursive: bool,
    },
    /// A copy of mounts that was made before and is attached nowhere yet: `/proc/self/fd/7`.
    Detached(PathBuf),
    /// No mount but a symbolic link, where the layout of a mounted folder wants one (`cpu -> cpu,cpuacct`).
    Symlink {
        /// What the link says.
        target: PathBuf,
    },
    /// The mount that is there already, with other attributes.
    Remount,
}

/// The attributes of a mount.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MountOptions {
    /// Attributes of the mount itself.
    pub attributes: Attributes,
    /// Attributes of it and everything mounted below (`rro`, `rnosuid`…).
    pub recursive: Attributes,
    /// Whether mounts made later are shared with other namespaces, and in which direction.
    pub propagation: Option<Propagation>,
    /// Options of the file system, `key` or `key=value`.
    pub data: Vec<String>,
    /// A tmpfs begins with a copy of what the image has in its place.
    pub copy_up: bool,
}

/// Attributes of a mount: the bits `MOUNT_ATTR_*` of mount_setattr(2).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attributes {
    /// Bits to set.
    pub set: u64,
    /// Bits to clear.
    pub clear: u64,
}

impl Attributes {
    /// `MOUNT_ATTR_RDONLY`
    pub const RDONLY: u64 = 0x1;
    /// `MOUNT_ATTR_NOSUID`
    pub const NOSUID: u64 = 0x2;
    /// `MOUNT_ATTR_NODEV`
    pub const NODEV: u64 = 0x4;
    /// `MOUNT_ATTR_NOEXEC`
    pub const NOEXEC: u64 = 0x8;
    /// `MOUNT_ATTR__ATIME`: the field that the three kinds of atime share; zero is relatime.
    pub const ATIME: u64 = 0x70;
    /// `MOUNT_ATTR_NOATIME`
    pub const NOATIME: u64 = 0x10;
    /// `MOUNT_ATTR_STRICTATIME`
    pub const STRICTATIME: u64 = 0x20;
    /// `MOUNT_ATTR_NODIRATIME`
    pub const NODIRATIME: u64 = 0x80;
    /// `MOUNT_ATTR_NOSYMFOLLOW`
    pub const NOSYMFOLLOW: u64 = 0x20_0000;

    /// These, and after them others: the last word on each bit wins.
    pub fn then(self, later: Attributes) -> Attributes {
        Attributes { set: self.set & !later.clear | later.set, clear: self.clear & !later.set | later.clear }
    }
}

/// How mounts made later travel between a mount and its copies (mount_namespaces(7)); `recursive` includes the mounts below.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Propagation {
    /// One of `MS_PRIVATE`, `MS_SLAVE`, `MS_SHARED`, `MS_UNBINDABLE`, as bits of mount(2).
    pub flag: u64,
    /// For the whole tree.
    pub recursive: bool,
}

impl Propagation {
    /// `MS_UNBINDABLE`
    pub const UNBINDABLE: u64 = 1 << 17;
    /// `MS_PRIVATE`
    pub const PRIVATE: u64 = 1 << 18;
    /// `MS_SLAVE`
    pub const SLAVE: u64 = 1 << 19;
    /// `MS_SHARED`
    pub const SHARED: u64 = 1 << 20;

    /// `private`, for everything below as well: a container's default.
    pub const RPRIVATE: Propagation = Propagation { flag: Propagation::PRIVATE, recursive: true };
}
