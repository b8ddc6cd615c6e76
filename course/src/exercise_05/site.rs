//! A bundle in a folder of its own, what the participant's `coracle-oci` is told, and whatever becomes of it.

use crate::checks::process::Process;
use crate::checks::socket::{Heard, Socket};
use crate::checks::trial::{PATIENCE, SILENCE};
use crate::checks::{Fault, Stage, chance, group};
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;
use serde_json::{Value, json};
use std::fs::{self, File};
use std::io::{Read, Seek};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// A container that is still to be made. When it is dropped, nothing of it is left.
pub struct Site<'a> {
    pub stage: &'a Stage,
    pub folder: PathBuf,
    pub id: String,
    /// Its config.json.
    pub spec: Value,
    /// On which its processes speak.
    pub ears: Socket,
    theirs: OwnedFd,
    /// Where its commands are called: in the bundle, unless a check says otherwise.
    pub place: PathBuf,
    /// The cgroup that it may have.
    pub group: String,
}

/// A command that was started.
pub struct Running {
    /// What of it is waited for.
    verb: String,
    child: Child,
    files: [File; 2],
}

/// What became of a command.
pub struct Done {
    pub code: i32,
    pub out: String,
    pub err: String,
    /// Where the container still writes to.
    files: [File; 2],
}

