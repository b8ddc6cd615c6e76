//! Makes a container's first process, which then waits to be started.

use crate::child::{BeforePivot, Child};
use crate::gate::{self, Gate, Keeper, Said};
use crate::hooks::{self, ChildHooks};
use crate::plan::{Bundle, Plan, State, plan, shows_cgroups};
use crate::{
    Created, Error, ErrorKind, Identity, Result, confinement, copies, created, joined, net_devices, terminal,
};
use cgroups::{Cgroup, Layout};
use namespaces::{FailureKind, IdMap, Namespaces};
use nix::unistd::{Pid, geteuid};
use std::os::fd::OwnedFd;

/// What becomes the process's descriptors 0, 1 and 2.
#[derive(Debug)]
pub enum Stdio {
    /// Three files, pipes or whatever.
    Files([OwnedFd; 3]),
    /// A pseudo-terminal made in the container's own devpts.
    Terminal {
        /// Columns and rows.
        size: Option<(u16, u16)>,
        /// A connected Unix socket to which its master is sent; None: it is [`Created::terminal`].
        console_socket: Option<OwnedFd>,
    },
}

/// Makes the container, as far as its first process needs it, and waits until that is ready to execute its command.
///
/// The calling process must have one thread. On failure nothing is left of it.
pub fn create(bundle: &Bundle, stdio: Stdio) -> Result<Created> {
    create_with_gate(bundle, stdio, gate::unnamed()?, |_| Ok(()))
}

/// The same, with a gate that somebody else may open. `made` learns of the process before that does anything: should we die
/// earlier, it ends as well.
pub fn create_with_gate(
    bundle: &Bundle,
    stdio: Stdio,
    gate: (Gate, Keeper),
    made: impl FnOnce(Identity) -> Result<()>,
) -> Result<Created> {
    let layout = layout_for(bundle)?;
    let state = State::new(&bundle.spec, &bundle.id, bundle.folder.clone());
    let plan = planned(bundle, &layout, &state)?;
    let cgroup = bundle.cgroup.as_deref();
    let cgroup = cgroup.map(|path| Cgroup::create(&layout, path, &plan.limits)).transpose()?;
    let made = spawn((plan, state), cgroup.as_ref(), stdio, gate, made);
    if let (Err(_), Some(cgroup)) = (&made, &cgroup) {
        let _ = created::end_cgroup(cgroup);
    }
    Ok(Created { cgroup, ..made? })
}

/// The plan, with what only the machine can tell: whether the namespaces that are to be joined are what the file says, whether the
/// kernel has AppArmor or SELinux if they are asked for, and whether groups can be left.
fn planned(bundle: &Bundle, layout: &Layout, state: &State) -> Result<Plan> {
    let mut plan = plan(bundle, layout)?;
    if !plan.spawn.join.is_empty() {
        joined::check(&bundle.spec)?;
    }
    if plan.is_confined() {
        confinement::check_host(&bundle.spec)?;
    }
    if plan.spawn.new.contains(Namespaces::USER) && forbids_setgroups(&plan.spawn.gid_map) {
        plan.process.keep_groups()?;
    }
    if let Some(listener) = &mut plan.process.listener {
        listener.state = Some(state.clone());
    }
    Ok(plan)
}

/// Whether a new user namespace with this map will forbid setgroups(2): one below a namespace that forbids it does, and one that an
/// ordinary user makes alone. What forbids nothing must not keep our own groups, by which root's may open files.
fn forbids_setgroups(map: &[IdMap]) -> bool {
    let is_alone = !geteuid().is_root() && matches!(map, [IdMap { count: 1, .. }]);
    is_alone || std::fs::read_to_string("/proc/self/setgroups").is_ok_and(|word| word.trim() == "deny")
}

/// How the machine has its cgroups: that matters to a container which has one, or in which they are seen.
pub fn layout_for(bundle: &Bundle) -> Result<Layout> {
    match bundle.cgroup.as_deref() {
        Some(path) => created::hierarchies(path),
        None if bundle.spec.mounts().iter().flatten().any(shows_cgroups) => Ok(Layout::detect()?),
        None => Ok(Layout::default()),
    }
}

