//! One run of the harness: a caller, the child that it makes, and the sockets on which both speak with us.

use super::language::words;
use super::process::Process;
use super::socket::{Heard, Message, Socket};
use super::{Fault, Language, Stage};
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::waitpid;
use nix::unistd::Pid;
use std::fs::File;
use std::io::{Read, Seek};
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long we wait for what must come.
pub const PATIENCE: Duration = Duration::from_secs(5);
/// How long we listen for what must not come.
pub const SILENCE: Duration = Duration::from_millis(300);

/// A run of the harness. When it is dropped, nothing of it is left.
pub struct Trial {
    /// Who called `spawn`.
    pub caller: Process,
    /// On which the caller speaks.
    pub outer: Socket,
    /// On which the child speaks.
    pub inner: Socket,
    language: &'static Language,
    said_before_the_end: File,
}

impl Trial {
    /// Starts the harness with these words.
    pub fn start(stage: &Stage, words: &[&str]) -> Result<Trial, Fault> {
        Trial::of(stage.command().args(words), stage.language)
    }

    /// The same as root of a user namespace of its own.
    pub fn start_within(stage: &Stage, words: &[&str]) -> Result<Trial, Fault> {
        let mut command = Command::new(std::env::current_exe()?);
        Trial::of(command.arg("within").arg(&stage.program).arg("--").args(words), stage.language)
    }