impl Site<'_> {
    /// Of a container whose process does as it is told, with namespaces of its own of these kinds beside those that it must have.
    pub fn new<'a>(stage: &'a Stage, namespaces: &[&str]) -> Result<Site<'a>, Fault> {
        let id = format!("c{}", chance::some(1, 1 << 40));
        let folder = std::env::temp_dir().join(format!("coracle-course-{}-{id}", std::process::id()));
        fs::create_dir_all(folder.join("rootfs/bin"))?;
        fs::copy(&stage.program, folder.join("rootfs/program"))?;
        let (ears, theirs) = Socket::pair()?;
        let group = format!("/{}", group::name(&id));
        for path in ["", "rootfs", "rootfs/bin", "rootfs/program"] {
            std::os::unix::fs::chown(folder.join(path), Some(stage.uid), Some(stage.gid))?;
        }
        let place = folder.clone();
        let mut site = Site { stage, folder, id, spec: Value::Null, ears, theirs, place, group };
        site.spec = json!({
            "ociVersion": "1.2.0",
            "process": {
                "args": ["/program", "follow"], "cwd": "/", "user": { "uid": 0, "gid": 0 }, "env": ["PATH=/bin"],
            },
            "root": { "path": "rootfs" },
            "linux": {},
        });
        site.set_namespaces(namespaces);
        Ok(site)
    }

    /// Mounts are always the container's own. Only who has many ids needs no user namespace.
    pub fn set_namespaces(&mut self, further: &[&str]) {
        let mut kinds = vec!["mount"];
        kinds.extend(further);
        if !self.stage.has_many_ids && !kinds.contains(&"user") {
            kinds.push("user");
        }
        let linux = &mut self.spec["linux"];
        linux["namespaces"] = kinds.iter().map(|kind| json!({ "type": kind })).collect();
        if kinds.contains(&"user") {
            let map = |id: u32| json!([{ "containerID": 0, "hostID": id, "size": 1 }]);
            (linux["uidMappings"], linux["gidMappings"]) = (map(self.stage.uid), map(self.stage.gid));
        }
    }

    /// What its processes may start with.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join("rootfs").join(name)
    }

    /// A file in the container's folder of states.
    pub fn state_file(&self, name: &str) -> PathBuf {
        self.folder.join("state").join(&self.id).join(name)
    }

    /// Starts a command; `ID` stands for the container. Its standard input is the socket, and so is that of what it makes.
    pub fn begin(&self, words: &[&str]) -> Result<Running, Fault> {
        self.begin_on(words, self.theirs.try_clone()?)
    }

    /// The same with a socket of its own.
    pub fn begin_on(&self, words: &[&str], socket: OwnedFd) -> Result<Running, Fault> {
        let root = self.folder.join("state").display().to_string();
        let all = [&["oci", "--root", &root, "--rootless", "true"], words].concat();
        self.start(&all, words[0], socket)
    }

    /// Makes it and ends it without a command line, as the engine does; what became of that.
    pub fn create_as_the_engine(&self) -> Result<Done, Fault> {
        let words = ["create", &self.folder.display().to_string(), &self.group];
        self.start(&words, "create", self.theirs.try_clone()?)?.wait("as-far-as-the-gate")
    }

    /// One whose first process holds namespaces of its own, and no container.
    pub fn hold(&self) -> Result<Running, Fault> {
        self.start(&["hold"], "hold", self.theirs.try_clone()?)
    }

    fn start(&self, words: &[&str], verb: &str, socket: OwnedFd) -> Result<Running, Fault> {
        fs::write(self.folder.join("config.json"), self.spec.to_string())?;
        let mut command = self.stage.command();
        // A PATH in which nothing is: what another program could do is not asked here.
        command.env_clear().env("PATH", "/nonexistent").current_dir(&self.place);
        command.args(words.iter().map(|word| if *word == "ID" { &self.id } else { *word }));
        let files = [unnamed_file()?, unnamed_file()?];
        let child = command
            .stdin(Stdio::from(socket))
            .stdout(files[0].try_clone()?)
            .stderr(files[1].try_clone()?)
            .spawn()?;
        Ok(Running { verb: verb.into(), child, files })
    }

    /// Runs a command to its end.
    pub fn run(&self, words: &[&str], hint: &'static str) -> Result<Done, Fault> {
        self.begin(words)?.wait(hint)
    }

    /// One that must succeed; what it prints.
    pub fn ok(&self, words: &[&str], hint: &'static str) -> Result<String, Fault> {
        let done = self.run(words, hint)?;
        match done.code {
            0 => Ok(done.out),
            _ => Err(Fault::new(format!("`{}` succeeds", words[0]), done.spelled(), hint)),
        }
    }

    /// One that must be refused, with this among its words.
    pub fn refused(&self, words: &[&str], why: &str, hint: &'static str) -> Result<String, Fault> {
        let done = self.run(words, hint)?;
        let code = if words[0] == "exec" { 255 } else { 1 };
        if done.code == code && done.err.contains(why) {
            return Ok(done.err);
        }
        Err(Fault::new(format!("`{}` fails with code {code}: {why}", words[0]), done.spelled(), hint))
    }

    /// What `state` says.
    pub fn state(&self, hint: &'static str) -> Result<Value, Fault> {
        let text = self.ok(&["state", "ID"], hint)?;
        serde_json::from_str(&text).map_err(|_| Fault::new("`state` prints JSON", text, hint))
    }

    /// Its status must be this.
    pub fn expect_status(&self, expected: &str, hint: &'static str) -> Result<(), Fault> {
        let state = self.state(hint)?;
        if state["status"] == expected {
            return Ok(());
        }
        Err(Fault::new(format!("status {expected}"), format!("status {}", state["status"]), hint))
    }

    /// Creates it: its process as the file with its number names it.
    pub fn create(&self) -> Result<Process, Fault> {
        self.create_or("as-far-as-the-gate")
    }

    /// The same where a failure is about something else.
    fn create_or(&self, hint: &'static str) -> Result<Process, Fault> {
        let (pid_file, bundle) = (self.folder.join("pid"), self.folder.display().to_string());
        self.ok(&["create", "--bundle", &bundle, "--pid-file", &pid_file.display().to_string(), "ID"], hint)?;
        self.number(&pid_file)
    }

    /// The process whose number is in a file.
    pub fn number(&self, file: &Path) -> Result<Process, Fault> {
        let text = fs::read_to_string(file).unwrap_or_default();
        let pid = text.trim().parse().ok().map(Process).filter(|process| process.exists());
        pid.ok_or_else(|| Fault::new("a process's number in the pid file", format!("{text:?}"), "its-number"))
    }

    /// Creates and starts it: its process as the kernel names it.
    pub fn started(&self) -> Result<Process, Fault> {
        self.started_or("as-far-as-the-gate")
    }

    /// The same where a failure to create it is about something else.
    pub fn started_or(&self, hint: &'static str) -> Result<Process, Fault> {
        self.create_or(hint)?;
        self.ok(&["start", "ID"], "until-the-end")?;
        self.heard("started", "say-then-wait")
    }

    /// Who says this word.
    pub fn heard(&self, word: &'static str, hint: &'static str) -> Result<Process, Fault> {
        self.heard_on(&self.ears, word, hint)
    }

    /// The same on another socket.
    pub fn heard_on(&self, ears: &Socket, word: &'static str, hint: &'static str) -> Result<Process, Fault> {
        match ears.hear(&[word], PATIENCE)? {
            Heard::Message(message) => Ok(Process(message.pid)),
            _ => {
                let expected = self.stage.language.meaning(word);
                Err(Fault::new(expected, format!("nothing in {} s", PATIENCE.as_secs()), hint))
            }
        }
    }

    /// Nobody may say this word yet.
    pub fn expect_silence(&self, word: &'static str, hint: &'static str) -> Result<(), Fault> {
        match self.ears.hear(&[word], SILENCE)? {
            Heard::Message(message) => {
                let meaning = self.stage.language.meaning(word);
                Err(Fault::new("nothing happens", format!("{meaning}: process {}", message.pid), hint))
            }
            _ => Ok(()),
        }
    }

    /// What a command holds while it changes the container.
    pub fn lock(&self) -> Result<Flock<File>, Fault> {
        let folder = File::open(self.state_file(""))?;
        Ok(Flock::lock(folder, FlockArg::LockExclusive).map_err(|(_, errno)| errno)?)
    }

    /// No state, no process and no cgroup.
    pub fn nothing_is_left(&self, hint: &'static str) -> Result<(), Fault> {
        let fault = |what: String| Err(Fault::new("nothing is left", what, hint));
        if self.state_file("").exists() {
            return fault(format!("{} is there", self.state_file("").display()));
        }
        reap();
        if let Some(child) = Process::this().children().first() {
            let status = child.read("comm").unwrap_or_default();
            return fault(format!("process {} is there: {}", child.0, status.trim()));
        }
        match groups(&self.group).first() {
            Some(folder) => fault(format!("{} is there", folder.display())),
            None => Ok(()),
        }
    }
}