/// Makes the process, and carries out the plan: what is the child's in the child, and what is ours here.
// ANCHOR: child
fn spawn(
    (plan, state): (Plan, State),
    cgroup: Option<&Cgroup>,
    stdio: Stdio,
    (gate, keeper): (Gate, Keeper),
    made: impl FnOnce(Identity) -> Result<()>,
) -> Result<Created> {
    let (stdio, console) = with_console(stdio)?;
    let hooks = plan.hooks.as_ref().and_then(|hooks| ChildHooks::new(hooks, &state));
    let child = Child { process: plan.process, stdio, gate, hooks };
    let mut identity = None;
    let before_release = |pid: Pid| {
        let known = placed(cgroup, pid).and_then(|known| made(*identity.insert(known)));
        let has_all = known.and_then(|()| match plan.net_devices.is_empty() {
            true => Ok(()),
            false => net_devices::give(&plan.net_devices, &plan.spawn, pid),
        });
        has_all.map_err(namespaces::Error::other)
    };
    // ANCHOR_END: child
    // ANCHOR: spawned
    let (mut root, propagation) = (plan.root, plan.root_propagation);
    let copied = Some(&plan.copied).filter(|copied| !copied.is_empty());
    let _copies = copied.map(|copied| copies::prepare(&mut root, copied)).transpose()?;
    let enter_root = move |before_pivot: BeforePivot<'_>| {
        match before_pivot {
            Some(hooks) => chroot::apply_with(&root, hooks)?,
            None => chroot::apply(&root)?,
        }
        Ok(propagation.map_or(Ok(()), chroot::set_root_propagation)?)
    };
    let unified = cgroup.and_then(Cgroup::unified_fd);
    let spawned =
        namespaces::spawn(&plan.spawn, unified, before_release, move |says| child.run(says, enter_root));
    let run_hooks = || {
        let state = State { pid: identity.map_or(0, |identity: Identity| identity.pid), ..state };
        plan.hooks.as_ref().map_or(Ok(()), |hooks| hooks::run_on_host(hooks, &state))
    };
    wait_until_ready(spawned.map_err(Error::system)?, identity, keeper, console, run_hooks)
}
// ANCHOR_END: spawned

/// Which process it is, once it is in its cgroup. In v1 nothing is born into one: the parent moves the child, which waits meanwhile.
pub fn placed(cgroup: Option<&Cgroup>, pid: Pid) -> Result<Identity> {
    if let Some(cgroup) = cgroup {
        cgroup.add(pid.as_raw())?;
    }
    Identity::of(pid.as_raw())
}

/// Where the master of a terminal comes to us, unless it is somebody else's.
pub fn with_console(stdio: Stdio) -> Result<(Stdio, Option<OwnedFd>)> {
    match stdio {
        Stdio::Terminal { size, console_socket: None } => {
            let (ours, theirs) = terminal::console_sockets()?;
            let console_socket = Some(theirs);
            Ok((Stdio::Terminal { size, console_socket }, Some(ours)))
        }
        stdio => Ok((stdio, None)),
    }
}

/// The child says that it is ready, or its last words.
// ANCHOR: hooks
pub fn wait_until_ready(
    child: namespaces::Child,
    identity: Option<Identity>,
    keeper: Keeper,
    console: Option<OwnedFd>,
    run_hooks: impl FnOnce() -> Result<()>,
) -> Result<Created> {
    let pid = child.pid;
    let mut said = keeper.hear()?;
    if said == Said::AtHooks {
        if let Err(error) = run_hooks() {
            let _ = kernel::pidfd_send_signal(&child.pidfd, nix::libc::SIGKILL);
            let _ = nix::sys::wait::waitpid(pid, None);
            return Err(error);
        }
        keeper.go_on()?;
        said = keeper.hear()?;
    }
    // ANCHOR_END: hooks
    // ANCHOR: ready
    if said != Said::Ready {
        let failure = child.executed();
        let _ = nix::sys::wait::waitpid(pid, None);
        return Err(failure
            .err()
            .map_or_else(|| Error::system("the first process was killed while it was made"), Error::from));
    }
    Ok(Created {
        identity: identity.ok_or_else(|| Error::system("the first process has no identity"))?,
        terminal: console.as_ref().map(terminal::receive).transpose()?,
        pidfd: child.pidfd,
        keeper,
        cgroup: None,
    })
}
// ANCHOR_END: ready

impl From<namespaces::Failure> for Error {
    fn from(failure: namespaces::Failure) -> Error {
        let kind = match failure.kind {
            FailureKind::NotFound => ErrorKind::CommandNotFound,
            FailureKind::NotExecutable => ErrorKind::CommandNotExecutable,
            FailureKind::Invalid => ErrorKind::Invalid,
            FailureKind::PermissionDenied | FailureKind::System => ErrorKind::System,
        };
        Error::new(kind, failure.message)
    }
}

impl From<Error> for namespaces::Failure {
    fn from(error: Error) -> namespaces::Failure {
        let kind = match error.kind() {
            ErrorKind::CommandNotFound => FailureKind::NotFound,
            ErrorKind::CommandNotExecutable => FailureKind::NotExecutable,
            ErrorKind::Invalid | ErrorKind::NotSupported => FailureKind::Invalid,
            ErrorKind::NoSuchContainer | ErrorKind::Conflict | ErrorKind::System => FailureKind::System,
        };
        namespaces::Failure::new(kind, error)
    }
}
