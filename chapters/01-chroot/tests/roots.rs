//! Roots as the kernel makes them, each in a mount namespace of its own.
#![forbid(unsafe_code)]

mod alone;

use chroot::{
    Device, DeviceKind, ErrorKind, Mount, MountOp, MountOptions, Root, RootSpec, What, apply, parse_options,
    plan,
};
use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const CASES: &[alone::Case] = &[
    ("an_overlay_takes_the_changes", an_overlay_takes_the_changes),
    ("an_overlay_of_awkward_and_many_names", an_overlay_of_awkward_and_many_names),
    ("devices_and_links", devices_and_links),
    ("masked_and_readonly_paths", masked_and_readonly_paths),
    ("a_mask_is_not_made_of_a_file", a_mask_is_not_made_of_a_file),
    ("a_read_only_root", a_read_only_root),
    ("read_only_with_everything_below", read_only_with_everything_below),
    ("links_of_the_image_stay_inside", links_of_the_image_stay_inside),
    ("proc_goes_onto_no_link", proc_goes_onto_no_link),
    ("nothing_is_mounted_inside_proc", nothing_is_mounted_inside_proc),
    ("a_tmpfs_begins_as_the_image", a_tmpfs_begins_as_the_image),
    ("a_shared_bind_is_seen_outside", a_shared_bind_is_seen_outside),
    ("options_that_a_bind_cannot_have", options_that_a_bind_cannot_have),
    ("a_missing_source_is_named", a_missing_source_is_named),
];

fn main() -> ExitCode {
    alone::main(CASES)
}

/// A mount namespace of its own, and for an ordinary user the right to use it.
fn enter() {
    if nix::unistd::geteuid().is_root() {
        nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNS).unwrap();
    } else {
        chroot::borrow_namespaces().unwrap();
    }
}

fn is_rootless() -> bool {
    // The map of everybody who is not in a user namespace.
    !fs::read_to_string("/proc/self/uid_map").unwrap().contains("4294967295")
}

/// A folder of the image, and a spec that has it as its root and /proc in it.
fn image(folder: &Path) -> (PathBuf, RootSpec) {
    enter();
    let root = folder.join("image");
    for name in ["dev", "etc", "proc", "tmp"] {
        fs::create_dir_all(root.join(name)).unwrap();
    }
    let spec = RootSpec { rootless: is_rootless(), ..RootSpec::folder(root.clone()) };
    (root, spec)
}

fn options(words: &[&str]) -> MountOptions {
    parse_options(&words.iter().map(|word| word.to_string()).collect::<Vec<_>>())
}

fn tmpfs(destination: &str, words: &[&str]) -> Mount {
    let what = What::Filesystem { fstype: "tmpfs".into(), source: "tmpfs".into() };
    Mount { destination: destination.into(), what, options: options(words) }
}

fn bind(source: &Path, destination: &str, words: &[&str]) -> Mount {
    let what = What::Bind { source: source.into(), recursive: true };
    Mount { destination: destination.into(), what, options: options(words) }
}

fn null() -> Device {
    Device {
        path: "/dev/null".into(),
        kind: DeviceKind::Character,
        major: 1,
        minor: 3,
        mode: 0o666,
        uid: 0,
        gid: 0,
    }
}

fn make(spec: &RootSpec) {
    apply(&plan(spec)).unwrap();
}

fn fails(spec: &RootSpec, kind: ErrorKind, words: &str) {
    let error = apply(&plan(spec)).unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(words), "{error}");
}

fn names_in(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn overlay(folder: &Path, lower: Vec<PathBuf>, upper: &str) -> RootSpec {
    enter();
    let (upper, work) = (folder.join(upper), folder.join("work"));
    for (index, layer) in lower.iter().enumerate() {
        fs::create_dir_all(layer.join("proc")).unwrap();
        fs::write(layer.join("name"), index.to_string()).unwrap();
        fs::write(layer.join(format!("of-{index}")), "").unwrap();
    }
    fs::create_dir_all(&upper).unwrap();
    fs::create_dir_all(&work).unwrap();
    let root = Root::Overlay { lower, upper, work };
    RootSpec { root, rootless: is_rootless(), ..RootSpec::folder("/".into()) }
}

fn an_overlay_takes_the_changes(folder: &Path) {
    let upper = fs::File::open({
        fs::create_dir(folder.join("upper")).unwrap();
        folder.join("upper")
    })
    .unwrap();
    make(&overlay(folder, vec![folder.join("top"), folder.join("bottom")], "upper"));
    assert_eq!(names_in("/"), ["name", "of-0", "of-1", "proc"]);
    assert_eq!(fs::read_to_string("/name").unwrap(), "0", "the first layer is the topmost");
    fs::write("/made", "here").unwrap();
    fs::remove_file("/of-1").unwrap();
    assert!(!Path::new("/of-1").exists());
    // Seen through a descriptor of the upper folder, which was opened before the overlay covered it.
    let upper = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&upper));
    assert_eq!(fs::read_to_string(format!("{upper}/made")).unwrap(), "here");
    assert!(fs::symlink_metadata(format!("{upper}/of-1")).unwrap().file_type().is_char_device());
}

