//! One engine under test: ours, or the dockerd that it is held against.

use super::{Namespace, PATIENCE, Said, busybox_tar, is_root, leftovers, run, wait_until};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

/// Whose daemon it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Who {
    /// Ours, as the user who runs the tests.
    Coracle,
    /// Ours, as the ordinary user `coracle-test`, who has one id.
    CoracleRootless,
    /// Ours, as the ordinary user `coracle-ranges`, to whom root has given ranges of ids.
    CoracleRanges,
    /// Debian's dockerd.
    Dockerd,
}

impl Who {
    /// The ordinary user that `cargo xtask test` makes, if it is one.
    fn ordinary(self) -> Option<&'static str> {
        match self {
            Who::CoracleRootless => Some("coracle-test"),
            Who::CoracleRanges => Some("coracle-ranges"),
            Who::Coracle | Who::Dockerd => None,
        }
    }

    /// Whom it means when the tests run as root.
    pub fn user(self) -> nix::unistd::User {
        let user = nix::unistd::User::from_name(self.ordinary().expect("an ordinary user")).expect("passwd");
        user.expect("cargo xtask test makes the user")
    }
}

/// Enters the group that was given, as root still: the user moves processes within it, but not into it. A daemon before this one
/// may have divided it, and then processes are in its half for them.
const ENTER: &str = "[ ! -d $0/callers ] || set -- $0/callers \"$@\"; [ -d $1 ] || set -- $0 \"$@\"; \
                     echo $$ > $1/cgroup.procs; shift; exec setpriv \"$@\"";

/// A running daemon with folders, socket, cgroup parent and network namespace of its own.
pub struct Engine {
    who: Who,
    token: String,
    folder: PathBuf,
    namespace: Option<Namespace>,
    /// What its command line says besides.
    flags: Vec<String>,
    /// What a shell does in the daemon's private mount namespace before the daemon starts.
    before: Option<String>,
    /// The cgroup of v2 that the ordinary user was given, in which their daemon starts.
    given: Option<PathBuf>,
    daemon: Option<Child>,
    finished: bool,
}

impl Engine {
    /// Starts our engine, and waits until it answers.
    #[track_caller]
    pub fn start() -> Engine {
        Engine::start_as(Who::Coracle)
    }

    /// Starts an engine, and waits until it answers.
    #[track_caller]
    pub fn start_as(who: Who) -> Engine {
        let mut engine = Engine::prepare(who);
        engine.start_daemon();
        engine
    }

    /// Starts an engine whose daemon has a mount namespace of its own (an ordinary user's: a user namespace), after a shell
    /// with all capabilities in it has run `before`, in the engine's folder. Needs root.
    #[track_caller]
    pub fn start_after(who: Who, before: &str) -> Engine {
        let mut engine = Engine::prepare(who);
        engine.before = Some(before.to_owned());
        engine.start_daemon();
        engine
    }

    /// Starts our engine with more on its command line; after a shell has run `before`, if there is something to run.
    #[track_caller]
    pub fn start_with(flags: &[&str], before: Option<&str>) -> Engine {
        let mut engine = Engine::prepare(Who::Coracle);
        engine.flags = flags.iter().map(|word| (*word).to_owned()).collect();
        engine.before = before.map(str::to_owned);
        engine.start_daemon();
        engine
    }

    /// Starts an engine in a cgroup of v2 that was given to its user.
    #[track_caller]
    pub fn start_in(who: Who, given: &Path) -> Engine {
        let mut engine = Engine::prepare(who);
        engine.given = Some(given.to_path_buf());
        engine.start_daemon();
        engine
    }

    fn prepare(who: Who) -> Engine {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        // All of one length, so that no engine's token is the beginning of another's.
        let token = format!("ct{}-{:04}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(&token);
        std::fs::create_dir(&folder).expect("a folder for the engine");
        if who.ordinary().is_some() && is_root() {
            let user = who.user();
            nix::unistd::chown(&folder, Some(user.uid), Some(user.gid)).expect("chown");
        }
        let namespace = Namespace::new();
        Engine {
            who,
            token,
            folder,
            namespace,
            flags: Vec::new(),
            before: None,
            given: None,
            daemon: None,
            finished: false,
        }
    }

    /// Starts the daemon (again), and waits until it answers.
    #[track_caller]
    pub fn start_daemon(&mut self) {
        assert!(self.daemon.is_none(), "the daemon runs already");
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.folder.join("daemon.log"))
            .expect("a log");
        let mut command = self.daemon_command(&[]);
        command.stdin(Stdio::null()).stdout(log.try_clone().expect("a log")).stderr(log);
        self.daemon = Some(command.spawn().expect("the daemon starts"));
        let deadline = Instant::now() + PATIENCE;
        while self.docker(&["version"]).code != 0 {
            let ended = self.daemon.as_mut().expect("just started").try_wait().expect("wait");
            assert!(
                ended.is_none() && Instant::now() < deadline,
                "the daemon does not answer: {}",
                self.log()
            );
            std::thread::sleep(std::time::Duration::from_millis(20)); // poll
        }
    }

