//! What the supervisor does when something is ready: requests, clients, the end of the process.

use super::*;
use std::time::Instant;

impl Supervisor<'_> {
    /// One request of one daemon.
    pub(super) fn hear_daemon(&mut self, index: usize) {
        match packets::receive(&self.daemons[index].socket) {
            Ok(Received::Message(Request::Start, _)) => self.start(),
            Ok(Received::Message(Request::Attach(options), descriptors)) => self.attach(options, descriptors),
            Ok(Received::Message(Request::Resize { width, height }, _)) => {
                self.container.resize(width, height)
            }
            Ok(Received::Message(Request::Signal(number), _)) => self.container.signal(number),
            Ok(Received::Unknown) => {}
            Ok(Received::Closed) | Err(_) => {
                self.daemons[index].gone = true;
                if matches!(self.phase, Phase::Waiting) {
                    self.container.destroy();
                    self.phase = Phase::Over;
                }
            }
        }
    }

    pub(super) fn accept_daemon(&mut self) {
        let flags = rustix::net::SocketFlags::CLOEXEC;
        let Some(Ok(socket)) =
            self.listener.as_ref().map(|listener| rustix::net::accept_with(listener, flags))
        else {
            return;
        };
        // Also while the last output is drained: a daemon that comes just then hears of the end as of any other.
        let (Phase::Running { started_at } | Phase::Draining { started_at, .. }) = &self.phase else {
            return;
        };
        if self.daemons.len() < DAEMONS_MAX {
            let created = Event::Created(self.container.identity());
            let started = Event::Started { at: started_at.clone() };
            let told =
                packets::send_now(&socket, &created).and_then(|()| packets::send_now(&socket, &started));
            self.daemons.push(Daemon { socket, gone: told.is_err() });
        }
    }

    /// Tells every daemon. One that does not listen misses it, and finds it in the files when it asks.
    fn tell(&mut self, event: &Event) {
        for daemon in &self.daemons {
            let _ = packets::send_now(&daemon.socket, event);
        }
    }

    fn start(&mut self) {
        if !matches!(self.phase, Phase::Waiting) {
            return;
        }
        match self.container.start().and_then(|()| self.open_control()) {
            Ok(()) => {
                let at = runtime::now();
                self.tell(&Event::Started { at: at.clone() });
                self.phase = Phase::Running { started_at: at };
            }
            Err(failure) => self.fail(failure),
        }
    }

    fn open_control(&mut self) -> Result<(), Failure> {
        self.listener = Some(packets::listen(self.run_dir).map_err(|error| Failure::system(&error))?);
        Ok(())
    }

    fn fail(&mut self, failure: Failure) {
        self.container.destroy();
        self.tell(&Event::Failed(failure));
        self.phase = Phase::Over;
    }

    fn attach(&mut self, options: crate::AttachOptions, descriptors: Vec<OwnedFd>) {
        let mut descriptors = descriptors.into_iter();
        if let Some(socket) = descriptors.next() {
            let earlier = descriptors.next();
            self.clients.push(Client::new(socket, earlier, options, self.launch.terminal));
        }
    }

    pub(super) fn serve_client(&mut self, index: usize, flags: PollFlags) {
        if flags.contains(PollFlags::OUT) {
            self.clients[index].flush();
        }
        let vanished = flags.intersects(PollFlags::HUP | PollFlags::ERR);
        if flags.contains(PollFlags::IN) {
            self.read_client(index);
        }
        // What it sent before it vanished is still input; its socket's buffer bounds it.
        while vanished && self.clients[index].sends && self.read_client(index) {}
        self.clients[index].gone |= vanished;
    }

    /// False when there is nothing more to read.
    fn read_client(&mut self, index: usize) -> bool {
        let client = &mut self.clients[index];
        let typed = client.input(&mut self.container.input.backlog);
        self.container.input.flush();
        match typed {
            Typed::Input => return true,
            Typed::Nothing => return client.earlier.is_some(),
            Typed::Detach => {
                client.gone = true;
                self.tell(&Event::Detached);
            }
            // As Docker has it: the end of input is passed on to the process, or else ends the attachment.
            Typed::End => {
                client.sends = false;
                if self.launch.stdin_once && !self.launch.terminal {
                    self.container.input.close();
                } else {
                    client.leaving = true;
                }
            }
        }
        false
    }

    /// Children of ours that are not the container's first process: they lost their parent in our own PID namespace.
    pub(super) fn reap_orphans(&mut self) {
        while let Ok(Some(_)) = self.children.read_signal() {}
        self.container.reap_orphans();
    }

    pub(super) fn process_ended(&mut self) {
        let Phase::Running { started_at } = &self.phase else {
            let message = "the container's first process was killed before it was started";
            return self.fail(Failure::system(&message));
        };
        let started_at = started_at.clone();
        let Some(exit) = self.container.wait() else { return };
        for index in 0..self.container.output.streams.len() {
            while self.container.output.pass_on(index, &mut self.clients) {}
        }
        self.phase = Phase::Draining { started_at, until: Instant::now() + DRAIN_GRACE, exit };
    }

    /// When the loop has to come round though nothing is ready.
    pub(super) fn deadline(&self) -> Option<Instant> {
        match &self.phase {
            Phase::Draining { until, .. } | Phase::Leaving { until } => Some(*until),
            Phase::Waiting | Phase::Running { .. } | Phase::Over => None,
        }
    }

    /// From one phase of the end to the next.
    pub(super) fn advance(&mut self) {
        let late = self.deadline().is_some_and(|until| Instant::now() >= until);
        if let Phase::Draining { exit, .. } = &self.phase
            && (late || self.container.output.is_over())
        {
            self.record(exit.clone());
        }
        if matches!(self.phase, Phase::Leaving { .. }) && (late || self.clients.is_empty()) {
            self.phase = Phase::Over;
        }
    }

    /// The end of the container: first everything of it is gone, then it is said.
    fn record(&mut self, mut exit: Exit) {
        self.container.output.finish();
        exit.oom_killed = self.container.destroy();
        let _ = crate::files::write_exit(self.run_dir, &exit);
        self.listener = None;
        self.tell(&Event::Exited(exit));
        self.clients.iter_mut().for_each(|client| client.leaving = true);
        self.clients.retain(Client::is_behind);
        self.phase = Phase::Leaving { until: Instant::now() + LEAVE_GRACE };
    }
}