fn an_overlay_of_awkward_and_many_names(folder: &Path) {
    let long = "x".repeat(200);
    let deep = folder.join(&long).join(&long);
    let mut lower = vec![deep, folder.join("a:b,c\\d")];
    lower.extend((0..100).map(|index| folder.join(format!("layer-{index}"))));
    make(&overlay(folder, lower, "up,per:"));
    fs::write("/made", "").unwrap();
    assert_eq!(names_in("/").iter().filter(|name| name.starts_with("of-")).count(), 102);
}

fn devices_and_links(folder: &Path) {
    let (_, mut spec) = image(folder);
    spec.mounts.push(tmpfs("/dev", &["nosuid", "mode=755", "size=64k"]));
    let (pipe, mode) = (Device { path: "/dev/log/pipe".into(), kind: DeviceKind::Pipe, ..null() }, 0o666);
    spec.devices = vec![null(), pipe];
    make(&spec);
    fs::write("/dev/null", "gone").unwrap();
    let status = fs::metadata("/dev/null").unwrap();
    assert!(status.file_type().is_char_device() && status.rdev() == 0x103 && status.mode() & 0o777 == mode);
    let status = fs::metadata("/dev/log/pipe").unwrap();
    assert!(status.file_type().is_fifo() && status.mode() & 0o777 == mode);
    assert_eq!(fs::read_link("/dev/fd").unwrap(), Path::new("/proc/self/fd"));
    assert_eq!(fs::read_link("/dev/ptmx").unwrap(), Path::new("pts/ptmx"));
}

fn masked_and_readonly_paths(folder: &Path) {
    let (root, mut spec) = image(folder);
    spec.mounts.push(tmpfs("/dev", &["mode=755"]));
    spec.devices = vec![null()];
    for name in ["secret", "kept", "other"] {
        fs::create_dir(root.join("etc").join(name)).unwrap();
        fs::write(root.join("etc").join(name).join("file"), "secret").unwrap();
    }
    fs::write(root.join("etc/key"), "secret").unwrap();
    fs::write(root.join("etc/key2"), "secret").unwrap();
    spec.masked_paths =
        ["/etc/secret", "/etc/other", "/etc/key", "/etc/key2", "/etc/absent"].map(Into::into).into();
    spec.readonly_paths = vec!["/etc/kept".into(), "/proc/sys".into(), "/absent".into()];
    make(&spec);
    for masked in ["/etc/secret", "/etc/other"] {
        assert_eq!(names_in(masked), Vec::<String>::new());
        fs::write(format!("{masked}/new"), "").unwrap_err();
    }
    for masked in ["/etc/key", "/etc/key2"] {
        assert_eq!(fs::read_to_string(masked).unwrap(), "");
    }
    assert_eq!(fs::read_to_string("/etc/kept/file").unwrap(), "secret");
    let error = fs::write("/etc/kept/file", "changed").unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ReadOnlyFilesystem);
}

fn a_mask_is_not_made_of_a_file(folder: &Path) {
    let (root, mut spec) = image(folder);
    fs::write(root.join("dev/null"), "what the attacker wants to be seen").unwrap();
    fs::write(root.join("etc/key"), "").unwrap();
    spec.masked_paths = vec!["/etc/key".into()];
    fails(&spec, ErrorKind::Unsafe, "/dev/null");
}

fn a_read_only_root(folder: &Path) {
    let (_, mut spec) = image(folder);
    spec.readonly = true;
    spec.mounts.push(tmpfs("/tmp", &[]));
    make(&spec);
    assert_eq!(fs::write("/etc/new", "").unwrap_err().kind(), std::io::ErrorKind::ReadOnlyFilesystem);
    fs::write("/tmp/new", "").unwrap();
}

fn read_only_with_everything_below(folder: &Path) {
    let (_, mut spec) = image(folder);
    let source = folder.join("source");
    fs::create_dir_all(source.join("below")).unwrap();
    nix::mount::mount(
        Some("tmpfs"),
        &source.join("below"),
        Some("tmpfs"),
        nix::mount::MsFlags::empty(),
        None::<&str>,
    )
    .unwrap();
    spec.mounts.push(bind(&source, "/all", &["rbind", "rro"]));
    spec.mounts.push(bind(&source, "/top", &["rbind", "ro"]));
    make(&spec);
    for place in ["/all/new", "/all/below/new", "/top/new"] {
        assert_eq!(
            fs::write(place, "").unwrap_err().kind(),
            std::io::ErrorKind::ReadOnlyFilesystem,
            "{place}"
        );
    }
    fs::write("/top/below/new", "").unwrap();
}

