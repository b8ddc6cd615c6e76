//! The container's first process, from clone3 to execve: what it does to itself, in this order.

use crate::gate::Gate;
use crate::hooks::ChildHooks;
use crate::listener::Connection;
use crate::{Error, Result, Stdio, command, joined, terminal};
use kernel::Strace;
use namespaces::Failure;
use nix::errno::Errno;
use privileges::ConfinementFiles;
use std::convert::Infallible;
use std::io::Read;
use std::mem::ManuallyDrop;
use std::os::fd::BorrowedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Bytes of the container's passwd file that are looked at.
const PASSWD_MAX: u64 = 1 << 20;

/// What the child is told.
pub struct Child {
    /// Its process.
    pub process: crate::plan::Process,
    /// Its descriptors.
    pub stdio: Stdio,
    /// Where it waits.
    pub gate: Gate,
    /// What others do at its stations, as far as it is a container's first process.
    pub hooks: Option<ChildHooks>,
}

/// What is to be done when everything is mounted, and the host's root is still there.
pub type BeforePivot<'a> = Option<&'a dyn Fn() -> Result<()>>;

impl Child {
    /// Becomes the command. `enter_root` is what differs between a container's first process and one that is added to it; it is
    /// given what is to be done before the host's root is left.
    /// `says` is the pipe of its last words.
    pub fn run(
        self,
        says: BorrowedFd<'_>,
        enter_root: impl FnOnce(BeforePivot<'_>) -> Result<()>,
    ) -> std::result::Result<Infallible, Failure> {
        // It closes descriptors that it owns, and must not close them again when it fails.
        let mut child = ManuallyDrop::new(self);
        let command = child.prepare(says, enter_root).map_err(Failure::from)?;
        if !child.gate.wait() {
            kernel::exit_now(1);
        }
        if let Some(Err(error)) = child.hooks.as_ref().map(ChildHooks::run_before_command) {
            child.gate.fail(&Failure::from(error));
            kernel::exit_now(1);
        }
        // The container has started, and this is its output: what runc does, too.
        let error = command.execute();
        eprintln!("{error}");
        kernel::exit_now(1)
    }

    /// Everything up to the gate; returns what is left to be executed.
    // ANCHOR: host
    fn prepare(
        &mut self,
        says: BorrowedFd<'_>,
        enter_root: impl FnOnce(BeforePivot<'_>) -> Result<()>,
    ) -> Result<command::Command> {
        // Nobody may look at this process through /proc while it is still our executable (see protect.rs); execve undoes it.
        rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)
            .strace(|| "prctl(PR_SET_DUMPABLE, 0)".into())?;
        kernel::default_signals()?;
        // Folders and files that are made for mounts must not depend on the daemon's umask.
        nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o022));
        // A session of its own, so that no terminal of ours is its, and one of its own can be.
        rustix::process::setsid().strace(|| "setsid()".into())?;
        for (path, value) in &self.process.sysctls {
            write_sysctl(path, value)?;
        }
        if self.process.privileges.oom_score_adj.is_some() {
            privileges::write_host_proc(&self.process.privileges)?;
        }
        // ANCHOR_END: host
        // ANCHOR: opened
        let joins_user = self.process.joins_user_namespace;
        joins_user.then(|| joined::keep_denied_groups(&mut self.process)).transpose()?;
        if let Some(hooks) = &mut self.hooks {
            hooks.learn_own_number()?;
        }
        let listener = self.process.listener.as_ref().map(Connection::new).transpose()?;
        let plan = &self.process.privileges;
        let confinement = plan.confinement.as_ref().map(|_| ConfinementFiles::open(plan)).transpose()?;
        // ANCHOR_END: opened
        // ANCHOR: inside
        match &self.hooks {
            Some(hooks) => enter_root(Some(&|| hooks.run_before_pivot(&self.gate, says)))?,
            None => enter_root(None)?,
        }
        let mut later: Vec<BorrowedFd<'_>> = listener.iter().map(Connection::descriptor).collect();
        later.extend(confinement.iter().flat_map(ConfinementFiles::descriptors));
        self.take_descriptors(says, later)?;
        self.enter_folder()?;
        // Closed when they are written: the filter may not allow that any more.
        confinement.map_or(Ok(()), |files| files.write())?;
        match &listener {
            Some(asked) => privileges::apply_and_hand_over(plan, &|descriptor| asked.hand_over(descriptor))?,
            None => privileges::apply(plan)?,
        }
        command::find(&self.process.arguments, &with_home(&self.process))
    }
    // ANCHOR_END: inside

    /// Takes its standard streams, and gives up the copies of everything that its maker had open: else a lock would not end
    /// with its holder, nor a pipe with its writer.
    fn take_descriptors<'a>(&'a self, says: BorrowedFd<'a>, later: Vec<BorrowedFd<'a>>) -> Result<()> {
        match &self.stdio {
            Stdio::Files([stdin, stdout, stderr]) => {
                terminal::become_standard_streams([stdin, stdout, stderr])?
            }
            Stdio::Terminal { size, console_socket: Some(socket) } => {
                terminal::set_up(socket, *size, self.process.console)?
            }
            Stdio::Terminal { .. } => return Err(Error::invalid("a terminal without a console socket")),
        }
        let first = 3 + self.process.preserved_descriptors;
        let [report, start] = self.gate.descriptors();
        let mut kept = vec![says, report, start];
        kept.extend(later);
        kernel::close_from(first, &kept)?;
        Ok(kernel::close_on_exec_from(first)?)
    }

    /// The working directory. A container's is made when it is missing, as Docker's users expect; an added process's is not.
    fn enter_folder(&self) -> Result<()> {
        let folder = &self.process.folder;
        match nix::unistd::chdir(folder.as_path()) {
            Err(Errno::ENOENT) if self.process.makes_folder => {
                std::fs::create_dir_all(folder).strace(|| format!("mkdir({folder:?})"))?;
                nix::unistd::chdir(folder.as_path()).map_err(|errno| no_folder(folder, errno))?;
            }
            result => result.map_err(|errno| no_folder(folder, errno))?,
        }
        inside(folder)
    }
}

