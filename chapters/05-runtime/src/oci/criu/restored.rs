//! Long tail: a container whose processes are made by CRIU: we make its group and start CRIU in it, and are told how far it has come.
//!
//! CRIU gets a mount namespace of its own. Whatever is mounted for it is gone with it, however it ends.

use super::super::store::Entry;
use super::request::{CgroupMode, Options, Verb, request};
use super::worker::{self, Notice};
use super::{Flags, Folders, outside};
use crate::plan::{Bundle, Plan, State};
use crate::{Created, Error, Identity, Result, Stdio, clock, create, gate, hooks, terminal};
use cgroups::{Cgroup, Layout};
use chroot::{MountOp, What};
use kernel::Strace;
use namespaces::{Failure, FailureKind, Join, Namespaces, SpawnPlan};
use nix::mount::{MntFlags, MsFlags};
use nix::sys::wait::waitpid;
use nix::unistd::Pid;
use std::convert::Infallible;
use std::fs::File;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::Path;

/// The container, as it is planned.
pub struct Planned<'a> {
    pub bundle: &'a Bundle,
    pub layout: &'a Layout,
    pub plan: &'a Plan,
}

/// The CRIU that restores it.
pub struct Criu<'a> {
    pub program: &'a str,
    pub options: Options,
    pub flags: &'a Flags,
}

/// Makes it, and records it. On failure what is left of it is recorded, for whoever forgets the entry.
pub fn restored(
    entry: &mut Entry,
    planned: &Planned<'_>,
    mut criu: Criu<'_>,
    stdio: Stdio,
) -> Result<Created> {
    let Planned { bundle, layout, plan } = *planned;
    mark_unfinished(entry, &criu.options.root)?;
    let path = bundle.cgroup.as_deref();
    let cgroup = path.map(|path| Cgroup::create(layout, path, &plan.limits)).transpose()?;
    let joined = outside::joined(&plan.spawn.join)?;
    let inherited = joined.inherited.iter().map(|(key, file)| (key.to_string(), file.as_raw_fd()));
    criu.options.inherited.extend(inherited);
    criu.options.joined = joined.by_path;
    let files: Vec<OwnedFd> = joined.inherited.into_iter().map(|(_, file)| file).collect();
    let (ours, theirs) = worker::sockets()?;
    let pid = spawn(entry, (planned, cgroup.as_ref()), &criu, (&stdio, &theirs, &files))?;
    // Its end is seen by us only if we do not have it open ourselves.
    drop((theirs, files));
    let mut witness = Witness { entry, planned, stdio, terminal: None };
    let told = tell_about_itself(pid, &mut criu);
    let asked = told.and_then(|folders| {
        let request = request(Verb::Restore, &criu.options);
        let reply = worker::converse(&ours, &request, |notice| witness.see(notice))?;
        super::done("restore", reply, &folders.log)
    });
    // Without an answer it undoes what it has done.
    drop(ours);
    let _ = waitpid(pid, None);
    asked.and_then(|()| witness.testify())
}

/// A command that looks at the container meanwhile is told that it is being made.
fn mark_unfinished(entry: &Entry, root: &Path) -> Result<()> {
    std::fs::create_dir(root).strace(|| format!("mkdir({root:?})"))?;
    let mark = entry.folder.join(gate::UNFINISHED);
    Ok(std::fs::write(&mark, "").strace(|| format!("write({mark:?})"))?)
}

/// What is known only now that it is there: where it finds its folders, and, if it is to deal with groups itself, in which it is.
fn tell_about_itself(pid: Pid, criu: &mut Criu<'_>) -> Result<Folders> {
    // On mounts of its own namespace: in a folder that is seen on ours, it could not mount what it needs.
    let root = format!("/proc/{pid}/root");
    let folders = criu.flags.open_folders(Path::new(&root), criu.options.log_file)?;
    folders.tell(&mut criu.options);
    if criu.options.cgroups != CgroupMode::Ignore {
        criu.options.cgroup_roots = outside::groups(pid.as_raw())?;
    }
    Ok(folders)
}

/// Starts CRIU as the first in the container's group. It is recorded in place of the first process, so that a `delete --force` of what
/// a kill has left ends it.
fn spawn(
    entry: &mut Entry,
    (planned, cgroup): (&Planned<'_>, Option<&Cgroup>),
    criu: &Criu<'_>,
    (stdio, socket, files): (&Stdio, &OwnedFd, &[OwnedFd]),
) -> Result<Pid> {
    let mut new = Namespaces::MNT;
    if criu.options.cgroups == CgroupMode::Ignore {
        // CRIU 3.17 then makes none; this one has the same root, as its maker is in the same group.
        new |= planned.plan.spawn.new & Namespaces::CGROUP;
    }
    let rootfs = entry.record.rootfs.clone();
    let recorded = |pid: Pid| {
        let known = create::placed(cgroup, pid);
        let written = known.and_then(|known| {
            entry.record.process = Some(known);
            entry.write()
        });
        written.map_err(namespaces::Error::other)
    };
    let child = |_: std::os::fd::BorrowedFd<'_>| {
        let become_criu = || -> Result<Infallible> {
            kernel::default_signals()?;
            take_streams(stdio)?;
            make_root(&planned.plan.root, &rootfs, &criu.options.root)?;
            files.iter().try_for_each(worker::inherit)?;
            let error = worker::command(criu.program, socket)?.exec();
            Err(error).strace(|| format!("execve({:?})", criu.program))?
        };
        become_criu().map_err(Failure::from)
    };
    let plan = SpawnPlan { new, ..SpawnPlan::default() };
    let spawned = namespaces::spawn(&plan, cgroup.and_then(Cgroup::unified_fd), recorded, child);
    let spawned = spawned.map_err(Error::system)?;
    let pid = spawned.pid;
    spawned.executed().map(|_| pid).map_err(|failure| {
        let _ = waitpid(pid, None);
        Error::from(failure)
    })
}

