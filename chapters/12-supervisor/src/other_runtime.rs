//! Long tail: a container that another OCI runtime makes, driven by its command line.
//!
//! Each of its verbs does one thing and returns. What it has made is a child of ours from then on, since we are the reaper of
//! whatever loses its parent below us: so its exit code is learnt as that of a process of our own.
//!
//! A runtime wants its root in a folder. We mount it in a mount namespace of our own, of which the container's becomes a copy: the
//! host sees no more of it than of a root that the container mounts itself, and nothing has to be unmounted.

mod call;
mod console;

use crate::{Failure, Kind, Launch, OtherRuntime, files, packets};
use call::Call;
use chroot::{MountOp, Propagation, Root};
use console::Console;
use kernel::Strace;
use nix::sched::{CloneFlags, unshare};
use oci_spec::runtime::Spec;
use runtime::{Identity, Stdio};
use rustix::fs::{FlockOperation, flock};
use std::fs;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// A process of another runtime's making.
pub struct Made {
    pub identity: Identity,
    pub pidfd: OwnedFd,
    pub terminal: Option<OwnedFd>,
    /// None: it was added to a container.
    container: Option<Container>,
}

/// A container, as its runtime knows it.
struct Container {
    runtime: OtherRuntime,
    id: String,
    run_dir: PathBuf,
    cgroup: Option<String>,
}

/// Has the runtime make what is to be supervised.
pub fn make(run_dir: &Path, launch: &Launch, runtime: &OtherRuntime, stdio: Stdio) -> Result<Made, Failure> {
    match &launch.kind {
        Kind::Container { root, cgroup } => {
            let (runtime, run_dir) = (runtime.clone(), run_dir.to_owned());
            let call =
                Call::new(&runtime, &run_dir, "create").words(["--bundle"]).words([bundle(&run_dir, root)?]);
            let container = Container { runtime, id: launch.id.clone(), run_dir, cgroup: cgroup.clone() };
            let made = process(call, &container.id, &container.run_dir, launch, stdio);
            if made.is_err() {
                let _ = container.delete();
            }
            Ok(Made { container: Some(container), ..made? })
        }
        Kind::Exec { container, process: asked, .. } => {
            let file = run_dir.join("process.json");
            let json = serde_json::to_vec(asked).map_err(|error| Failure::system(&error))?;
            fs::write(&file, json).map_err(in_file(&file))?;
            let call = Call::new(runtime, run_dir, "exec").words(["--detach", "--process"]).words([file]);
            process(call, container, run_dir, launch, stdio)
        }
    }
}

/// The process that a call makes. It is our child, and its number is its own until we wait for it.
fn process(call: Call, id: &str, run_dir: &Path, launch: &Launch, stdio: Stdio) -> Result<Made, Failure> {
    let file = run_dir.join("pid");
    let call = call.afresh().words(["--pid-file"]).words([&file]);
    let terminal = match stdio {
        Stdio::Files(files) => call.with_files(files).words([id]).run().map(|_| None)?,
        Stdio::Terminal { .. } => {
            let console = Console::listen(run_dir)?;
            call.words(["--console-socket"]).words([console.path()]).words([id]).run()?;
            Some(console.terminal(launch.console_size)?)
        }
    };
    let text = fs::read_to_string(&file).map_err(in_file(&file))?;
    let number = text.trim().parse();
    let pid = number.map_err(|_| Failure::system(&format!("{}: no number: {text:?}", file.display())))?;
    let identity = Identity::of(pid)?;
    let pidfd = identity.open()?.ok_or_else(|| Failure::system(&format!("process {pid} has ended")))?;
    Ok(Made { identity, pidfd, terminal, container: None })
}

/// A bundle whose root is mounted where we see it, and nobody else.
fn bundle(run_dir: &Path, root: &Root) -> Result<PathBuf, Failure> {
    let folder = match root {
        Root::Folder(folder) => folder,
        Root::Overlay { upper, .. } => upper,
    };
    let own = unshare(CloneFlags::CLONE_NEWNS).strace(|| "unshare(CLONE_NEWNS)".into());
    own.map_err(|error| Failure::system(&error))?;
    // What the host lets go of later is not held by us.
    let slave = Propagation { flag: Propagation::SLAVE, recursive: true };
    let steps = [MountOp::CutOff(slave), MountOp::Root { root: root.clone(), rootless: false }];
    chroot::apply(&steps).map_err(|error| Failure::system(&error))?;
    let spec = files::read_spec(run_dir);
    let spec = spec.map_err(|error| Failure::system(&format!("config.json: {error}")))?;
    let bundle = run_dir.join("bundle");
    let json = runtime::spec_to_json(&for_others(spec, folder))?;
    fs::create_dir_all(&bundle).map_err(in_file(&bundle))?;
    fs::write(bundle.join("config.json"), json).map_err(in_file(&bundle))?;
    Ok(bundle)
}