impl Running {
    /// Waits for its end.
    pub fn wait(mut self, hint: &'static str) -> Result<Done, Fault> {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            match self.child.try_wait()? {
                Some(status) => break status,
                None if Instant::now() > deadline => {
                    let expected = format!("`{}` returns", self.verb);
                    let (place, hint) = self.where_it_waits(hint);
                    let seen = format!("not in {} s{place}", PATIENCE.as_secs());
                    return Err(self.hole(&expected).unwrap_or_else(|| Fault::new(expected, seen, hint)));
                }
                None => std::thread::sleep(Duration::from_millis(2)),
            }
        };
        if let Some(hole) = self.hole(&format!("`{}` does its work", self.verb)) {
            return Err(hole);
        }
        let [out, err] = self.files.each_mut().map(text);
        Ok(Done { code: status.code().unwrap_or(-1), out, err, files: self.files })
    }

    /// Where it waits, and the hint that belongs to it: in open(2) it is a FIFO whose other end nobody has.
    fn where_it_waits(&self, hint: &'static str) -> (String, &'static str) {
        if self.process().opens() {
            let hint = if self.verb == "create" { "two-fifos" } else { "nobody-reads" };
            return (", it waits in open".into(), hint);
        }
        let call = self.process().waits_in();
        (call.map_or_else(String::new, |call| format!(", it waits in {call}")), hint)
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> std::io::Result<bool> {
        Ok(self.child.try_wait()?.is_some())
    }

    /// The process.
    pub fn process(&self) -> Process {
        Process(self.child.id() as i32)
    }

    /// Ends it as a crash would.
    pub fn kill(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// A hole that was met: whatever else happened follows from it.
    fn hole(&mut self, expected: &str) -> Option<Fault> {
        let words = text(&mut self.files[1]);
        let (_, task) = words.split_once("not yet implemented: ")?;
        let task = task.lines().next().unwrap_or_default();
        Some(Fault::new(expected, format!("a hole: {task}"), "a-hole"))
    }
}

impl Done {
    /// What was written to standard error until now, also by a container that has this as its own.
    pub fn errors(&mut self) -> String {
        text(&mut self.files[1])
    }

    /// For a fault.
    pub fn spelled(&self) -> String {
        format!("code {}: {}", self.code, self.err.trim())
    }
}

impl Drop for Site<'_> {
    /// Everything that was started is ours or becomes ours, since orphans do.
    fn drop(&mut self) {
        for folder in groups(&self.group) {
            let _ = fs::write(folder.join("freezer.state"), "THAWED");
            let _ = fs::write(folder.join("cgroup.freeze"), "0");
        }
        loop {
            for child in Process::this().children() {
                let _ = kill(Pid::from_raw(child.0), Signal::SIGKILL);
            }
            if waitpid(None, None) == Err(Errno::ECHILD) {
                break;
            }
        }
        for folder in groups(&self.group) {
            let _ = fs::remove_dir(folder);
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Takes the codes of those that have ended.
pub fn reap() {
    while waitpid(None, Some(WaitPidFlag::WNOHANG)).is_ok_and(|status| status.pid().is_some()) {}
}

/// The folders of a cgroup, in whatever hierarchies it is.
pub fn groups(path: &str) -> Vec<PathBuf> {
    let mounts = Process::this().read("mountinfo").unwrap_or_default();
    let hierarchies = mounts.lines().filter(|line| line.contains(" - cgroup"));
    let points = hierarchies.filter_map(|line| line.split(' ').nth(4));
    points.map(|point| Path::new(point).join(&path[1..])).filter(|folder| folder.is_dir()).collect()
}

/// A FIFO, made by a command of ours: nobody else shall do it in our place.
pub fn fifo(path: &Path) -> Result<(), Fault> {
    Ok(nix::unistd::mkfifo(path, nix::sys::stat::Mode::from_bits_truncate(0o666))?)
}

fn unnamed_file() -> Result<File, Fault> {
    Ok(memfd_create("said", MFdFlags::MFD_CLOEXEC)?.into())
}

/// What a file holds. Its writers go on where we stop.
fn text(file: &mut File) -> String {
    let mut bytes = Vec::new();
    let _ = file.rewind().and_then(|()| file.read_to_end(&mut bytes));
    String::from_utf8_lossy(&bytes).into_owned()
}
