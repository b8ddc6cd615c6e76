//! The process: makes the container, then serves it in one poll loop until it has ended. No policy, no threads.

use crate::clients::{Client, Typed};
use crate::container::Container;
use crate::packets::{self, Received};
use crate::{Event, Exit, Failure, Launch, Request};
use kernel::{Strace, SysError};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use rustix::event::{PollFd, PollFlags, Timespec};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// How long output is waited for after the process has ended, when others still hold its pipes: what Docker waits.
const DRAIN_GRACE: Duration = Duration::from_secs(2);
/// How long clients may take to read what is left for them after the end.
const LEAVE_GRACE: Duration = Duration::from_secs(10);
/// How many daemons may listen at once.
const DAEMONS_MAX: usize = 8;

/// `supervise RUN_DIR`, with descriptor 0 connected to the daemon that launched it.
pub fn supervise(run_dir: &Path) -> ExitCode {
    match settle().map_err(|error| error.to_string()) {
        Ok((daemon, children)) => match begin(run_dir, &daemon) {
            Ok((launch, container)) => {
                // Planning took memory that is needed no more, for as long as the container lives.
                kernel::trim_heap();
                Supervisor::new(run_dir, launch, container, daemon, children).run();
                ExitCode::SUCCESS
            }
            Err(failure) => {
                let _ = packets::send(&daemon, &Event::Failed(failure), &[]);
                ExitCode::FAILURE
            }
        },
        Err(error) => {
            eprintln!("supervise: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Becomes a process of its own: no terminal, no folder, nobody's job. Returns the daemon's connection and the descriptor
/// that tells of children that ended.
fn settle() -> Result<(OwnedFd, SignalFd), SysError> {
    kernel::limit_arenas();
    // It is executed by the number of a descriptor, which is no name to find in `ps`.
    rustix::thread::set_name(c"supervise").strace(|| "prctl(PR_SET_NAME)".into())?;
    let daemon = std::io::stdin().as_fd().try_clone_to_owned().strace(|| "dup(0)".into())?;
    let flags = rustix::fs::OFlags::RDWR | rustix::fs::OFlags::CLOEXEC;
    let null = rustix::fs::open("/dev/null", flags, rustix::fs::Mode::empty())
        .strace(|| "open(\"/dev/null\")".into())?;
    rustix::stdio::dup2_stdin(&null).strace(|| "dup2(null, 0)".into())?;
    // Already a leader when it was started by hand.
    let _ = rustix::process::setsid();
    // Processes of the container that lose their parent in our own PID namespace come to us, to be reaped.
    let own = Some(rustix::process::getpid());
    rustix::process::set_child_subreaper(own).strace(|| "prctl(PR_SET_CHILD_SUBREAPER, 1)".into())?;
    let mut signals = SigSet::empty();
    signals.add(Signal::SIGCHLD);
    signals.thread_block().strace(|| "sigprocmask(SIG_BLOCK, [CHLD])".into())?;
    let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
    let children = SignalFd::with_flags(&signals, flags).strace(|| "signalfd([CHLD])".into())?;
    Ok((daemon, children))
}

fn begin(run_dir: &Path, daemon: &OwnedFd) -> Result<(Launch, Container), Failure> {
    let launch = crate::files::read_launch(run_dir)?;
    let container = Container::create(run_dir, &launch)?;
    let _ = packets::send(daemon, &Event::Created(container.identity()), &[]);
    Ok((launch, container))
}

mod serving;

struct Supervisor<'a> {
    run_dir: &'a Path,
    launch: Launch,
    container: Container,
    phase: Phase,
    /// The first is the one that launched us.
    daemons: Vec<Daemon>,
    /// `control.sock`, from the start on.
    listener: Option<OwnedFd>,
    children: SignalFd,
    clients: Vec<Client>,
}

struct Daemon {
    socket: OwnedFd,
    gone: bool,
}

enum Phase {
    /// Made, but not started.
    Waiting,
    Running {
        started_at: String,
    },
    /// The process has ended; its output may not have.
    Draining {
        started_at: String,
        until: Instant,
        exit: Exit,
    },
    /// All is recorded; clients get what is left for them.
    Leaving {
        until: Instant,
    },
    Over,
}

/// What a descriptor in the poll set stands for.
#[derive(Clone, Copy)]
enum Source {
    Daemon(usize),
    Listener,
    Children,
    Process,
    Output(usize),
    Input,
    Client(usize),
}

impl<'a> Supervisor<'a> {
    fn new(
        run_dir: &'a Path,
        launch: Launch,
        container: Container,
        daemon: OwnedFd,
        children: SignalFd,
    ) -> Self {
        Supervisor {
            run_dir,
            launch,
            container,
            phase: Phase::Waiting,
            daemons: vec![Daemon { socket: daemon, gone: false }],
            listener: None,
            children,
            clients: Vec::new(),
        }
    }

    fn run(mut self) {
        while !matches!(self.phase, Phase::Over) {
            let timeout = self.deadline().map(|until| until.saturating_duration_since(Instant::now()));
            for (source, flags) in self.ready(timeout) {
                self.serve(source, flags);
            }
            self.clients.retain(|client| !(client.gone || client.leaving && !client.is_behind()));
            self.daemons.retain(|daemon| !daemon.gone);
            self.advance();
        }
    }

    /// Waits until something is ready.
    fn ready(&self, timeout: Option<Duration>) -> Vec<(Source, PollFlags)> {
        let (sources, mut polled): (Vec<_>, Vec<_>) = self.interests().into_iter().unzip();
        let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        // An interrupted call, or one that found no memory, has found nothing; the loop comes round again.
        let _ = rustix::event::poll(&mut polled, timeout.as_ref());
        let flags = polled.iter().map(|descriptor| descriptor.revents());
        sources.into_iter().zip(flags).filter(|(_, flags)| !flags.is_empty()).collect()
    }

    /// Back-pressure is what is not asked for: no output while a client is behind, no input while the process is.
    fn interests(&self) -> Vec<(Source, PollFd<'_>)> {
        let readable = PollFlags::IN;
        let mut interests =
            vec![(Source::Children, PollFd::from_borrowed_fd(self.children.as_fd(), readable))];
        let mut add =
            |source, descriptor, flags| interests.push((source, PollFd::from_borrowed_fd(descriptor, flags)));
        let is_heard = self.is_heard();
        if is_heard && matches!(self.phase, Phase::Waiting | Phase::Running { .. }) {
            add(Source::Process, self.container.process.as_fd(), readable);
        }
        for (index, daemon) in self.daemons.iter().enumerate() {
            add(Source::Daemon(index), daemon.socket.as_fd(), readable);
        }
        if let Some(listener) = &self.listener {
            add(Source::Listener, listener.as_fd(), readable);
        }
        let ended = matches!(self.phase, Phase::Draining { .. });
        let wanted = is_heard && (ended || !self.clients.iter().any(Client::is_behind));
        for (index, stream) in self.container.output.streams.iter().enumerate().filter(|_| wanted) {
            if let Some(source) = &stream.source {
                add(Source::Output(index), source.as_fd(), readable);
            }
        }
        let input = &self.container.input;
        if let Some(sink) = input.sink.as_ref().filter(|_| input.is_behind()) {
            add(Source::Input, sink.as_fd(), PollFlags::OUT);
        }
        for (index, client) in self.clients.iter().enumerate() {
            let sends = client.sends && !input.is_behind();
            let reads = if sends { readable } else { PollFlags::empty() };
            let writes = if client.is_behind() { PollFlags::OUT } else { PollFlags::empty() };
            add(Source::Client(index), client.socket.as_fd(), reads | writes);
            if let Some(earlier) = client.earlier.as_ref().filter(|_| sends) {
                add(Source::Client(index), earlier.as_fd(), readable);
            }
        }
        interests
    }

    /// Nothing is heard of a process that runs before it should, until those who want to hear it are there.
    fn is_heard(&self) -> bool {
        !(matches!(self.phase, Phase::Waiting) && self.container.process.runs_already())
    }

    fn serve(&mut self, source: Source, flags: PollFlags) {
        match source {
            Source::Daemon(index) => self.hear_daemon(index),
            Source::Listener => self.accept_daemon(),
            Source::Children => self.reap_orphans(),
            Source::Process => self.process_ended(),
            Source::Output(index) => drop(self.container.output.pass_on(index, &mut self.clients)),
            Source::Input => self.container.input.flush(),
            Source::Client(index) => self.serve_client(index, flags),
        }
    }
}