/// The specification as others understand it: with a root in a folder; and with the name of the domain as a sysctl, as Docker
/// writes it, since runtimes older than version 1.1 of the specification overlook its field.
fn for_others(mut spec: Spec, root: &Path) -> Spec {
    if let Some(own) = spec.root_mut() {
        own.set_path(root.to_owned());
    }
    if let Some(name) = spec.domainname().clone()
        && let Some(linux) = spec.linux_mut()
    {
        let mut sysctls = linux.sysctl().clone().unwrap_or_default();
        sysctls.insert("kernel.domainname".to_owned(), name);
        linux.set_sysctl(Some(sysctls));
        spec.set_domainname(None);
    }
    spec
}

fn in_file(path: &Path) -> impl Fn(std::io::Error) -> Failure {
    move |error| Failure::system(&format!("{}: {error}", path.display()))
}

impl Made {
    /// Whether it did not wait to be started.
    pub fn runs_already(&self) -> bool {
        self.container.is_none()
    }

    /// Lets it execute its command.
    pub fn start(&self) -> Result<(), Failure> {
        let start = |container: &Container| container.call("start").words([&container.id]).run();
        self.container.as_ref().map_or(Ok(()), |container| start(container).map(drop))
    }

    /// By the runtime: a process on the host may only stand for the container's. Of one that was added to it no runtime knows
    /// more than we do.
    pub fn signal(&self, number: i32) {
        let kill = |container: &Container| {
            container.call("kill").words([&container.id, &number.to_string()]).run().is_ok()
        };
        let told = self.container.as_ref().is_some_and(kill);
        if !told {
            let _ = kernel::pidfd_send_signal(&self.pidfd, number);
        }
    }

    /// As [`runtime::Created::destroy`].
    pub fn destroy(&mut self) -> bool {
        let Some(container) = self.container.take() else {
            let _ = kernel::pidfd_send_signal(&self.pidfd, nix::libc::SIGKILL);
            return false;
        };
        let group = container.cgroup.as_deref().map(runtime::open_cgroup);
        let oom_killed = group.is_some_and(|group| group.is_ok_and(|group| group.oom_kills() > 0));
        if container.delete().is_err() {
            // Then at least what chapter 05 would have made of the same plan is ended.
            let _ = runtime::destroy(self.identity, container.cgroup.as_deref());
        }
        oom_killed
    }
}

impl Container {
    fn call(&self, verb: &'static str) -> Call {
        Call::new(&self.runtime, &self.run_dir, verb)
    }

    fn delete(&self) -> Result<(), Failure> {
        let deleted = self.call("delete").words(["--force", &self.id]).run().map(drop);
        // A runtime that failed half-way may have forgotten its group.
        if let Some(Ok(group)) = self.cgroup.as_deref().map(runtime::open_cgroup) {
            let _ = group.kill().and_then(|()| group.remove());
        }
        deleted
    }
}

/// Has its runtime remove a container whose supervisor was killed, whatever there is of it.
pub fn delete_left(run_dir: &Path, launch: &Launch) -> Result<(), Failure> {
    match (&launch.kind, &launch.runtime) {
        (Kind::Container { cgroup, .. }, Some(runtime)) => {
            let (runtime, run_dir) = (runtime.clone(), run_dir.to_owned());
            Container { runtime, id: launch.id.clone(), run_dir, cgroup: cgroup.clone() }.delete()
        }
        _ => Ok(()),
    }
}

/// What a daemon asks of it without the supervisor.
impl OtherRuntime {
    /// Freezes every process of a container.
    pub fn pause(&self, run_dir: &Path, id: &str) -> Result<(), Failure> {
        Call::new(self, run_dir, "pause").holding(freezer(run_dir)?).words([id]).run().map(drop)
    }

    /// Thaws them.
    pub fn resume(&self, run_dir: &Path, id: &str) -> Result<(), Failure> {
        Call::new(self, run_dir, "resume").holding(freezer(run_dir)?).words([id]).run().map(drop)
    }

    /// Whether they are frozen.
    pub fn is_paused(&self, run_dir: &Path, id: &str) -> Result<bool, Failure> {
        let answer = Call::new(self, run_dir, "state").holding(freezer(run_dir)?).words([id]).answer()?;
        let state = serde_json::from_slice::<serde_json::Value>(&answer);
        Ok(state.map_err(|error| Failure::system(&format!("state: {error}")))?["status"] == "paused")
    }
}

/// A lock that only one caller of the freezer holds, and after it the runtime itself: a daemon that was killed meanwhile leaves a
/// runtime behind that may be about to freeze what the next daemon finds running.
fn freezer(run_dir: &Path) -> Result<fs::File, Failure> {
    let path = run_dir.join("freezer.lock");
    let file = fs::File::create(&path).map_err(in_file(&path))?;
    packets::retried(|| flock(&file, FlockOperation::LockExclusive))
        .strace(|| format!("flock({path:?}, LOCK_EX)"))
        .map_err(|error| Failure::system(&error))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_the_domain_is_told_to_runtimes_that_do_not_know_its_field() {
        let mut spec = runtime::default_spec(None).unwrap();
        spec.set_domainname(Some("d".to_owned()));
        let spec = for_others(spec, Path::new("/root/of/it"));
        assert_eq!((spec.domainname(), spec.root().as_ref().unwrap().path()), (&None, &"/root/of/it".into()));
        let sysctls = spec.linux().as_ref().unwrap().sysctl().as_ref().unwrap();
        assert_eq!(sysctls["kernel.domainname"], "d");
    }
}
