//! The one container, or exec session, of a supervisor: made by chapter 05, with our ends of its descriptors.

use crate::files::{self, Made};
use crate::input::Input;
use crate::log_file::Log;
use crate::output::Output;
use crate::process::Process;
use crate::{Exit, Failure, Kind, Launch, other_runtime};
use kernel::{Strace, SysError};
use runtime::{Addition, Bundle, Created, Identity, Stdio};
use rustix::fs::{Mode, OFlags};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{WaitId, WaitIdOptions, WaitIdStatus, WaitOptions};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

/// What is supervised.
pub struct Container {
    pub process: Process,
    pub output: Output,
    pub input: Input,
    /// How the first process ended, once it has.
    status: Option<(Option<i32>, Option<i32>)>,
}

/// Our ends of the process's descriptors.
struct Ends {
    sources: Vec<OwnedFd>,
    sink: Option<OwnedFd>,
}

impl Container {
    /// Makes it; it waits for [`Container::start`].
    pub fn create(run_dir: &Path, launch: &Launch) -> Result<Container, Failure> {
        let log = launch.log.as_ref().map(Log::open).transpose();
        let log = log.map_err(|error| Failure::system(&format!("opening the log: {error}")))?;
        let (stdio, pipes) = descriptors(launch).map_err(|error| Failure::system(&error))?;
        let process = make(run_dir, launch, stdio)?;
        let ends = match process.terminal() {
            Some(master) => {
                terminal_ends(master, launch.open_stdin).map_err(|error| Failure::system(&error))?
            }
            None => pipes,
        };
        Ok(Container {
            output: Output::new(ends.sources, log),
            input: Input::new(ends.sink),
            process,
            status: None,
        })
    }

    /// Which process.
    pub fn identity(&self) -> Identity {
        self.process.identity()
    }

    /// Lets it execute its command.
    pub fn start(&self) -> Result<(), Failure> {
        self.process.start()
    }

    /// Changes the size of its terminal, if it has one.
    pub fn resize(&self, width: u16, height: u16) {
        if let Some(master) = self.process.terminal() {
            let _ = runtime::set_terminal_size(master, (width, height));
        }
    }

    /// To the first process; one that has ended is no error.
    pub fn signal(&self, number: i32) {
        self.process.signal(number);
    }

    /// Waits for what has ended. Should the first process be among it, its status is kept.
    pub fn reap_orphans(&mut self) {
        while let Ok(Some((pid, status))) = rustix::process::waitpid(None, WaitOptions::NOHANG) {
            if pid.as_raw_nonzero().get() == self.process.identity().pid {
                self.status = Some((status.exit_status(), status.terminating_signal()));
            }
        }
    }

    /// How the first process ended; None: it has not.
    pub fn wait(&mut self) -> Option<Exit> {
        let ended = |status: WaitIdStatus| (status.exit_status(), status.terminating_signal());
        if self.status.is_none() {
            let pidfd = WaitId::PidFd(self.process.as_fd());
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
            self.status = rustix::process::waitid(pidfd, options).ok().flatten().map(ended);
        }
        let (code, signal) = self.status?;
        Some(Exit {
            code: code.or(signal.map(|signal| 128 + signal)).unwrap_or_default(),
            signal,
            oom_killed: false,
            finished_at: runtime::now(),
        })
    }

    /// Ends every process of it and removes its cgroup. True: the kernel had killed something in it for want of memory.
    pub fn destroy(&mut self) -> bool {
        self.process.destroy()
    }
}

/// What the supervisor of a run directory makes its container of: for those who want to see the plan of one that runs.
pub fn bundle(run_dir: &Path) -> Result<Bundle, Failure> {
    let launch = files::read_launch(run_dir)?;
    match &launch.kind {
        Kind::Container { .. } if launch.runtime.is_some() => Err(Failure::system(
            &"launch.json: another runtime has made this container, after a plan of its own",
        )),
        Kind::Container { root, cgroup } => bundle_of(run_dir, &launch.id, root, cgroup),
        Kind::Exec { .. } => {
            Err(Failure::system(&"launch.json: this is a process in a container, and no container"))
        }
    }
}