    /// The daemon's command line, with more flags; for tests of the daemon's own refusals.
    pub fn daemon_command(&self, more: &[&str]) -> Command {
        let host = self.host();
        let in_folder = |name: &str| self.folder.join(name).display().to_string();
        let mut command = match self.who {
            Who::Dockerd => self.after_before("dockerd"),
            Who::Coracle => self.after_before(coracle_binary()),
            Who::CoracleRootless | Who::CoracleRanges => self.as_ordinary_user(),
        };
        if self.who != Who::Dockerd {
            command.arg("daemon");
        }
        command.args(["--data-root", &in_folder("data"), "--exec-root", &in_folder("exec"), "--host", &host]);
        command.args(["--pidfile", &in_folder("pid")]);
        if self.who.ordinary().is_none() && is_root() {
            command.args(["--cgroup-parent", &format!("/{}", self.token)]);
        }
        command.args(&self.flags).args(more);
        command
    }

    /// A daemon in its network namespace, and in a mount namespace that was prepared for it.
    fn after_before(&self, daemon: &str) -> Command {
        let Some(before) = &self.before else {
            return self.inside(daemon);
        };
        let mut command = self.inside("unshare");
        let script = format!("{before}; exec \"$@\"");
        command.args(["--mount", "--propagation", "private", "sh", "-e", "-c", &script, "sh", daemon]);
        command.current_dir(&self.folder);
        command
    }

    fn inside(&self, program: &str) -> Command {
        match &self.namespace {
            Some(namespace) => namespace.command(program),
            None => Command::new(program),
        }
    }

    /// Our binary as the ordinary user; they cannot reach into the target folder, so a copy is run.
    fn as_ordinary_user(&self) -> Command {
        if !is_root() {
            return Command::new(coracle_binary());
        }
        let copy = self.copy();
        let Some(before) = &self.before else {
            return self.user_command(&copy);
        };
        let mut command = self.user_command("unshare");
        let script = format!("{before}; exec setpriv --inh-caps=-all --ambient-caps=-all \"$@\"");
        command.args(["--user", "--map-current-user", "--keep-caps"]);
        command.args(["sh", "-e", "-c", &script, "sh", &copy]);
        command
    }

    fn copy(&self) -> String {
        let copy = self.folder.join("coracle");
        if !copy.exists() {
            // By a process of its own: a descriptor of ours would live on in what other tests start just now, and nobody may
            // execute a file that is open for writing.
            run(Command::new("cp").arg(coracle_binary()).arg(&copy)).expect(0);
        }
        copy.display().to_string()
    }

    /// Our client as the daemon's user, in the test's own network, where a browser reaches what it serves.
    pub fn client_of_the_test(&self) -> Command {
        let mut command = match self.who {
            who if who.ordinary().is_some() && is_root() => {
                self.as_user(Command::new("setpriv"), &self.copy())
            }
            _ => Command::new(coracle_binary()),
        };
        command.args(["--host", &self.host()]).stdin(Stdio::null());
        command
    }

    /// A program as the ordinary user, at home in the engine's folder.
    pub fn user_command(&self, program: &str) -> Command {
        if !is_root() {
            return Command::new(program);
        }
        let Some(given) = &self.given else {
            return self.as_user(self.inside("setpriv"), program);
        };
        let mut enter = self.inside("sh");
        enter.args(["-e", "-c", ENTER]).arg(given);
        self.as_user(enter, program)
    }

    fn as_user(&self, mut command: Command, program: &str) -> Command {
        let user = self.who.ordinary().expect("an ordinary user's engine");
        command.args(["--reuid", user, "--regid", user, "--clear-groups", "--", program]);
        command.env("HOME", &self.folder).env("XDG_RUNTIME_DIR", &self.folder).current_dir(&self.folder);
        command
    }

    /// The daemon's socket as clients take it.
    pub fn host(&self) -> String {
        format!("unix://{}", self.folder.join("api.sock").display())
    }

    /// The engine's folder: `data`, `exec`, `api.sock`, `daemon.log`.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The engine's network namespace, when the tests run as root.
    pub fn namespace(&self) -> Option<&Namespace> {
        self.namespace.as_ref()
    }

