//! What the runtimes run: one root file system, and a configuration like that of `runc spec`.

use super::command;
use crate::Result;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::Command;

/// A folder with the configuration of a container that runs `args`. It has no limits: crun would raise RLIMIT_MEMLOCK for its program
/// of device rules.
pub fn make(bundle: &Path, rootfs: &Path, cgroup: &str, args: &[&str]) -> Result<()> {
    let failed = |error: std::io::Error| format!("{}: {error}", bundle.display());
    fs::create_dir_all(bundle).map_err(failed)?;
    let configuration = configuration(rootfs, cgroup, args);
    let text = serde_json::to_vec_pretty(&configuration).map_err(|error| error.to_string())?;
    fs::write(bundle.join("config.json"), text).map_err(failed)
}

/// A folder with a static busybox under the names that the benches call.
pub fn make_rootfs(rootfs: &Path) -> Result<()> {
    let failed = |error: std::io::Error| format!("{}: {error}", rootfs.display());
    for folder in ["bin", "proc", "dev", "sys", "etc", "tmp"] {
        fs::create_dir_all(rootfs.join(folder)).map_err(failed)?;
    }
    let busybox = command::output(Command::new("sh").args(["-c", "command -v busybox"]))?;
    fs::copy(busybox.trim(), rootfs.join("bin/busybox")).map_err(failed)?;
    for applet in ["sh", "true", "sleep"] {
        std::os::unix::fs::symlink("busybox", rootfs.join("bin").join(applet)).map_err(failed)?;
    }
    Ok(())
}

fn configuration(rootfs: &Path, cgroup: &str, args: &[&str]) -> Value {
    let capabilities = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"];
    let namespaces = ["pid", "network", "ipc", "uts", "mount", "cgroup"].map(|kind| json!({ "type": kind }));
    json!({
        "ociVersion": "1.0.2",
        "process": {
            "user": { "uid": 0, "gid": 0 },
            "args": args,
            "env": ["PATH=/bin"],
            "cwd": "/",
            "capabilities": { "bounding": capabilities, "effective": capabilities, "permitted": capabilities },
            "rlimits": [{ "type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024 }],
            "noNewPrivileges": true,
        },
        "root": { "path": rootfs, "readonly": true },
        "hostname": "bench",
        "mounts": mounts(),
        "linux": {
            "cgroupsPath": cgroup,
            "namespaces": namespaces,
            "maskedPaths": ["/proc/kcore", "/proc/keys", "/proc/timer_list", "/sys/firmware"],
            "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
        },
    })
}

fn mounts() -> Vec<Value> {
    let mount = |destination: &str, kind: &str, options: &str| {
        let options: Vec<_> = options.split(',').collect();
        json!({ "destination": destination, "type": kind, "source": kind, "options": options })
    };
    vec![
        mount("/proc", "proc", "nosuid,noexec,nodev"),
        mount("/dev", "tmpfs", "nosuid,strictatime,mode=755,size=65536k"),
        mount("/dev/pts", "devpts", "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620"),
        mount("/dev/shm", "tmpfs", "nosuid,noexec,nodev,mode=1777,size=65536k"),
        mount("/dev/mqueue", "mqueue", "nosuid,noexec,nodev"),
        mount("/sys", "sysfs", "nosuid,noexec,nodev,ro"),
        mount("/sys/fs/cgroup", "cgroup", "nosuid,noexec,nodev,relatime,ro"),
    ]
}