    /// The same where no further user or UTS namespace may be made.
    pub fn start_within_closed(stage: &Stage, words: &[&str]) -> Result<Trial, Fault> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["within", "--closed"]).arg(&stage.program).arg("--").args(words);
        Trial::of(&mut command, stage.language)
    }

    fn of(command: &mut Command, language: &'static Language) -> Result<Trial, Fault> {
        let ((outer, stdin), (inner, stdout)) = (Socket::pair()?, Socket::pair()?);
        let stderr = unnamed_file()?;
        // A PATH in which nothing is: what another program could do is not asked here.
        command.env_clear().env("PATH", "/nonexistent").current_dir("/");
        let child = command
            .stdin(Stdio::from(stdin))
            .stdout(Stdio::from(stdout))
            .stderr(stderr.try_clone()?)
            .spawn()?;
        let caller = Process(child.id() as i32);
        Ok(Trial { caller, outer, inner, language, said_before_the_end: stderr })
    }

    /// The caller's next message of this sort; anything else is a failure, to which the hint belongs.
    pub fn caller_says(&mut self, word: &'static str, hint: &'static str) -> Result<Message, Fault> {
        let heard = self.outer.hear(&words(self.language.caller), PATIENCE)?;
        self.expect(heard, word, "the caller", hint)
    }

    /// The child's next message of this sort.
    pub fn child_says(&mut self, word: &'static str, hint: &'static str) -> Result<Message, Fault> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let heard = self.inner.hear(&words(self.language.child), SILENCE)?;
            let is_dead = !self.caller.children().iter().any(|child| child.is_alive());
            match heard {
                Heard::Silence if is_dead => return Err(self.obituary(word, hint)),
                Heard::Silence if Instant::now() < deadline => {}
                heard => return self.expect(heard, word, "the child", hint),
            }
        }
    }

    /// The child is dead; its caller may know of what.
    fn obituary(&mut self, word: &'static str, hint: &'static str) -> Fault {
        let expected = self.language.meaning(word);
        if let Some(stop) = self.unfinished(expected) {
            return stop;
        }
        let mut seen = format!("the child has ended before{}", self.last_words());
        let mut hint = hint;
        // It answers "spawned" when it is told to go on, and then what `executed` gave.
        self.outer.say("go on");
        if let Ok(Heard::Message(message)) = self.outer.hear(&["refused", "failed"], SILENCE) {
            hint = (self.language.diagnosis)(&message.text).unwrap_or(hint);
            seen = format!("{seen}; its caller: {}", message.text);
        }
        Fault::new(expected, seen, hint)
    }

    /// Nothing came where something must.
    pub fn silent(mut self, expected: &str, hint: &'static str) -> Fault {
        let seen = format!("nothing{}", self.last_words());
        self.unfinished(expected).unwrap_or_else(|| Fault::new(expected, seen, hint))
    }

    fn expect(
        &mut self,
        heard: Heard,
        word: &'static str,
        who: &str,
        hint: &'static str,
    ) -> Result<Message, Fault> {
        let expected = self.language.meaning(word);
        if let Some(stop) = self.unfinished(expected) {
            return Err(stop);
        }
        match heard {
            Heard::Message(message) if message.text.starts_with(word) => Ok(message),
            Heard::Message(message) => {
                let hint = (self.language.diagnosis)(&message.text).unwrap_or(hint);
                Err(Fault::new(expected, format!("{who}: {}", message.text), hint))
            }
            Heard::End => Err(Fault::new(expected, format!("{who} has ended{}", self.last_words()), hint)),
            Heard::Silence => Err(Fault::new(
                expected,
                format!("nothing in {} s{}{}", PATIENCE.as_secs(), self.where_they_wait(), self.last_words()),
                hint,
            )),
        }
    }

    /// Where both processes sit that say nothing.
    fn where_they_wait(&self) -> String {
        let child = self.caller.children().into_iter().find(|child| child.is_alive());
        let parent = self.caller.waits_in().map(|call| format!("; the parent waits in {call}"));
        let child = child.and_then(Process::waits_in).map(|call| format!("; the child waits in {call}"));
        [parent, child].into_iter().flatten().collect()
    }

    /// What was written to standard error.
    fn last_words(&mut self) -> String {
        let mut text = String::new();
        let read = self
            .said_before_the_end
            .rewind()
            .and_then(|()| self.said_before_the_end.read_to_string(&mut text));
        match (read, text.trim()) {
            (Ok(_), "") | (Err(_), _) => String::new(),
            (Ok(_), text) => format!("; it said: {text}"),
        }
    }

    /// A hole that was met: whatever else happened follows from it.
    fn unfinished(&mut self, expected: &str) -> Option<Fault> {
        let words = self.last_words();
        let (_, task) = words.split_once("not yet implemented: ")?;
        let task = task.lines().next().unwrap_or_default();
        Some(Fault::new(expected, format!("a hole: {task}"), "a-hole"))
    }

    /// Ends the caller at once, as a crash would.
    pub fn kill_caller(&self) {
        let _ = kill(Pid::from_raw(self.caller.0), Signal::SIGKILL);
        let _ = waitpid(Pid::from_raw(self.caller.0), None);
    }

    /// Kills a child of the caller's, and waits until it has ended: it stays as a zombie.
    pub fn kill_child(child: Process) -> bool {
        let deadline = Instant::now() + PATIENCE;
        let _ = kill(Pid::from_raw(child.0), Signal::SIGKILL);
        while child.is_alive() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(2));
        }
        !child.is_alive()
    }

    /// Whether a process goes away in time; a zombie does not.
    pub fn goes_away(process: Process) -> bool {
        let deadline = Instant::now() + PATIENCE;
        while process.exists() {
            if Instant::now() > deadline {
                return false;
            }
            // An orphan of ours is ours to wait for.
            let _ = waitpid(Pid::from_raw(process.0), Some(nix::sys::wait::WaitPidFlag::WNOHANG));
            std::thread::sleep(Duration::from_millis(2));
        }
        true
    }
}

impl Drop for Trial {
    /// Everything that the harness started is ours or becomes ours, since orphans do.
    fn drop(&mut self) {
        loop {
            for child in Process::this().children() {
                let _ = kill(Pid::from_raw(child.0), Signal::SIGKILL);
            }
            if waitpid(None, None) == Err(Errno::ECHILD) {
                return;
            }
        }
    }
}

fn unnamed_file() -> Result<File, Fault> {
    let descriptor: OwnedFd = nix::sys::memfd::memfd_create("said", nix::sys::memfd::MFdFlags::MFD_CLOEXEC)?;
    Ok(descriptor.into())
}
