//! What is mounted into a container: Docker's own mounts in Docker's order, then those that were asked for.

use std::path::{Path, PathBuf};

use oci_spec::runtime::Mount;
use supervisor::INIT_PATH;

use super::{Request, binds, has_init};
use crate::error::Result;

/// Bytes of /dev/shm unless asked for more.
pub const SHM_SIZE: i64 = 64 << 20;

/// The group to whom terminals belong in nearly every image.
const TTY: u32 = 5;

/// Every mount, in the order in which they are made.
pub fn mounts(request: &Request<'_>) -> Result<Vec<Mount>> {
    let mut mounts = system_mounts(request);
    mounts.extend(own_files(request));
    let mut asked = asked_for(request)?;
    // Parents before what is mounted inside of them.
    asked.sort_by_key(|mount| mount.destination().iter().count());
    mounts.retain(|mount| !asked.iter().any(|asked| asked.destination() == mount.destination()));
    mounts.extend(asked);
    Ok(mounts)
}

fn system_mounts(request: &Request<'_>) -> Vec<Mount> {
    let host = &request.record.host_config;
    let rootless = request.facts.rootless.is_some();
    // procfs belongs to whoever owns the PID namespace: an ordinary user can only show the host's again.
    let proc = match rootless && host.pid_mode == "host" {
        true => mount("/proc", "/proc", "bind", &["rbind", "nosuid", "noexec", "nodev"]),
        false => mount("proc", "/proc", "proc", &["nosuid", "noexec", "nodev"]),
    };
    let mut mounts =
        vec![proc, mount("tmpfs", "/dev", "tmpfs", &["nosuid", "strictatime", "mode=755", "size=65536k"])];
    let terminals = ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"];
    // The group tty is not among the ids of a container that has one.
    let has_tty = request.facts.rootless.as_ref().is_none_or(|rootless| rootless.has_group(TTY));
    mounts.push(mount("devpts", "/dev/pts", "devpts", if has_tty { &terminals } else { &terminals[..5] }));
    if rootless && host.network_mode == "host" {
        // sysfs belongs to whoever owns the network namespace: an ordinary user can only show the host's again. Read-only with
        // all that is mounted below: the cgroups there are the user's own (CVE-2023-25809).
        mounts.push(mount("/sys", "/sys", "bind", &["rbind", "nosuid", "noexec", "nodev", "rro"]));
    } else {
        let access = if host.privileged { "rw" } else { "ro" };
        mounts.push(mount("sysfs", "/sys", "sysfs", &["nosuid", "noexec", "nodev", access]));
        mounts.push(mount("cgroup", "/sys/fs/cgroup", "cgroup", &[access, "nosuid", "noexec", "nodev"]));
    }
    mounts.extend(ipc_mounts(request));
    mounts
}

/// What shows an IPC namespace: its message queues, and the folder that goes with it by custom (shm_overview(7)).
fn ipc_mounts(request: &Request<'_>) -> Vec<Mount> {
    let host = &request.record.host_config;
    let shares_ipc = host.ipc_mode == "host";
    let mut mounts = Vec::new();
    // It shows the queues of the IPC namespace that it is mounted in, which an ordinary user must own.
    if !(shares_ipc && request.facts.rootless.is_some()) {
        mounts.push(mount("mqueue", "/dev/mqueue", "mqueue", &["nosuid", "noexec", "nodev"]));
    }
    let bound = |source: &str| mount(source, "/dev/shm", "bind", &["rbind", "nosuid", "noexec", "nodev"]);
    if shares_ipc {
        mounts.push(bound("/dev/shm"));
    } else if let Some(process) = request.machine.shares_ipc_with {
        mounts.push(bound(&format!("/proc/{process}/root/dev/shm")));
    } else if host.ipc_mode != "none" {
        let size = if host.shm_size > 0 { host.shm_size } else { SHM_SIZE };
        let size = format!("size={}k", size / 1024);
        mounts.push(mount("shm", "/dev/shm", "tmpfs", &["nosuid", "noexec", "nodev", "mode=1777", &size]));
    }
    mounts
}