fn bundle_of(
    run_dir: &Path,
    id: &str,
    root: &chroot::Root,
    cgroup: &Option<String>,
) -> Result<Bundle, Failure> {
    let spec =
        files::read_spec(run_dir).map_err(|error| Failure::system(&format!("config.json: {error}")))?;
    Ok(Bundle {
        id: id.to_owned(),
        spec,
        root: root.clone(),
        cgroup: cgroup.clone(),
        preserved_descriptors: 0,
        folder: run_dir.into(),
        keeps_keyring: false,
        rootless: !kernel::is_root(),
    })
}

fn make(run_dir: &Path, launch: &Launch, stdio: Stdio) -> Result<Process, Failure> {
    let mut process = match &launch.runtime {
        None => Process::Own(make_ourselves(run_dir, launch, stdio)?),
        Some(runtime) => Process::Other(other_runtime::make(run_dir, launch, runtime, stdio)?),
    };
    let cgroup = match &launch.kind {
        Kind::Container { cgroup, .. } => cgroup.clone(),
        Kind::Exec { .. } => None,
    };
    let made = Made { process: process.identity(), cgroup };
    if let Err(error) = files::write_made(run_dir, &made) {
        // Nobody would find it again: a later daemon has removed the folder, say.
        process.destroy();
        return Err(Failure::system(&format!("state.json: {error}")));
    }
    Ok(process)
}

fn make_ourselves(run_dir: &Path, launch: &Launch, stdio: Stdio) -> Result<Created, Failure> {
    match &launch.kind {
        Kind::Container { root, cgroup } => {
            Ok(runtime::create(&bundle_of(run_dir, &launch.id, root, cgroup)?, stdio)?)
        }
        Kind::Exec { container, target, cgroup, process, seccomp } => {
            let group = cgroup.as_deref().map(runtime::open_cgroup).transpose()?;
            let addition = Addition {
                container,
                target: *target,
                cgroup: group.as_ref(),
                process,
                seccomp: seccomp.as_deref(),
                preserved_descriptors: 0,
                state: None,
            };
            Ok(runtime::exec(&addition, stdio)?)
        }
    }
}

fn descriptors(launch: &Launch) -> Result<(Stdio, Ends), SysError> {
    let mut ends = Ends { sources: Vec::new(), sink: None };
    if launch.terminal {
        let size = launch.console_size;
        return Ok((Stdio::Terminal { size, console_socket: None }, ends));
    }
    let stdin = if launch.open_stdin {
        let (reader, writer) = pipe()?;
        ends.sink = Some(nonblocking(writer)?);
        reader
    } else {
        rustix::fs::open("/dev/null", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
            .strace(|| "open(\"/dev/null\", O_RDONLY)".into())?
    };
    let (stdout, child_stdout) = pipe()?;
    let (stderr, child_stderr) = pipe()?;
    ends.sources = vec![nonblocking(stdout)?, nonblocking(stderr)?];
    Ok((Stdio::Files([stdin, child_stdout, child_stderr]), ends))
}

fn terminal_ends(master: &OwnedFd, open_stdin: bool) -> Result<Ends, SysError> {
    let copy = || master.try_clone().strace(|| "dup(master)".into()).and_then(nonblocking);
    Ok(Ends { sources: vec![copy()?], sink: if open_stdin { Some(copy()?) } else { None } })
}

fn pipe() -> Result<(OwnedFd, OwnedFd), SysError> {
    pipe_with(PipeFlags::CLOEXEC).strace(|| "pipe2(O_CLOEXEC)".into())
}

/// Only our end: the process's own must block, as it expects.
fn nonblocking(descriptor: OwnedFd) -> Result<OwnedFd, SysError> {
    let flags = rustix::fs::fcntl_getfl(&descriptor).strace(|| "fcntl(F_GETFL)".into())?;
    rustix::fs::fcntl_setfl(&descriptor, flags | OFlags::NONBLOCK)
        .strace(|| "fcntl(F_SETFL, O_NONBLOCK)".into())?;
    Ok(descriptor)
}
