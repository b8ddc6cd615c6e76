//! A folder with a root file system and a run directory, and what may be left of them: nothing.

use oci_spec::runtime::Spec;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use supervisor::{AttachOptions, Connection, Event, Exit, Identity, Kind, Launch, LogFile, VERSION};

/// One container's place on disk.
pub struct Site {
    pub folder: PathBuf,
    pub run_dir: PathBuf,
    pub launch: Launch,
    pub spec: serde_json::Value,
}

static NUMBER: AtomicU32 = AtomicU32::new(0);

impl Site {
    /// For a shell script.
    pub fn new(script: &str) -> Site {
        let id = format!("site-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(&id);
        let root = folder.join("root");
        for name in ["bin", "etc", "proc", "dev", "sys", "tmp"] {
            std::fs::create_dir_all(root.join(name)).unwrap();
        }
        std::fs::copy("/usr/bin/busybox", root.join("bin/busybox")).unwrap();
        for applet in ["sh", "cat", "sleep", "echo", "true", "head", "stty", "id", "yes", "tty", "ls"] {
            std::os::unix::fs::symlink("busybox", root.join("bin").join(applet)).unwrap();
        }
        let run_dir = folder.join("run");
        std::fs::create_dir_all(&run_dir).unwrap();
        let mut spec = serde_json::to_value(runtime::default_spec(None).unwrap()).unwrap();
        spec["process"]["args"] = serde_json::json!(["sh", "-c", script]);
        spec["process"]["terminal"] = false.into();
        let launch = Launch {
            version: VERSION,
            id: id.clone(),
            kind: Kind::Container {
                root: chroot::Root::Folder(root),
                cgroup: Some(format!("/coracle-test-{id}")),
            },
            terminal: false,
            console_size: None,
            open_stdin: false,
            stdin_once: false,
            log: Some(LogFile { path: folder.join("log"), max_size: None, max_file: 1 }),
            runtime: None,
        };
        Site { folder, run_dir, launch, spec }
    }

    /// Writes the spec and launches.
    pub fn launch(&self) -> Result<(Connection, Identity), supervisor::LaunchError> {
        let spec: Spec = serde_json::from_value(self.spec.clone()).unwrap();
        spec.save(self.run_dir.join("config.json")).unwrap();
        supervisor::launch(&self.run_dir, &self.launch)
    }

    /// Launches and starts.
    pub fn start(&self) -> (Connection, Identity) {
        let (connection, identity) = self.launch().unwrap();
        connection.start().unwrap();
        (connection, identity)
    }

    /// The output that was logged, both streams.
    pub fn logged(&self) -> String {
        let text = std::fs::read_to_string(self.folder.join("log")).unwrap();
        let record = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap();
        text.lines().map(|line| record(line)["log"].as_str().unwrap().to_string()).collect()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _ = supervisor::destroy(&self.run_dir);
            return;
        }
        std::fs::remove_dir_all(&self.folder).unwrap();
        eventually("no process is left", || supervisors_of(&self.run_dir.to_string_lossy()).is_empty());
        assert_eq!(cgroups_of(&self.launch.id), Vec::<PathBuf>::new(), "no cgroup is left");
    }
}

/// The folders of a container's cgroup, in every hierarchy.
fn cgroups_of(id: &str) -> Vec<PathBuf> {
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    let points = mounts.lines().filter(|line| line.contains(" - cgroup"));
    let points = points.filter_map(|line| line.split(' ').nth(4));
    points
        .map(|point| Path::new(point).join(format!("coracle-test-{id}")))
        .filter(|folder| folder.exists())
        .collect()
}

/// Processes whose command line has this word.
pub fn supervisors_of(word: &str) -> Vec<i32> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        if String::from_utf8_lossy(&line).contains(word) && pid != std::process::id() as i32 {
            found.push(pid);
        }
    }
    found
}

/// Reads events until the end.
pub fn exit_of(connection: &Connection) -> Exit {
    loop {
        match connection.next_event().unwrap() {
            Some(Event::Exited(exit)) => return exit,
            Some(_) => {}
            None => panic!("the supervisor ended without telling"),
        }
    }
}

/// Attaches one end of a pair of sockets and returns the other.
pub fn attach(connection: &Connection, options: &AttachOptions, earlier: &[u8]) -> UnixStream {
    let (ours, theirs) = UnixStream::pair().unwrap();
    ours.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    connection.attach(OwnedFd::from(theirs), options, earlier).unwrap();
    ours
}

/// Everything, framed.
pub fn everything() -> AttachOptions {
    AttachOptions { stdin: true, stdout: true, stderr: true, framed: true, detach_keys: vec![16, 17] }
}

/// What comes until the end of file.
pub fn rest(stream: &mut UnixStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    bytes
}

/// The output of each stream, from frames.
pub fn unframed(mut frames: &[u8]) -> [String; 3] {
    let mut streams = [const { String::new() }; 3];
    while let [stream, _, _, _, a, b, c, d, after @ ..] = frames {
        let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
        streams[*stream as usize] += &String::from_utf8_lossy(&after[..length]);
        frames = &after[length..];
    }
    assert!(frames.is_empty());
    streams
}

/// Waits for something with a deadline.
pub fn eventually(what: &str, mut happened: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !happened() {
        assert!(Instant::now() < deadline, "{what}: not in ten seconds");
        std::thread::sleep(Duration::from_millis(5)); // poll
    }
}
