//! Where a bench takes place: a PID, a mount and a network namespace of its own, and a folder under `target/bench`.
//!
//! The bench starts itself twice more. The process that the user started (outside) waits for signals; its child is process 1 of
//! a PID namespace (init) and reaps what daemons leave; the grandchild does the work. Whatever ends a bench, the kernel then ends
//! every process of the namespace and, with the last one, all mounts and links; outside removes the folder and the cgroups.

use crate::{Result, root};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::wait::{WaitStatus, wait};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};

/// The folder and the names of one bench.
pub struct Arena {
    /// Unique to this bench; the name of its folder and its cgroup.
    pub token: String,
    /// On disk, under `target/bench`; it is removed with everything in it.
    pub folder: PathBuf,
}

/// In memory, for sockets and run directories; it goes with the mount namespace.
pub const RUN_FOLDER: &str = "/run/bench";

/// What outlives a bench: images that take long to make, and results.
pub fn cache() -> PathBuf {
    root().join("target/bench")
}

const STAGE: &str = "CORACLE_BENCH_STAGE";
const TOKEN: &str = "CORACLE_BENCH_TOKEN";

/// Runs `prepare` as the user started us, then `work` in the namespaces, and cleans up.
pub fn enter(
    prepare: impl FnOnce(&Arena) -> Result<()>,
    work: impl FnOnce(&Arena) -> Result<()>,
) -> Result<()> {
    let stage = std::env::var(STAGE).unwrap_or_default();
    let token = std::env::var(TOKEN).unwrap_or_else(|_| format!("coracle-bench-{}", std::process::id()));
    let arena = Arena { folder: cache().join(&token), token };
    match stage.as_str() {
        "init" => arena.init(),
        "work" => work(&arena),
        _ => arena.outside(prepare),
    }
}

impl Arena {
    /// Blocks signals first, so that none can end us between making something and removing it.
    fn outside(&self, prepare: impl FnOnce(&Arena) -> Result<()>) -> Result<()> {
        let mut signals = SigSet::empty();
        for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGCHLD] {
            signals.add(signal);
        }
        signals.thread_block().map_err(|errno| format!("sigprocmask: {errno}"))?;
        fs::create_dir_all(&self.folder).map_err(|error| format!("{}: {error}", self.folder.display()))?;
        let outcome = prepare(self).and_then(|()| {
            unshare(CloneFlags::CLONE_NEWPID)
                .map_err(|errno| format!("unshare(CLONE_NEWPID): {errno}; a bench needs root"))?;
            wait_or_kill(self.next_stage("init")?, &signals)
        });
        let _ = fs::remove_dir_all(&self.folder); // what a bench found out counts more
        remove_cgroups(Path::new("/sys/fs/cgroup"), &self.token);
        outcome
    }

    fn next_stage(&self, stage: &str) -> Result<Child> {
        let this = std::env::current_exe().map_err(|error| format!("/proc/self/exe: {error}"))?;
        let mut command = Command::new(this);
        command.args(std::env::args_os().skip(1)).env(STAGE, stage).env(TOKEN, &self.token);
        super::command::spawn(&mut command)
    }

    /// Process 1: makes the mounts, starts the work, and waits for every orphan until the work has ended.
    fn init(&self) -> Result<()> {
        set_pdeathsig(Signal::SIGKILL).map_err(|errno| format!("prctl(PR_SET_PDEATHSIG): {errno}"))?;
        unshare(CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWNET)
            .map_err(|errno| format!("unshare: {errno}"))?;
        mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>)
            .map_err(|errno| format!("making mounts private: {errno}"))?;
        mount_fresh("proc", "/proc")?;
        mount_fresh("tmpfs", "/run")?; // daemons and their helpers write there without being asked
        fs::create_dir(RUN_FOLDER).map_err(|error| format!("{RUN_FOLDER}: {error}"))?;
        let work = self.next_stage("work")?;
        loop {
            match wait() {
                Ok(WaitStatus::Exited(pid, code)) if pid.as_raw() == work.id().cast_signed() => {
                    std::process::exit(code)
                }
                Ok(WaitStatus::Signaled(pid, ..)) if pid.as_raw() == work.id().cast_signed() => {
                    std::process::exit(1)
                }
                Ok(_) => {}
                Err(errno) => return Err(format!("wait: {errno}")),
            }
        }
    }
}

/// Mounts a new file system of this type over a folder.
pub fn mount_fresh(fstype: &str, target: &str) -> Result<()> {
    mount(Some(fstype), target, Some(fstype), MsFlags::empty(), None::<&str>)
        .map_err(|errno| format!("mount({fstype:?}, {target:?}): {errno}"))
}

/// Waits for the child's end, or for a signal that asks for it.
fn wait_or_kill(mut child: Child, signals: &SigSet) -> Result<()> {
    let ended = |status: ExitStatus| {
        if status.success() { Ok(()) } else { Err("the bench failed".to_owned()) }
    };
    loop {
        let signal = signals.wait().map_err(|errno| format!("sigwait: {errno}"))?;
        if signal == Signal::SIGCHLD {
            if let Some(status) = child.try_wait().map_err(|error| format!("wait: {error}"))? {
                return ended(status);
            }
            continue;
        }
        child.kill().and_then(|()| child.wait()).map_err(|error| format!("kill: {error}"))?;
        return Err(format!("interrupted by {signal}"));
    }
}

/// Removes every cgroup of this name with those below it, in all hierarchies that are mounted under `folder`.
fn remove_cgroups(folder: &Path, token: &str) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        if entry.file_name() == token {
            remove_tree(&path);
        } else if path.components().count() < 7 {
            remove_cgroups(&path, token);
        }
    }
}

/// A cgroup's files cannot be removed and need not be; its folders go from the bottom up.
fn remove_tree(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_tree(&entry.path());
        }
    }
    if let Err(error) = fs::remove_dir(folder) {
        eprintln!("bench: {}: {error}", folder.display());
    }
}