/// What the restored process inherits; one with a terminal has nothing of ours.
fn take_streams(stdio: &Stdio) -> Result<()> {
    match stdio {
        Stdio::Files([stdin, stdout, stderr]) => terminal::become_standard_streams([stdin, stdout, stderr]),
        Stdio::Terminal { .. } => {
            let mut open = File::options();
            let null =
                open.read(true).write(true).open("/dev/null").strace(|| "open(\"/dev/null\")".into())?;
            let null = OwnedFd::from(null);
            terminal::become_standard_streams([&null, &null, &null])
        }
    }
}

/// What CRIU mounts everything on. The places of mounts are made in it as `create` makes them, by mounting: a place may be in
/// something that is mounted before. Then it is shown once more, with nothing of that.
fn make_root(steps: &[MountOp], rootfs: &Path, root: &Path) -> Result<()> {
    chroot::apply(&steps_for_places(steps))?;
    umount2(rootfs)?;
    let none = None::<&str>;
    let flags = MsFlags::MS_BIND | MsFlags::MS_REC;
    let mounted = nix::mount::mount(Some(rootfs), root, none, flags, none);
    Ok(mounted.strace(|| format!("mount({rootfs:?}, {root:?}, NULL, {flags:?}, NULL)"))?)
}

fn umount2(path: &Path) -> Result<()> {
    let unmounted = nix::mount::umount2(path, MntFlags::MNT_DETACH);
    Ok(unmounted.strace(|| format!("umount2({path:?}, MNT_DETACH)"))?)
}

/// Without v2, whose mount by the host would change how the host has it, and in which there are no places.
fn steps_for_places(steps: &[MountOp]) -> Vec<MountOp> {
    let is_v2 = |step: &MountOp| match step {
        MountOp::Mount(mount) => {
            matches!(&mount.what, What::Filesystem { fstype, .. } if fstype == "cgroup2")
        }
        _ => false,
    };
    let before = steps.iter().take_while(|step| **step != MountOp::PivotRoot);
    before.filter(|step| !is_v2(step)).cloned().collect()
}

/// We, while CRIU works.
struct Witness<'a> {
    entry: &'a mut Entry,
    planned: &'a Planned<'a>,
    stdio: Stdio,
    terminal: Option<OwnedFd>,
}

impl Witness<'_> {
    fn see(&mut self, notice: Notice) -> Result<()> {
        match (notice.script.as_str(), notice.pid, notice.descriptor) {
            ("setup-namespaces", Some(pid), _) => self.namespaces_are_made(pid),
            ("post-restore", Some(pid), _) => self.processes_are_made(pid),
            ("orphan-pts-master", _, Some(master)) => self.terminal_is_made(master),
            _ => Ok(()),
        }
    }

    /// The point of createRuntime, which may bring the network; of an empty one at least the loopback is up, as it was.
    fn namespaces_are_made(&self, pid: i32) -> Result<()> {
        let Planned { bundle, plan, .. } = self.planned;
        if plan.spawn.new.contains(Namespaces::NET) {
            bring_loopback_up(pid)?;
        }
        let Some(hooks) = &plan.hooks else { return Ok(()) };
        let state = State::new(&bundle.spec, &bundle.id, bundle.folder.clone());
        hooks::run_on_host(hooks, &State { pid, ..state })
    }

    /// They stand still until we answer.
    fn processes_are_made(&mut self, pid: i32) -> Result<()> {
        self.entry.record.process = Some(Identity::of(pid)?);
        self.entry.record.created = clock::now();
        self.entry.write()
    }

    fn terminal_is_made(&mut self, master: OwnedFd) -> Result<()> {
        match &self.stdio {
            Stdio::Terminal { console_socket: Some(socket), .. } => terminal::send(socket, &master),
            _ => {
                self.terminal = Some(master);
                Ok(())
            }
        }
    }

    /// It is made.
    fn testify(self) -> Result<Created> {
        self.entry.forget_gate();
        let identity = self.entry.process()?;
        let ended = || Error::system("restore: the first process has ended at once");
        Ok(Created {
            identity,
            pidfd: identity.open()?.ok_or_else(ended)?,
            terminal: self.terminal,
            cgroup: None,
            // Nobody waits to be started.
            keeper: gate::unnamed()?.1,
        })
    }
}

fn bring_loopback_up(pid: i32) -> Result<()> {
    let join = Join { kind: Namespaces::NET, path: format!("/proc/{pid}/ns/net").into() };
    let plan = SpawnPlan { join: vec![join], ..SpawnPlan::default() };
    let child = |_: std::os::fd::BorrowedFd<'_>| {
        let up = namespaces::bring_loopback_up();
        up.map_err(|error| Failure::new(FailureKind::System, error))?;
        kernel::exit_now(0)
    };
    let spawned = namespaces::spawn(&plan, None, |_| Ok(()), child).map_err(Error::system)?;
    let (pid, _) = spawned.executed()?;
    let _ = waitpid(pid, None);
    Ok(())
}