/// The environment, with the HOME that the container's own passwd file gives the user, unless the spec has one.
fn with_home(process: &crate::plan::Process) -> Vec<String> {
    let mut environment = process.environment.clone();
    if !environment.iter().any(|entry| entry.starts_with("HOME=")) {
        let passwd = read_passwd().unwrap_or_default();
        let user = privileges::user::resolve(&process.privileges.uid.to_string(), &[], &passwd, "");
        let home = user.map(|user| user.home).unwrap_or_default();
        environment.push(format!("HOME={}", if home.is_empty() { "/" } else { &home }));
    }
    environment
}

/// The image decides what /etc/passwd is: believe a file of sensible size, not a pipe that waits or a device without an end.
fn read_passwd() -> std::io::Result<String> {
    let mut options = std::fs::OpenOptions::new();
    let file = options.read(true).custom_flags(nix::libc::O_NONBLOCK).open("/etc/passwd")?;
    let mut text = String::new();
    if file.metadata()?.is_file() {
        file.take(PASSWD_MAX).read_to_string(&mut text)?;
    }
    Ok(text)
}

fn no_folder(folder: &Path, errno: Errno) -> Error {
    let why = command::in_go(errno);
    Error::system(format!(
        "chdir to cwd ({:?}) set in config.json failed: {why}",
        folder.display().to_string()
    ))
}

/// A working directory such as /proc/self/fd/7 would be a folder of the host that was left open (CVE-2024-21626). From
/// outside the root, getcwd(2) has no name for it.
fn inside(folder: &Path) -> Result<()> {
    match rustix::process::getcwd(Vec::new()) {
        Ok(name) if name.to_bytes().starts_with(b"/") => Ok(()),
        _ => Err(Error::system(format!("the cwd {} is outside of the container's root", folder.display()))),
    }
}

/// Through the host's /proc: a name of a namespaced sysctl means the one of the caller's own namespaces.
fn write_sysctl(path: &str, value: &str) -> Result<()> {
    Ok(chroot::write_proc(format!("sys/{path}"), value)?)
}
