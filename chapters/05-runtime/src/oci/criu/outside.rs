//! Long tail: what a container has of the world outside, which is not written into images: files of the host that are mounted inside,
//! standard streams, namespaces of others.

use crate::plan::Plan;
use crate::{Error, ErrorKind, Result};
use chroot::{MountOp, What};
use kernel::Strace;
use namespaces::{Join, Namespaces};
use rustix::fs::{CWD, Mode, OFlags};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::IsTerminal;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Refuses what CRIU would restore as something else.
pub fn check(plan: &Plan, verb: &str) -> Result<()> {
    let refused = |what: &str| {
        let why = format!("{verb}: CRIU cannot restore {what}");
        Err(Error::new(ErrorKind::NotSupported, why))
    };
    if !plan.copied.is_empty() {
        return refused(
            "mounts with uidMappings, gidMappings or idmap, or of /proc/PID/root: leave them out of mounts",
        );
    }
    if !plan.net_devices.is_empty() {
        return refused(
            "linux.netDevices: move them by a hook, of createRuntime, which runs at a restore, too",
        );
    }
    let kinds = Namespaces::USER | Namespaces::CGROUP | Namespaces::TIME | Namespaces::MNT;
    match plan.spawn.join.iter().find(|join| kinds.contains(join.kind)) {
        Some(Join { kind, path }) => {
            let path = path.display();
            refused(&format!("a {kind:?} namespace of others: linux.namespaces must not have path {path:?}"))
        }
        None => Ok(()),
    }
}

/// The host's files that are mounted inside: their places in the plan's words, and their sources.
pub fn mounts(steps: &[MountOp]) -> Vec<(PathBuf, PathBuf)> {
    let external = |step: &MountOp| match step {
        MountOp::Mount(mount) => match &mount.what {
            What::Bind { source, .. } => Some((mount.destination.clone(), source.clone())),
            _ => None,
        },
        MountOp::BindNode(device) => Some((device.path.clone(), device.path.clone())),
        _ => None,
    };
    steps.iter().filter_map(external).collect()
}

/// Where these places are in a container that runs: a link of the image may have led elsewhere.
pub fn places(pid: i32, mounts: Vec<(PathBuf, PathBuf)>) -> Result<Vec<(PathBuf, PathBuf)>> {
    let path = format!("/proc/{pid}/root");
    let root = rustix::fs::open(&path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
    let root = root.strace(|| format!("open({path:?}, O_PATH)"))?;
    let place = |destination: PathBuf| {
        let found = chroot::open_inside(&root, &destination, OFlags::PATH | OFlags::CLOEXEC);
        let link = found.ok().and_then(|file| std::fs::read_link(of_ours(&file)).ok());
        (link.unwrap_or_else(|| destination.clone()), destination)
    };
    Ok(mounts.into_iter().map(|(destination, _)| place(destination)).collect())
}

fn of_ours(file: &OwnedFd) -> String {
    format!("/proc/self/fd/{}", file.as_raw_fd())
}

/// What the first process's standard streams are, by the names that CRIU has for them: a pipe (as runc writes it into the same file),
/// a file that is on no mount of the container's, or something that it restores itself.
pub fn streams(pid: i32) -> Result<[String; 3]> {
    let path = format!("/proc/{pid}/mountinfo");
    let mounts = std::fs::read_to_string(&path).strace(|| format!("read({path:?})"))?;
    let own: BTreeSet<u64> = mounts.lines().filter_map(|line| line.split(' ').next()?.parse().ok()).collect();
    let stream = |number: usize| -> Result<String> {
        let file = format!("/proc/{pid}/fd/{number}");
        let link = std::fs::read_link(&file).unwrap_or_default().to_string_lossy().into_owned();
        let mount = mount_of(pid, number).filter(|mount| link.starts_with('/') && !own.contains(mount));
        let inode = std::fs::metadata(&file).map(|file| file.ino()).ok();
        let Some((mount, inode)) = mount.zip(inode) else { return Ok(link) };
        refuse_terminal(&file, &link)?;
        Ok(format!("{FILE}{mount:x}:{inode:x}]"))
    };
    Ok([stream(0)?, stream(1)?, stream(2)?])
}

const FILE: &str = "file[";
const PIPE: &str = "pipe:[";

fn mount_of(pid: i32, number: usize) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/fdinfo/{number}")).ok()?;
    text.lines().find_map(|line| line.strip_prefix("mnt_id:"))?.trim().parse().ok()
}

