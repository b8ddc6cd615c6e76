//! The plan carried out in the model of the kernel's mounts, as `chroot::apply` carries it out in the kernel.

use super::{MountPlan, Side};
use chroot::{
    Attributes, Device, DeviceKind, Mount, MountOp, MountOptions, Propagation, Root, RootSpec, What,
    parse_options,
};
use models::{Kind, Namespace, Row, World};

/// The world once the container runs, and what was mounted later.
pub(crate) struct Later {
    /// The host's mounts at and below /srv.
    pub host: Vec<Row>,
    /// All of the container's mounts.
    pub container: Vec<Row>,
    /// Whether the one who did not mount it sees it.
    pub is_seen_by_both: bool,
}

/// What a state asks for.
pub fn root_spec(state: &MountPlan) -> RootSpec {
    let words =
        |words: &[&str]| parse_options(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
    let filesystem = |fstype: &str, destination: &str, options: &[&str]| Mount {
        destination: destination.into(),
        what: What::Filesystem { fstype: fstype.into(), source: fstype.into() },
        options: words(options),
    };
    let mut mounts = vec![
        filesystem("proc", "/proc", &["nosuid", "noexec", "nodev"]),
        filesystem("tmpfs", "/dev", &["nosuid", "strictatime", "mode=755"]),
    ];
    mounts.extend(state.bind.map(|propagation| Mount {
        destination: "/data".into(),
        what: What::Bind { source: "/srv".into(), recursive: true },
        options: MountOptions { propagation: Propagation::from_word(propagation), ..MountOptions::default() },
    }));
    let layers = ["/layers/app", "/layers/base"].map(Into::into).to_vec();
    let folder = || Root::Folder("/box".into());
    let overlay = || Root::Overlay { lower: layers, upper: "/box".into(), work: "/work".into() };
    // The host is cut off altogether, unless a bind shall see what is mounted later.
    let follows = state.bind.is_some_and(|word| word != "rprivate");
    let cut_off = Propagation { flag: Propagation::SLAVE, recursive: true };
    RootSpec {
        root: if state.layers { overlay() } else { folder() },
        mounts,
        devices: vec![device("/dev/null", 3), device("/dev/zero", 5)],
        masked_paths: vec!["/proc/keys".into()],
        readonly_paths: vec!["/proc/sys".into()],
        readonly: state.read_only,
        propagation: if follows { cut_off } else { Propagation::RPRIVATE },
        rootless: state.rootless,
    }
}

fn device(path: &str, minor: u64) -> Device {
    Device { path: path.into(), kind: DeviceKind::Character, major: 1, minor, mode: 0o666, uid: 0, gid: 0 }
}

/// The world after a plan, in which namespace 0 is the host's and 1 the container's.
pub fn carried_out(plan: &[MountOp], rootless: bool) -> World {
    // What systemd makes of a host: every mount is shared.
    let mut world = World::new("disk");
    let _ = world.set(0, "", Kind::Shared, false);
    world.mount(0, "dev", "devtmpfs");
    world.mount(0, "srv", "store");
    let container = world.new_namespace(0, rootless);
    let mut shared = shared_sources(&mut world, container, plan).into_iter();
    let mut root = String::new();
    for step in plan {
        match step {
            MountOp::CutOff(propagation) => {
                let kind = if propagation.flag == Propagation::PRIVATE { Kind::Private } else { Kind::Slave };
                let _ = world.set(container, "", kind, true);
            }
            MountOp::Root { root: Root::Folder(folder), .. } => {
                root = folder.to_string_lossy().into_owned();
                world.bind(container, &root, &root, true);
            }
            MountOp::Root { root: Root::Overlay { upper, .. }, .. } => {
                root = upper.to_string_lossy().into_owned();
                world.mount(container, &root, "overlay");
            }
            MountOp::Mount(mount) => apply_mount(&mut world, container, &root, mount, &mut shared),
            MountOp::BindNode(device) => {
                let path = device.path.to_string_lossy();
                world.bind(container, &path, &format!("{root}{path}"), false);
            }
            MountOp::PivotRoot => {
                let _ = world.pivot(container, &root);
                root.clear();
            }
            MountOp::ReadOnly(path) => {
                let path = path.to_string_lossy();
                world.bind(container, &path, &path, true);
            }
            MountOp::Mask(path) => world.bind(container, "/dev/null", &path.to_string_lossy(), false),
            MountOp::Node(_) | MountOp::Symlink { .. } | MountOp::Label(_) | MountOp::ReadOnlyRoot => {}
        }
    }
    world
}

fn shared_bind(mount: &Mount) -> Option<(&std::path::Path, bool)> {
    let is_shared = mount.options.propagation.is_some_and(|one| one.flag == Propagation::SHARED);
    match &mount.what {
        What::Bind { source, recursive } if is_shared => Some((source, *recursive)),
        _ => None,
    }
}

/// What shall stay shared is copied before the host is cut off.
fn shared_sources(world: &mut World, container: Namespace, plan: &[MountOp]) -> Vec<models::Tree> {
    let source = |step: &MountOp| match step {
        MountOp::Mount(mount) => shared_bind(mount)
            .map(|(source, recursive)| world.copy(container, &source.to_string_lossy(), recursive)),
        _ => None,
    };
    plan.iter().filter_map(source).collect()
}

fn apply_mount(
    world: &mut World,
    container: Namespace,
    root: &str,
    mount: &Mount,
    shared: &mut impl Iterator<Item = models::Tree>,
) {
    let place = format!("{root}{}", mount.destination.to_string_lossy());
    match &mount.what {
        What::Filesystem { source, .. } => world.mount(container, &place, source),
        What::Bind { source, recursive } => {
            let copied = shared_bind(mount).and_then(|_| shared.next());
            let tree = copied.unwrap_or_else(|| world.copy(container, &source.to_string_lossy(), *recursive));
            if let Some(propagation) = mount.options.propagation {
                let kind = match propagation.flag {
                    Propagation::SHARED => Kind::Shared,
                    Propagation::SLAVE => Kind::Slave,
                    _ => Kind::Private,
                };
                world.set_tree(tree, kind, propagation.recursive);
            }
            world.attach(tree, container, &place);
        }
        What::Symlink { .. } | What::Remount | What::Detached(_) => {}
    }
}

impl MountPlan {
    /// The mounts of both sides, after what was mounted later.
    pub(crate) fn later(&self) -> Later {
        let mut world = carried_out(&self.steps_done(), self.rootless);
        match self.mounted {
            Some(Side::Host) => world.mount(0, "srv/new", "new"),
            Some(Side::Inside) => world.mount(1, "data/new", "new"),
            None => {}
        }
        let mut host = world.rows(0);
        host.retain(|row| row.path.starts_with("srv"));
        let container = world.rows(1);
        let sees = |rows: &[Row]| rows.iter().any(|row| row.filesystem == "new");
        let is_seen_by_both = sees(&host) && sees(&container);
        Later { host, container, is_seen_by_both }
    }

    /// The paths that cannot be written, by the plan.
    pub(crate) fn read_only_paths(&self) -> Vec<String> {
        let path = |step: &MountOp| match step {
            MountOp::ReadOnly(path) => Some(path.to_string_lossy().into_owned()),
            MountOp::ReadOnlyRoot => Some("/".to_owned()),
            MountOp::Mount(mount) if mount.options.attributes.set & Attributes::RDONLY != 0 => {
                Some(mount.destination.to_string_lossy().into_owned())
            }
            _ => None,
        };
        self.steps_done().iter().filter_map(path).collect()
    }
}
