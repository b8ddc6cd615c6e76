//! The plan of a root.

use crate::Bytes;
use chroot::{
    Attributes, Device, DeviceKind, Mount, MountOp, Propagation, Root, RootSpec, What, parse_options, plan,
};
use std::path::PathBuf;

const PATHS: [&str; 8] = ["/", "/proc", "/dev", "/dev/pts", "/sys", "/data/deep", "/../etc", "/a//b/."];
const WORDS: [&str; 24] = [
    "ro",
    "rw",
    "nosuid",
    "suid",
    "nodev",
    "dev",
    "noexec",
    "exec",
    "noatime",
    "relatime",
    "strictatime",
    "rro",
    "rrw",
    "rnosuid",
    "rnoexec",
    "private",
    "rslave",
    "rshared",
    "bind",
    "rbind",
    "size=64k",
    "mode=755",
    "tmpcopyup",
    "nosymfollow",
];

/// Nothing is left out, and the order keeps what follows from it: the host is cut off first, everything that comes from the image or
/// the host is in place before the root is entered, and what hides or protects it comes after.
pub fn law(bytes: &[u8]) {
    let mut bytes = Bytes::new(bytes);
    let spec = spec(&mut bytes);
    let steps = plan(&spec);
    let at = |is: fn(&MountOp) -> bool| -> Vec<usize> {
        steps.iter().enumerate().filter(|(_, step)| is(step)).map(|(at, _)| at).collect()
    };
    assert_eq!(at(|step| matches!(step, MountOp::CutOff(_))), [0]);
    assert_eq!(at(|step| matches!(step, MountOp::Root { .. })), [1]);
    let pivot = at(|step| matches!(step, MountOp::PivotRoot));
    assert_eq!(pivot.len(), 1);
    let mounts = at(|step| matches!(step, MountOp::Mount(_)));
    let nodes = at(|step| matches!(step, MountOp::Node(_) | MountOp::BindNode(_)));
    let links = at(|step| matches!(step, MountOp::Symlink { .. }));
    let hiding = at(|step| matches!(step, MountOp::Mask(_) | MountOp::ReadOnly(_)));
    assert_eq!((mounts.len(), nodes.len()), (spec.mounts.len(), spec.devices.len()));
    assert_eq!(hiding.len(), spec.masked_paths.len() + spec.readonly_paths.len());
    assert!(mounts.iter().chain(&nodes).chain(&links).all(|at| *at < pivot[0]));
    assert!(hiding.iter().all(|at| *at > pivot[0]));
    assert!(mounts.last().is_none_or(|last| nodes.iter().chain(&links).all(|at| at > last)));
    let whole = at(|step| matches!(step, MountOp::ReadOnlyRoot));
    assert_eq!(whole, if spec.readonly { vec![steps.len() - 1] } else { vec![] });
    for (step, asked) in mounts.iter().map(|at| &steps[*at]).zip(&spec.mounts) {
        let MountOp::Mount(mount) = step else { unreachable!("these are mounts") };
        assert_eq!((&mount.destination, &mount.what), (&asked.destination, &asked.what));
    }
    // Written and read again, as the supervisor's child gets it, it is the same plan.
    let json = serde_json::to_string(&steps).expect("a plan is data");
    assert_eq!(serde_json::from_str::<Vec<MountOp>>(&json).expect("a plan is data"), steps);
}

fn spec(bytes: &mut Bytes<'_>) -> RootSpec {
    let paths = |bytes: &mut Bytes<'_>| -> Vec<PathBuf> {
        (0..bytes.below(4)).map(|_| bytes.one(&PATHS).into()).collect()
    };
    let root = if bytes.flag() {
        Root::Folder("/image".into())
    } else {
        Root::Overlay { lower: paths(bytes), upper: "/upper".into(), work: "/work".into() }
    };
    RootSpec {
        root,
        mounts: (0..bytes.below(8)).map(|_| mount(bytes)).collect(),
        devices: (0..bytes.below(4)).map(|_| device(bytes)).collect(),
        masked_paths: paths(bytes),
        readonly_paths: paths(bytes),
        readonly: bytes.flag(),
        propagation: Propagation {
            flag: bytes.one(&[Propagation::PRIVATE, Propagation::SLAVE]),
            recursive: true,
        },
        rootless: bytes.flag(),
    }
}

fn mount(bytes: &mut Bytes<'_>) -> Mount {
    let words: Vec<String> = (0..bytes.below(8)).map(|_| bytes.one(&WORDS).to_string()).collect();
    let options = parse_options(&words);
    for Attributes { set, clear } in [options.attributes, options.recursive] {
        let plain = set & !Attributes::ATIME;
        assert_eq!(plain & clear, 0, "no bit is set and cleared: {words:?}");
    }
    assert!(options.data.iter().all(|word| word.contains('=') && words.contains(word)), "{words:?}");
    // The last word on an attribute is the one that counts.
    let last = words.iter().rev().find(|word| ["ro", "rw"].contains(&word.as_str()));
    assert_eq!(options.attributes.set & Attributes::RDONLY != 0, last.is_some_and(|word| word == "ro"));
    let what = match bytes.below(3) {
        0 => What::Filesystem { fstype: "tmpfs".into(), source: "tmpfs".into() },
        1 => What::Bind { source: bytes.one(&PATHS).into(), recursive: bytes.flag() },
        _ => What::Remount,
    };
    Mount { destination: bytes.one(&PATHS).into(), what, options }
}

fn device(bytes: &mut Bytes<'_>) -> Device {
    let kind = bytes.one(&[DeviceKind::Character, DeviceKind::Block, DeviceKind::Pipe]);
    let (major, minor, mode) = (u64::from(bytes.byte()), u64::from(bytes.byte()), 0o666);
    Device { path: bytes.one(&PATHS).into(), kind, major, minor, mode, uid: 0, gid: 0 }
}