    /// What the daemon logged so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("daemon.log")).unwrap_or_default()
    }

    /// The stock docker client against this daemon, not yet started.
    pub fn docker_command(&self, arguments: &[&str]) -> Command {
        let mut command = self.inside("docker");
        command
            .args(["--host", &self.host()])
            .args(arguments)
            .env("DOCKER_CONFIG", self.folder.join("docker-config"));
        command.env_remove("DOCKER_HOST").stdin(Stdio::null());
        command
    }

    /// Our client against this daemon, not yet started.
    pub fn coracle_command(&self, arguments: &[&str]) -> Command {
        let mut command = self.inside(coracle_binary());
        command.args(["--host", &self.host()]).args(arguments).stdin(Stdio::null());
        command
    }

    /// Our binary where the daemon runs, not yet started.
    pub fn own_command(&self, arguments: &[&str]) -> Command {
        let mut command = self.inside(coracle_binary());
        command.args(arguments).stdin(Stdio::null());
        command
    }

    /// Runs the stock docker client.
    #[track_caller]
    pub fn docker(&self, arguments: &[&str]) -> Said {
        run(&mut self.docker_command(arguments))
    }

    /// Runs our client.
    #[track_caller]
    pub fn coracle(&self, arguments: &[&str]) -> Said {
        run(&mut self.coracle_command(arguments))
    }

    /// Imports busybox as `busybox:latest`, made offline.
    #[track_caller]
    pub fn import_busybox(&self) {
        let tar = busybox_tar().display().to_string();
        let command = r#"CMD ["sh"]"#;
        self.docker(&["import", "--change", command, "--change", "ENV PATH=/bin", &tar, "busybox:latest"])
            .expect(0);
    }

    /// `kill -9` of the daemon; its containers live on.
    pub fn kill_daemon(&mut self) {
        let mut daemon = self.daemon.take().expect("the daemon runs");
        daemon.kill().expect("kill");
        daemon.wait().expect("wait");
    }

    /// Asks the daemon to end, and returns its exit code.
    #[track_caller]
    pub fn stop_daemon(&mut self) -> i32 {
        let daemon = self.daemon.take().expect("the daemon runs");
        kill(Pid::from_raw(daemon.id() as i32), Signal::SIGTERM).expect("kill");
        self.daemon = Some(daemon);
        self.wait_for_daemon()
    }

    /// Waits for a daemon that somebody has told to end, and returns its exit code.
    #[track_caller]
    pub fn wait_for_daemon(&mut self) -> i32 {
        let mut daemon = self.daemon.take().expect("the daemon runs");
        wait_until("the daemon ends", || daemon.try_wait().expect("wait").is_some());
        daemon.wait().expect("wait").code().unwrap_or(-1)
    }

    /// Removes every container and stops the daemon without counting: for a peer, whose leftovers are its own affair.
    pub fn discard(mut self) {
        for container in self.docker(&["ps", "--all", "--quiet"]).stdout.lines() {
            self.docker(&["rm", "--force", "--volumes", container]);
        }
        self.stop_daemon();
    }

    /// Removes every container, stops the daemon, and fails on anything left behind.
    #[track_caller]
    pub fn finish(mut self) {
        let containers = self.docker(&["ps", "--all", "--quiet"]).expect(0);
        for container in containers.stdout.lines() {
            self.docker(&["rm", "--force", "--volumes", container]).expect(0);
        }
        assert_eq!(self.stop_daemon(), 0, "the daemon's exit code; its log: {}", self.log());
        let left_now = || leftovers::of(&self.token, &self.folder, self.namespace.as_ref());
        let deadline = Instant::now() + std::time::Duration::from_secs(5);
        let mut left = left_now();
        while !left.is_empty() && Instant::now() < deadline {
            std::thread::sleep(std::time::Duration::from_millis(20)); // poll: the kernel takes links down in its own time
            left = left_now();
        }
        self.finished = true;
        assert!(left.is_empty(), "left behind:\n{}\nthe daemon's log:\n{}", left.join("\n"), self.log());
    }
}

impl Drop for Engine {
    /// After a failed test: ends what was started, so that it does not disturb the next one.
    fn drop(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
        if !self.finished {
            for process in leftovers::processes(&self.token, self.namespace.as_ref()) {
                let pid = process.split(' ').next().and_then(|pid| pid.parse().ok());
                let _ = pid.map(|pid| kill(Pid::from_raw(pid), Signal::SIGKILL));
            }
            for cgroup in leftovers::cgroups(&self.token).iter().rev() {
                let _ = std::fs::remove_dir(cgroup);
            }
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// The binary under test.
pub fn coracle_binary() -> &'static str {
    env!("CARGO_BIN_EXE_coracle")
}
