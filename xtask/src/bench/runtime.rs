//! OCI runtimes: how long the container of `true` takes, against the kernel's floor.

use super::arena::{self, Arena, RUN_FOLDER};
use super::command;
use super::contenders::Contender;
use super::report::Report;
use super::targets::{OURS, work};
use crate::{Result, root};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Measures every contender `runs` times in turn, after one round that does not count.
pub fn measure(arena: &Arena, contenders: &[&Contender], runs: usize) -> Result<Report> {
    // crun refuses a host that binds some controllers to cgroup v1; here everyone sees one v2 hierarchy.
    arena::mount_fresh("cgroup2", "/sys/fs/cgroup")?;
    let bundle = arena.folder.join("bundle");
    make_bundle(&bundle, &arena.token)?;
    let floor = arena.folder.join("floor");
    build_floor(&floor)?;
    let mut report = Report::default();
    for round in 0..=runs {
        for contender in contenders {
            let count = |report: &mut Report, work, duration| {
                if round > 0 {
                    report.time(work, contender.name, duration);
                }
            };
            if contender.name == "floor" {
                let duration = command::timed(Command::new(&floor).arg(bundle.join("rootfs")))?;
                count(&mut report, work::OCI_RUN, duration);
                continue;
            }
            let runtime = Runtime { program: program(arena, contender), bundle: &bundle };
            count(&mut report, work::OCI_RUN, runtime.run(&format!("run-{round}"))?);
            count(
                &mut report,
                work::OCI_CREATE_START_DELETE,
                runtime.create_start_delete(&format!("csd-{round}"))?,
            );
        }
    }
    Ok(report)
}

fn program(arena: &Arena, contender: &Contender) -> PathBuf {
    match contender.name {
        OURS => arena.folder.join("coracle-oci"),
        name => PathBuf::from(name),
    }
}

/// One runtime with its command line, which they all share.
struct Runtime<'a> {
    program: PathBuf,
    bundle: &'a Path,
}

impl Runtime<'_> {
    fn command(&self, verb: &str) -> Command {
        let state = Path::new(RUN_FOLDER).join(self.program.file_name().unwrap_or_default());
        let mut command = Command::new(&self.program);
        command.arg("--root").arg(state).arg(verb).current_dir(self.bundle);
        command
    }

    fn run(&self, id: &str) -> Result<std::time::Duration> {
        command::timed(self.command("run").arg("--bundle").arg(self.bundle).arg(id))
    }

    fn create_start_delete(&self, id: &str) -> Result<std::time::Duration> {
        let create = command::timed(self.command("create").arg("--bundle").arg(self.bundle).arg(id))?;
        let start = command::timed(self.command("start").arg(id))?;
        let delete = command::timed(self.command("delete").args(["--force", id]))?;
        Ok(create + start + delete)
    }
}

fn build_floor(target: &Path) -> Result<()> {
    let mut gcc = Command::new("gcc");
    gcc.args(["-O2", "-static", "-o"]).arg(target).arg(root().join("benches/floor.c"));
    command::timed(&mut gcc).map(|_| ())
}

/// A root file system with busybox, and a configuration like that of `runc spec`, without limits: crun would raise
/// RLIMIT_MEMLOCK for its program of device rules.
fn make_bundle(bundle: &Path, token: &str) -> Result<()> {
    let failed = |error: std::io::Error| format!("{}: {error}", bundle.display());
    make_rootfs(&bundle.join("rootfs"))?;
    let text = serde_json::to_vec_pretty(&configuration(token)).map_err(|error| error.to_string())?;
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

fn configuration(token: &str) -> Value {
    let capabilities = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"];
    let namespaces = ["pid", "network", "ipc", "uts", "mount", "cgroup"].map(|kind| json!({ "type": kind }));
    json!({
        "ociVersion": "1.0.2",
        "process": {
            "user": { "uid": 0, "gid": 0 },
            "args": ["true"],
            "env": ["PATH=/bin"],
            "cwd": "/",
            "capabilities": { "bounding": capabilities, "effective": capabilities, "permitted": capabilities },
            "rlimits": [{ "type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024 }],
            "noNewPrivileges": true,
        },
        "root": { "path": "rootfs", "readonly": true },
        "hostname": "bench",
        "mounts": mounts(),
        "linux": {
            "cgroupsPath": format!("/{token}/container"),
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