/// CRIU writes down that it was a terminal, of a session that it does not find again.
fn refuse_terminal(file: &str, link: &str) -> Result<()> {
    let flags = OFlags::RDONLY | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    if !rustix::fs::open(file, flags, Mode::empty()).is_ok_and(|file| file.is_terminal()) {
        return Ok(());
    }
    let why = format!(
        "checkpoint: CRIU cannot restore a standard stream that is {link}, a terminal of the host's: give the container one by process.terminal"
    );
    Err(Error::new(ErrorKind::NotSupported, why))
}

/// Those that must be declared before they are left out.
pub fn external_files(streams: &[String]) -> Vec<String> {
    let files: BTreeSet<&String> = streams.iter().filter(|name| name.starts_with(FILE)).collect();
    files.into_iter().cloned().collect()
}

/// Those that the restored process gets from us, each with its number.
pub fn inherited_streams(streams: &[String]) -> Vec<(String, i32)> {
    let is_ours = |name: &str| name.starts_with(FILE) || name.starts_with(PIPE);
    let mut inherited: Vec<(String, i32)> = Vec::new();
    for (name, number) in streams.iter().zip(0..3).filter(|(name, _)| is_ours(name)) {
        if inherited.iter().all(|(own, _)| own != name) {
            inherited.push((name.clone(), number));
        }
    }
    inherited
}

/// The names that runc has for these, so that images of either are restored by both.
fn network_or_processes(kind: Namespaces) -> Option<(&'static str, &'static str)> {
    match kind {
        Namespaces::NET => Some(("net", "extRootNetNS")),
        Namespaces::PID => Some(("pid", "extRootPidNS")),
        _ => None,
    }
}

/// Namespaces of others that the container has joined, in the words of a dump. (Others than these two are dumped as if they were its own,
/// and joined at the restore.)
pub fn external_namespaces(pid: i32, joins: &[Join]) -> Result<Vec<String>> {
    let names = joins.iter().filter_map(|join| network_or_processes(join.kind));
    let external = |(name, key): (&str, &str)| {
        let path = format!("/proc/{pid}/ns/{name}");
        let file = std::fs::metadata(&path).strace(|| format!("stat({path:?})"))?;
        Ok(format!("{name}[{}]:{key}", file.ino()))
    };
    names.map(external).collect()
}

/// What a restored container joins.
#[derive(Debug, Default)]
pub struct Joined {
    /// Open files of namespaces, which CRIU inherits, by their names.
    pub inherited: Vec<(&'static str, OwnedFd)>,
    /// Others, by CRIU's names for their kinds.
    pub by_path: Vec<(&'static str, PathBuf)>,
}

/// Opens them.
pub fn joined(joins: &[Join]) -> Result<Joined> {
    let mut joined = Joined::default();
    for Join { kind, path } in joins {
        match network_or_processes(*kind) {
            Some((_, key)) => joined.inherited.push((key, open(path)?)),
            None if *kind == Namespaces::UTS => joined.by_path.push(("uts", path.clone())),
            None => joined.by_path.push(("ipc", path.clone())),
        }
    }
    Ok(joined)
}

fn open(path: &Path) -> Result<OwnedFd> {
    let file = rustix::fs::openat(CWD, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
    let file = file.strace(|| format!("open({path:?}, O_RDONLY)"));
    file.map_err(|error| Error::system(format!("the namespace {}: {error}", path.display())))
}

/// The groups that a process is in: controllers' names, none for v2, and a path.
pub fn groups(pid: i32) -> Result<Vec<(String, String)>> {
    let path = format!("/proc/{pid}/cgroup");
    let text = std::fs::read_to_string(&path).strace(|| format!("read({path:?})"))?;
    let group = |line: &str| {
        let mut fields = line.splitn(3, ':').skip(1);
        Some((fields.next()?.to_string(), fields.next()?.to_string()))
    };
    Ok(text.lines().filter_map(group).collect())
}

/// The file beside the images in which the streams' names are, as runc calls it.
pub const STREAMS_FILE: &str = "descriptors.json";

/// Writes it.
pub fn write_streams(folder: &Path, streams: &[String; 3]) -> Result<()> {
    let path = folder.join(STREAMS_FILE);
    let file = File::create(&path).strace(|| format!("open({path:?}, O_CREAT|O_TRUNC)"))?;
    serde_json::to_writer(file, streams)
        .map_err(|error| Error::system(format!("{}: {error}", path.display())))
}

/// Reads it.
pub fn read_streams(folder: &Path) -> Result<Vec<String>> {
    let path = folder.join(STREAMS_FILE);
    let bytes = std::fs::read(&path).strace(|| format!("read({path:?})"))?;
    serde_json::from_slice(&bytes).map_err(|error| Error::invalid(format!("{}: {error}", path.display())))
}