/// The files that Docker writes for every container, and the first process of one that is to have one.
fn own_files(request: &Request<'_>) -> Vec<Mount> {
    let bind = |name: &str| {
        mount(&text(&request.folder.join(name)), &format!("/etc/{name}"), "bind", &["rbind", "rprivate"])
    };
    let mut files = ["resolv.conf", "hostname", "hosts"].map(bind).to_vec();
    if has_init(&request.record.host_config) {
        let executable = text(&request.facts.executable);
        files.push(mount(&executable, INIT_PATH, "bind", &["bind", "ro", "rprivate"]));
    }
    files
}

fn asked_for(request: &Request<'_>) -> Result<Vec<Mount>> {
    let host = &request.record.host_config;
    let mut mounts = Vec::new();
    for text in host.binds.iter().flatten() {
        let bind = binds::parse(text)?;
        let access = if bind.writable { "rw" } else { "rro" };
        mounts.push(bind_mount(&bind.source, &bind.destination, access, &bind.propagation));
    }
    for volume in &request.record.volumes {
        let source = request.volumes.join(&volume.name).join("_data");
        mounts.push(bind_mount(&text(&source), &volume.destination, "rw", "rprivate"));
    }
    for asked in host.mounts.iter().flatten() {
        mounts.push(structured(asked));
    }
    for (destination, options) in host.tmpfs.iter().flatten() {
        mounts.push(tmpfs(destination, options.split(',').filter(|option| !option.is_empty())));
    }
    Ok(mounts)
}

/// `access` is `rw`, `ro`, or `rro`, which is read-only with everything that is mounted below.
fn bind_mount(source: &str, destination: &str, access: &str, propagation: &str) -> Mount {
    mount(source, destination, "bind", &["rbind", access, propagation])
}

/// One of `--mount`'s, of a type that was let through when the container was created.
fn structured(asked: &api::Mount) -> Mount {
    if asked.kind == "tmpfs" {
        let options = asked.tmpfs_options.clone().unwrap_or_default();
        let size = (options.size_bytes > 0).then(|| format!("size={}", options.size_bytes));
        let mode = (options.mode > 0).then(|| format!("mode={:o}", options.mode));
        let read_only = asked.read_only.then(|| "ro".to_owned());
        let words: Vec<String> = [size, mode, read_only].into_iter().flatten().collect();
        return tmpfs(&asked.target, words.iter().map(String::as_str));
    }
    let options = asked.bind_options.clone().unwrap_or_default();
    let propagation = Some(options.propagation).filter(|text| !text.is_empty());
    let propagation = propagation.unwrap_or_else(|| "rprivate".to_owned());
    let access = match asked.read_only {
        true if options.read_only_non_recursive => "ro",
        true => "rro",
        false => "rw",
    };
    let mut made = bind_mount(&asked.source, &asked.target, access, &propagation);
    if options.non_recursive {
        let words = made.options().iter().flatten();
        let words =
            words.map(|word| if word == "rbind" { "bind".to_owned() } else { word.clone() }).collect();
        made.set_options(Some(words));
    }
    made
}

/// Docker's tmpfs: `noexec,nosuid,nodev` unless the options say the opposite.
fn tmpfs<'a>(destination: &str, options: impl Iterator<Item = &'a str>) -> Mount {
    let mut words: Vec<String> = ["noexec", "nosuid", "nodev", "rprivate"].map(String::from).to_vec();
    for option in options {
        words.retain(|word| !is_opposite(word, option) && word != option);
        words.push(option.to_owned());
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    mount("tmpfs", &binds::clean(destination), "tmpfs", &words)
}

fn is_opposite(one: &str, other: &str) -> bool {
    one.strip_prefix("no") == Some(other) || other.strip_prefix("no") == Some(one)
}

fn mount(source: &str, destination: &str, kind: &str, options: &[&str]) -> Mount {
    let mut mount = Mount::default();
    mount
        .set_destination(PathBuf::from(destination))
        .set_typ(Some(kind.to_owned()))
        .set_source(Some(PathBuf::from(source)))
        .set_options(Some(options.iter().map(|option| (*option).to_owned()).collect()));
    mount
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
