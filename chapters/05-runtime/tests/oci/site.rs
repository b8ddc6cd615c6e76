//! A bundle in a folder of its own, and what may be left of it: nothing.

use serde_json::{Value, json};
pub use skipped::skip;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A bundle, a root for states, and what may be left in it: nothing.
pub struct Site {
    pub folder: PathBuf,
    pub executable: PathBuf,
    pub spec: Value,
    pub id: String,
    /// As whom it is called, if not as root.
    pub owner: Option<(u32, u32)>,
}

impl Site {
    /// For a shell script; None where this test cannot run.
    pub fn new(name: &str, script: &str) -> Option<Site> {
        if !Path::new("/usr/bin/busybox").exists() || !nix::unistd::geteuid().is_root() {
            skip(&format!("oci::{name}"), "needs root and busybox");
            return None;
        }
        let id = format!("oci-{name}-{}", std::process::id());
        let folder = std::env::temp_dir().join(&id);
        let root = folder.join("rootfs");
        for name in ["bin", "etc", "proc", "dev", "sys", "tmp"] {
            std::fs::create_dir_all(root.join(name)).unwrap();
        }
        copy_program("/usr/bin/busybox", &root.join("bin/busybox"));
        for applet in [
            "sh", "cat", "sleep", "echo", "true", "id", "tty", "stty", "mkfifo", "mv", "mkdir", "pwd", "ls",
            "tr",
        ] {
            std::os::unix::fs::symlink("busybox", root.join("bin").join(applet)).unwrap();
        }
        // A copy, so that a test may try to harm it.
        let executable = folder.join("coracle-oci");
        copy_program(env!("CARGO_BIN_EXE_coracle-oci"), &executable);
        let mut spec = serde_json::to_value(runtime::default_spec(None).unwrap()).unwrap();
        spec["process"]["args"] = json!(["sh", "-c", script]);
        spec["process"]["terminal"] = false.into();
        spec["root"]["readonly"] = false.into();
        let site = Site { folder, executable, spec, id, owner: None };
        site.write();
        Some(site)
    }

    pub fn write(&self) {
        std::fs::write(self.folder.join("config.json"), self.spec.to_string()).unwrap();
    }

    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.executable);
        command.arg("--root").arg(self.folder.join("state")).args(words).current_dir(&self.folder);
        command.stdin(Stdio::null());
        if let Some((user, group)) = self.owner {
            command.uid(user).gid(group);
        }
        command
    }

    /// `ID` in the words stands for the container. A detached container would keep pipes open: its output goes nowhere.
    pub fn run(&self, words: &[&str]) -> (i32, String, String) {
        let words: Vec<&str> =
            words.iter().map(|word| if *word == "ID" { self.id.as_str() } else { word }).collect();
        let detached = words.contains(&"create") || words.contains(&"-d");
        let mut command = self.command(&words);
        if detached {
            command.stdout(Stdio::null());
        }
        let errors = std::fs::File::create(self.folder.join("errors")).unwrap();
        let Output { status, stdout, .. } = command.stderr(errors).output().unwrap();
        let stderr = std::fs::read_to_string(self.folder.join("errors")).unwrap();
        (status.code().unwrap_or(-1), String::from_utf8_lossy(&stdout).into(), stderr.trim().into())
    }

    pub fn ok(&self, words: &[&str]) -> String {
        let (code, stdout, stderr) = self.run(words);
        assert_eq!(code, 0, "{words:?}: {stderr}");
        stdout
    }

    pub fn refused(&self, words: &[&str]) -> String {
        let (code, _, stderr) = self.run(words);
        assert_ne!(code, 0, "{words:?}");
        stderr
    }

    pub fn status(&self) -> String {
        let state: Value = serde_json::from_str(&self.ok(&["state", "ID"])).unwrap();
        state["status"].as_str().unwrap().into()
    }

    pub fn nothing_is_left(&self) {
        assert_eq!(self.what_is_left(), None);
    }

    /// A state, a mount or a cgroup that is still there.
    pub fn what_is_left(&self) -> Option<String> {
        let states = std::fs::read_dir(self.folder.join("state"));
        if states.is_ok_and(|mut entries| entries.next().is_some()) {
            return Some("a state is left".into());
        }
        let group = format!("coracle-oci-{}", self.id);
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
        mounts.lines().find_map(|line| {
            let point = Path::new(line.split(' ').nth(4).unwrap());
            if line.contains(&self.id) {
                return Some(format!("a mount is left: {line}"));
            }
            let has_group = line.contains(" - cgroup") && point.join(&group).exists();
            has_group.then(|| format!("a cgroup is left in {}", point.display()))
        })
    }

    /// Waits until no process of it is there: until it executes its command a container's process has the command line of whoever
    /// made it. Otherwise the one that stays.
    pub fn processes_end(&self) -> Result<(), String> {
        let state = self.folder.join("state").display().to_string();
        let names_it = |pid: &i32| {
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&line).contains(&state)
        };
        let processes = std::fs::read_dir("/proc").unwrap().flatten();
        let mut pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        match pids.find(|pid| names_it(pid) && !ends_within(*pid, Duration::from_secs(10))) {
            Some(pid) => Err(format!("process {pid} is left")),
            None => Ok(()),
        }
    }
}

/// Whether a process ends in this time; one that is gone has.
pub fn ends_within(pid: i32, time: Duration) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::process::{Pid, PidfdFlags, pidfd_open};
    let Ok(pidfd) = pidfd_open(Pid::from_raw(pid).unwrap(), PidfdFlags::empty()) else { return true };
    let time = Timespec { tv_sec: time.as_secs() as i64, tv_nsec: 0 };
    poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], Some(&time)).unwrap() == 1
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = self.command(&["delete", "--force", &self.id]).stderr(Stdio::null()).status();
        if !std::thread::panicking() {
            self.nothing_is_left();
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Held by who mounts another hierarchy of v1, and by who cannot do with one that is mounted where they do not see it: containerd then
/// tells no statistics.
pub fn hierarchies() -> MutexGuard<'static, ()> {
    static HIERARCHIES: Mutex<()> = Mutex::new(());
    HIERARCHIES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Another process copies: while we had the copy open for writing, a child that a thread beside us makes would hold it too, and
/// whoever executes it then would be told that it is busy (ETXTBSY).
fn copy_program(from: &str, to: &Path) {
    assert!(Command::new("cp").arg(from).arg(to).status().unwrap().success());
}

/// Whether a program is in PATH or the system's folders.
pub fn is_installed(program: &str) -> bool {
    let path = std::env::var("PATH").unwrap_or_default();
    path.split(':').chain(["/usr/sbin", "/sbin"]).any(|folder| Path::new(folder).join(program).is_file())
}

/// Waits for it.
pub fn eventually(what: &str, mut happened: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !happened() {
        assert!(Instant::now() < deadline, "{what}: not in half a minute");
        std::thread::sleep(Duration::from_millis(5)); // poll
    }
}

/// The one descriptor that comes through a socket.
pub fn receive_descriptor(socket: &std::os::unix::net::UnixStream) -> std::os::fd::OwnedFd {
    use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut name = [0; 64];
    let mut parts = [std::io::IoSliceMut::new(&mut name)];
    recvmsg(socket, &mut parts, &mut control, RecvFlags::CMSG_CLOEXEC).unwrap();
    let descriptor = control.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
        _ => None,
    });
    descriptor.unwrap()
}