fn links_of_the_image_stay_inside(folder: &Path) {
    let (root, mut spec) = image(folder);
    fs::create_dir(folder.join("host")).unwrap();
    fs::write(folder.join("file"), "bound").unwrap();
    symlink(folder.join("host"), root.join("away")).unwrap();
    symlink("../".repeat(32) + "etc", root.join("up")).unwrap();
    spec.mounts.push(bind(&folder.join("file"), "/away/file", &[]));
    spec.mounts.push(bind(&folder.join("file"), "/up/file", &[]));
    spec.mounts.push(tmpfs("/../../../../escape/folder", &[]));
    let host = fs::File::open(folder.join("host")).unwrap();
    make(&spec);
    assert_eq!(fs::read_to_string(folder.join("host/file")).unwrap(), "bound", "as the image sees its link");
    assert_eq!(fs::read_to_string("/etc/file").unwrap(), "bound");
    assert!(Path::new("/escape/folder").is_dir());
    let host = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&host));
    assert_eq!(names_in(&host), Vec::<String>::new(), "the host's folder is untouched");
}

fn proc_goes_onto_no_link(folder: &Path) {
    let (root, mut spec) = image(folder);
    fs::remove_dir(root.join("proc")).unwrap();
    symlink("/tmp", root.join("proc")).unwrap();
    let what = What::Filesystem { fstype: "proc".into(), source: "proc".into() };
    spec.mounts = vec![Mount { destination: "/proc".into(), what, options: options(&[]) }];
    fails(&spec, ErrorKind::Unsafe, "ordinary directory");
}

fn nothing_is_mounted_inside_proc(folder: &Path) {
    let (root, spec) = image(folder);
    symlink("/proc", root.join("innocent")).unwrap();
    for (mount, words) in [
        (tmpfs("/proc/sys", &[]), "inside /proc"),
        (tmpfs("/innocent/sys", &[]), "inside /proc"),
        (tmpfs("/innocent", &[]), "inside /proc"),
        (tmpfs("/proc", &[]), "not of type proc"),
        (bind(Path::new("/proc/1"), "/proc", &[]), "not of type proc"),
    ] {
        let mut spec = spec.clone();
        spec.mounts.push(mount);
        fails(&spec, ErrorKind::Unsafe, words);
    }
    fs::write(folder.join("cpuinfo"), "one slow processor").unwrap();
    let mut spec = spec.clone();
    spec.mounts.push(bind(&folder.join("cpuinfo"), "/proc/cpuinfo", &[]));
    make(&spec);
    assert_eq!(fs::read_to_string("/proc/cpuinfo").unwrap(), "one slow processor");
}

fn a_tmpfs_begins_as_the_image(folder: &Path) {
    let (root, mut spec) = image(folder);
    fs::create_dir(root.join("etc/deep")).unwrap();
    fs::write(root.join("etc/deep/file"), "text").unwrap();
    symlink("file", root.join("etc/deep/link")).unwrap();
    spec.mounts.push(tmpfs("/etc", &["tmpcopyup", "ro"]));
    make(&spec);
    assert_eq!(fs::read_to_string("/etc/deep/link").unwrap(), "text");
    fs::write("/etc/new", "").unwrap_err();
}

fn a_shared_bind_is_seen_outside(folder: &Path) {
    let (_, mut spec) = image(folder);
    let source = folder.join("source");
    fs::create_dir(&source).unwrap();
    let mount = |what: Option<&Path>, place: &Path, fstype: Option<&str>, flags| {
        nix::mount::mount(what, place, fstype, flags, None::<&str>).unwrap();
    };
    use nix::mount::MsFlags;
    mount(Some(&source), &source, None, MsFlags::MS_BIND);
    mount(None, &source, None, MsFlags::MS_SHARED);
    // Another process with the host's view: the mount namespace as it is before the root is made.
    let host = fs::File::open("/proc/self/ns/mnt").unwrap();
    nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNS).unwrap();
    spec.mounts.push(bind(&source, "/shared", &["rshared"]));
    spec.mounts.push(bind(&source, "/private", &[]));
    spec.propagation = chroot::Propagation::from_word("rslave").unwrap();
    make(&spec);
    fs::create_dir("/shared/a").unwrap();
    fs::create_dir("/private/b").unwrap();
    mount(Some(Path::new("tmpfs")), Path::new("/shared/a"), Some("tmpfs"), MsFlags::empty());
    mount(Some(Path::new("tmpfs")), Path::new("/private/b"), Some("tmpfs"), MsFlags::empty());
    nix::sched::setns(&host, nix::sched::CloneFlags::CLONE_NEWNS).unwrap();
    let seen = fs::read_to_string("/proc/self/mounts").unwrap();
    assert!(seen.contains("source/a tmpfs"), "{seen}");
    assert!(!seen.contains("source/b"), "{seen}");
}

fn options_that_a_bind_cannot_have(folder: &Path) {
    let (_, mut spec) = image(folder);
    spec.mounts.push(bind(folder, "/data", &["rbind", "size=1m"]));
    fails(&spec, ErrorKind::Unsafe, "size=1m");
}

fn a_missing_source_is_named(folder: &Path) {
    let (_, mut spec) = image(folder);
    spec.mounts.push(bind(&folder.join("absent"), "/data", &[]));
    fails(&spec, ErrorKind::NotFound, "absent");
    let steps = [MountOp::PivotRoot];
    assert_eq!(apply(&steps).unwrap_err().kind(), ErrorKind::Unsafe, "a plan without a root");
}
